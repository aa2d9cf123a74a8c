//! A FIAM-like authorization server on loopback, and a client that gets through.

use std::process::Child;
use std::time::{Duration, Instant};

use super::CLIENT_ID;
use super::demo_dir::{DemoDir, show_and_run, show_command, show_lines};
use super::show;
use crate::failure::{Failure, fail};
use crate::process::{self, lines_of, next_line};

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
pub(super) fn ask_for_contracts(demo: &mut DemoDir) -> Result<(), Failure> {
    demo.step(
        "A test authorization server",
        "On loopback, with TLS and a JOSE library that is not ours. It trusts the test CA's root \
         and\njudges assertions as FIAM describes; jti works once, tokens live 360 s.",
    );
    let (server, base) = start(demo)?;

    let ask = demo
        .own("privyseal")
        .args(["token", "--scheme", "fiam", "--key", &demo.key_uri()])
        .args(["--client-id", CLIENT_ID, "--chain", "token"])
        .args([
            "--base-url",
            &base,
            "--cacert",
            &demo.shown("tls/tls-ca.pem"),
        ]);
    demo.step(
        "An access token",
        "A new assertion, POSTed to /oauth/token. The server's answer:",
    );
    let said = show_and_run(&ask)?.text();
    show_lines(&show::answer(&said));

    demo.step(
        "The call that the token is for",
        "Another assertion (each works once), another token, and a GET with it, in one command:",
    );
    let call = ask.args(["--call", "/service-consumers/contracts"]);
    let said = show_and_run(&call)?.text();
    show_lines(&show::answer(&said));
    drop(server);
    if !said.contains("total_count") {
        return fail!("the answer has no page of contracts");
    }
    Ok(())
}

fn start(demo: &DemoDir) -> Result<(Server, String), Failure> {
    let (root, tls) = (demo.shown("pki/root.pem"), demo.shown("tls"));
    let words = [
        "--trust",
        &root,
        "--tls-dir",
        &tls,
        "--port",
        "0",
        "--max-seconds",
        "120",
    ];
    let run = demo.own("fiam-server").args(words);
    show_command(&run.shown());
    let mut server = Server(run.start()?);
    let lines = lines_of(server.0.stdout.take());
    let end = Instant::now() + START;
    while let Some(line) = next_line(&lines, end) {
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
