//! openid-client as another client of the same provider: `host-tests/node/relying_party.mjs`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use privyseal_test_judges::node;
use serde_json::Value;

/// A login that it has begun. It ends when this is dropped.
#[derive(Debug)]
pub struct RelyingParty {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl RelyingParty {
    /// Begins a login as `setup` says; `relying_party.mjs` knows what is in it. It trusts `ca`.
    ///
    /// # Panics
    /// If it says nothing.
    pub fn start(ca: &Path, setup: &Value) -> Self {
        let mut child = Command::new(node::interpreter())
            .arg(node::script("relying_party.mjs"))
            .env("NODE_EXTRA_CA_CERTS", ca)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node can be started");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        writeln!(stdin, "{setup}").expect("it reads its set-up");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut party = Self {
            child,
            stdin,
            stdout,
            url: String::new(),
        };
        party.url = party.line();
        party
    }

    /// Where the browser goes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it says about a person who was asked on their phone, and needed no browser.
    ///
    /// # Panics
    /// If it says something else.
    pub fn said(&self) -> Value {
        serde_json::from_str(&self.url).expect("JSON")
    }

    /// What it makes of what the browser came back with: `id_token` and `userinfo`.
    ///
    /// # Panics
    /// If it refuses.
    pub fn finish(mut self, callback: &str) -> Value {
        writeln!(self.stdin, "{callback}").expect("it reads");
        serde_json::from_str(&self.line()).expect("JSON")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        assert!(read.is_ok_and(|len| len > 0), "openid-client has refused");
        line.trim_end().to_owned()
    }
}

impl Drop for RelyingParty {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
