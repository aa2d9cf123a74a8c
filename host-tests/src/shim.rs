//! A PKCS #11 module between the program under test and SoftHSM: it counts calls, and shows tokens
//! whose PIN is nearly or wholly locked, which SoftHSM never does. Written in C, because a module is a
//! C library; built with the C compiler that building this workspace needs anyway.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::softhsm::SoftHsmToken;
use crate::tool::{command, run};

/// One try is left (`CKF_USER_PIN_FINAL_TRY`).
pub const FINAL_TRY: u64 = 0x0002_0000;

/// No try is left (`CKF_USER_PIN_LOCKED`).
pub const LOCKED: u64 = 0x0004_0000;

/// The module, and what it has counted.
#[derive(Debug)]
pub struct Shim {
    module: PathBuf,
    log: PathBuf,
}

impl Shim {
    /// Builds the module into `dir`.
    ///
    /// # Panics
    /// If there is no C compiler.
    pub fn build(dir: &Path) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/pkcs11-shim.c");
        let module = dir.join("pkcs11-shim.so");
        let mut compiler = command("cc", ["-std=c11", "-Wall", "-shared", "-fPIC", "-o"]);
        run(compiler.arg(&module).arg(source).arg("-ldl"));
        Self {
            module,
            log: dir.join("pkcs11-calls"),
        }
    }

    /// The module's path.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// Has `command` go through the module; every token it sees has `flags` too.
    pub fn attach(&self, command: &mut Command, flags: u64) {
        command
            .env("SHIM_MODULE", SoftHsmToken::module())
            .env("SHIM_LOG", &self.log)
            .env("SHIM_TOKEN_FLAGS", flags.to_string());
    }

    /// How often a function was called, since the module was built.
    pub fn calls(&self, function: &str) -> usize {
        // Before the first call there is no file.
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| *line == function).count()
    }
}
