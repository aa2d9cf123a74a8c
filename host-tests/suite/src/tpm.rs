//! A throw-away TPM in software (swtpm) behind tpm2-pkcs11: the token of a machine without a card.
//!
//! It has room for three objects and no resource manager, so what a process leaves loaded is flushed before the next.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::softhsm::PIN;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_base::tool::{command, run};

const SO_PIN: &str = "13579246";

const MODULES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1",
    "/usr/lib/aarch64-linux-gnu/libtpm2_pkcs11.so.1",
    "/usr/lib64/libtpm2_pkcs11.so.1",
];

/// A TPM with one token, which goes away with it. Its user PIN is that of all test tokens, [`PIN`].
#[derive(Debug)]
pub struct TpmToken {
    dir: TempDir,
    server: Child,
}

impl TpmToken {
    /// Starts a TPM and initializes a token with that label.
    ///
    /// # Panics
    /// If swtpm, tpm2-pkcs11 or tpm2-tools are missing or fail.
    pub fn new(label: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("tpm-")
            .tempdir_in(cache_dir("tmp"))
            .expect("target/ can be written");
        let socket = dir.path().join("socket");
        let path = |kind: &str, suffix: &str| format!("{kind}{}{suffix}", socket.display());
        let server = command("swtpm", ["socket", "--tpm2", "--server"])
            .arg(path("type=unixio,path=", ""))
            .args(["--ctrl", &path("type=unixio,path=", ".ctrl"), "--tpmstate"])
            .arg(format!("dir={}", dir.path().display()))
            .args(["--flags", "not-need-init,startup-clear"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("swtpm is not installed: run `cargo xtask setup`");
        let start = Instant::now();
        while !socket.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "swtpm does not start"
            );
            thread::sleep(Duration::from_millis(20));
        }
        let token = Self { dir, server };
        let init = [
            "--init-token",
            "--slot-index",
            "0",
            "--label",
            label,
            "--so-pin",
            SO_PIN,
        ];
        run(&mut token.tool(&init));
        let so = [
            "--token-label",
            label,
            "--login",
            "--login-type",
            "so",
            "--so-pin",
            SO_PIN,
        ];
        run(token.tool(&so).args(["--init-pin", "--new-pin", PIN]));
        token.flush();
        token
    }

    /// The module.
    ///
    /// # Panics
    /// If tpm2-pkcs11 is not installed.
    pub fn module() -> PathBuf {
        let mut places = MODULES.iter().map(PathBuf::from);
        places
            .find(|path| path.exists())
            .expect("tpm2-pkcs11 is not installed: run `cargo xtask setup`")
    }

    /// What a process that loads the module must have in its environment.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let tpm = format!("swtpm:path={}", self.dir().join("socket").display());
        vec![
            ("TPM2_PKCS11_STORE".into(), self.dir().into()),
            ("TPM2_PKCS11_TCTI".into(), tpm.clone().into()),
            ("TPM2TOOLS_TCTI".into(), tpm.into()),
            ("TSS2_LOG".into(), "all+NONE".into()),
        ]
    }

    /// A directory for whatever else a test needs beside the token.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Removes from the TPM's memory what an earlier process left there.
    ///
    /// # Panics
    /// If tpm2-tools are missing.
    pub fn flush(&self) {
        for what in ["--transient-object", "--loaded-session", "--saved-session"] {
            run(command("tpm2_flushcontext", [what]).envs(self.environment()));
        }
    }

    fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = command("pkcs11-tool", ["--module"]);
        command.arg(Self::module()).args(arguments);
        command.envs(self.environment());
        command
    }
}

impl Drop for TpmToken {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
