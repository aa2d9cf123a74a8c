//! A throw-away token of kryoptic, a second vendor's module: PKCS #11 3.2, and a PIN that really locks
//! after ten wrong ones, which SoftHSM's never does. Built from its published crate the first time.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::softhsm::PIN;
use privyseal_test_base::scratch::{cache_dir, host_tests, target_dir};
use privyseal_test_base::tool::{LONG_LIMIT, cargo, command, run, run_within};

const SO_PIN: &str = "13579246";

/// Wrong PINs in a row after which it locks.
pub const TRIES: u32 = 10;

/// One token in a directory of its own, which goes away with it. Its user PIN is that of all test tokens,
/// [`PIN`].
#[derive(Debug)]
pub struct KryopticToken {
    dir: TempDir,
    label: String,
}

impl KryopticToken {
    /// Initializes a token with that label.
    ///
    /// # Panics
    /// If kryoptic cannot be built (it needs clang, OpenSSL's and SQLite's headers) or a tool fails.
    pub fn new(label: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("kryoptic-")
            .tempdir_in(cache_dir("tmp"))
            .expect("target/ can be written");
        let token = Self {
            dir,
            label: label.into(),
        };
        let configuration = format!(
            "[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n",
            token.dir.path().join("token.sql").display()
        );
        fs::write(token.configuration(), configuration).expect("target/ can be written");
        fs::write(token.pin_file(), PIN).expect("target/ can be written");
        let init = [
            "--init-token",
            "--slot",
            "1",
            "--label",
            label,
            "--so-pin",
            SO_PIN,
        ];
        run(&mut token.tool(&init));
        let so = ["--login", "--login-type", "so", "--so-pin", SO_PIN];
        run(token.tool(&so).args(["--init-pin", "--new-pin", PIN]));
        token
    }

    /// The module. It is built first, once a process.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn module() -> PathBuf {
        static PATH: OnceLock<PathBuf> = OnceLock::new();
        PATH.get_or_init(build).clone()
    }

    /// What a process that loads the module must have in its environment.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        vec![("KRYOPTIC_CONF".into(), self.configuration().into())]
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// A file that holds the PIN.
    pub fn pin_file(&self) -> PathBuf {
        self.dir.path().join("pin")
    }

    /// A directory for whatever else a test needs beside the token.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Has the token generate an RSA key with that id (hexadecimal) and label.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn generate_key(&self, bits: usize, id: &str, label: &str) {
        self.generate_special_key(bits, id, label, &[]);
    }

    /// As [`KryopticToken::generate_key`], with more options of `pkcs11-tool`.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn generate_special_key(&self, bits: usize, id: &str, label: &str, options: &[&str]) {
        self.generate(bits, id, label, &[&["--usage-sign"], options].concat());
    }

    /// As [`KryopticToken::generate_key`], for decryption.
    ///
    /// # Panics
    /// If a tool is missing or fails.
    pub fn generate_decryption_key(&self, bits: usize, id: &str, label: &str) {
        self.generate(bits, id, label, &["--usage-decrypt"]);
    }

    fn generate(&self, bits: usize, id: &str, label: &str, options: &[&str]) {
        let kind = format!("rsa:{bits}");
        let login = [
            "--token-label",
            self.label.as_str(),
            "--login",
            "--pin",
            PIN,
        ];
        run(self
            .tool(&login)
            .args(["--keypairgen", "--key-type", &kind, "--id", id])
            .args(["--label", label, "--sensitive"])
            .args(options));
    }

    fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = command("pkcs11-tool", ["--module"]);
        command.arg(Self::module()).args(arguments);
        command.envs(self.environment());
        command
    }

    fn configuration(&self) -> PathBuf {
        self.dir.path().join("kryoptic.conf")
    }
}

fn build() -> PathBuf {
    let target = target_dir().join("kryoptic");
    run_within(
        LONG_LIMIT,
        cargo(["build", "--quiet", "--locked", "--target-dir"])
            .arg(&target)
            .current_dir(host_tests("kryoptic-module")),
    );
    let path = target.join("debug").join("libkryoptic_module.so");
    assert!(path.exists(), "cargo built no {}", path.display());
    path
}
