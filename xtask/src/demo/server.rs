//! A FIAM-like authorization server on loopback, and a client that gets through.

use std::process::Child;
use std::time::{Duration, Instant};

use super::CLIENT_ID;
use super::console::{show_and_run, show_command, show_lines, step};
use super::show;
use crate::failure::{Failure, fail};
use crate::process::{self, lines_of};
use crate::token_dir::TokenDir;

/// How long the server may take until it listens.
const START: Duration = Duration::from_secs(20);

/// A running server; it ends with this value, however the demonstration ends. Should we be killed,
/// it ends because its stdin closes.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        process::stop(&mut self.0);
    }
}

/// Starts the server, asks for a token with an assertion, and makes the call that
/// the token is for.
pub(super) fn ask_for_contracts(token: &TokenDir) -> Result<(), Failure> {
    step(
        7,
        "A test authorization server",
        "On loopback, with TLS and a JOSE library that is not ours. It trusts the test CA's root \
         and\njudges assertions as FIAM describes; jti works once, tokens live 360 s.",
    );
    let (server, base) = start(token)?;

    let ask = || {
        let ask = token.own("privyseal").words("token --scheme fiam --key");
        ask.arg(token.key_uri())
            .args(["--client-id", CLIENT_ID, "--chain", "token"])
            .args(["--base-url", &base])
            .args(["--cacert", &token.shown("tls/tls-ca.pem")])
    };
    step(
        8,
        "An access token",
        "A new assertion, POSTed to /oauth/token. The server's answer:",
    );
    let said = show_and_run(ask())?;
    show_lines(&show::answer(&said));

    step(
        9,
        "The call that the token is for",
        "Another assertion (each works once), another token, and a GET with it, in one command:",
    );
    let said = show_and_run(ask().words("--call /service-consumers/contracts"))?;
    show_lines(&show::answer(&said));
    drop(server);
    if !said.contains("total_count") {
        return fail!("the answer has no page of contracts");
    }
    Ok(())
}

fn start(token: &TokenDir) -> Result<(Server, String), Failure> {
    let trust = token
        .own("fiam-server")
        .args(["--trust", &token.shown("pki/root.pem")]);
    let run = trust.args(["--tls-dir", &token.shown("tls")]);
    let mut run = run.words("--port 0 --max-seconds 120");
    show_command(&run.shown());
    let mut server = Server(run.start()?);
    let lines = lines_of(server.0.stdout.take());
    let end = Instant::now() + START;
    while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
        show_lines(&line);
        if let Some(base) = line.strip_prefix("listening on ") {
            return Ok((server, base.trim().to_owned()));
        }
    }
    fail!(
        "fiam-server did not get to listen within {} s; what it said is above",
        START.as_secs()
    )
}
