//! What the tests of whole flows share: who a client is, and what it may trust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::softhsm::SoftHsmToken;
use privyseal_test_base::{privyseal, tool};
use privyseal_test_pki::{TestKey, TestPki};

/// A key with its chain, in a token, and the command line that uses it.
#[derive(Debug)]
pub struct Client {
    /// The token.
    pub token: SoftHsmToken,
    /// Who issued the chain.
    pub pki: TestPki,
    /// The key.
    pub key: TestKey,
    /// The chain, DER, leaf first.
    pub chain: Vec<Vec<u8>>,
}

/// Label of the key in the token.
pub const KEY: &str = "K";

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client with the usual seal.
    pub fn new() -> Self {
        let (pki, key, chain) = TestPki::with_seal();
        let token = SoftHsmToken::new("T");
        token.import_key(&key, "01", KEY);
        token.store_chain(&chain, "01");
        Self {
            token,
            pki,
            key,
            chain,
        }
    }

    /// A file in the client's own directory.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.token.dir().join(name);
        fs::write(&path, content).expect("a directory of the test");
        path
    }

    /// The command with these words, and then `--key`.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(privyseal::path());
        command.env_remove("PRIVYSEAL_PIN");
        command.env("SOFTHSM2_CONF", self.token.configuration());
        command.args(words).args(["--key", &self.token.uri(KEY)]);
        command
    }

    /// Runs the command with these words and options.
    pub fn run(&self, words: &[&str], options: &[(&str, &Path)]) -> Outcome {
        let mut command = self.command(words);
        for (name, path) in options {
            command.arg(name).arg(path);
        }
        Outcome::of(&mut command)
    }
}

/// How a run of a command ended.
#[derive(Debug)]
pub struct Outcome {
    /// What the process returned.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Outcome {
    /// Runs `command` to its end.
    ///
    /// # Panics
    /// If it cannot be started, or writes what is no text.
    pub fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = tool::output(command, b"");
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).expect("text"),
            stderr: String::from_utf8(stderr).expect("text"),
        }
    }

    /// The JSON on standard output of a run that went well.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).expect("JSON")
    }

    /// It ended with that code and a message that says `words`.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert!(
            self.stderr.contains(words),
            "no {words:?} in: {}",
            self.stderr
        );
    }
}
