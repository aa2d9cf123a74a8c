//! Node.js with node-oidc-provider and a JOSE library, pinned by `node/package-lock.json`.
//!
//! npm is the system's; the interpreter that runs the scripts is one of the packages, so that every machine
//! has the one that the provider wants.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use privyseal_test_base::scratch::host_tests;
use privyseal_test_base::tool::{LONG_LIMIT, command, output, run_within};

/// A copy of the lock file, written last: packages without it are not complete.
const INSTALLED: &str = "node_modules/installed.json";

/// The interpreter. Installs the packages if they are missing or their pins have changed.
///
/// # Panics
/// If npm or the packages cannot be had.
pub fn interpreter() -> PathBuf {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let folder = folder();
        let wanted = fs::read(folder.join("package-lock.json")).expect("the lock file is there");
        if fs::read(folder.join(INSTALLED)).is_ok_and(|installed| installed == wanted) {
            return binary();
        }
        let mut npm = command("npm", ["ci", "--silent"]);
        run_within(LONG_LIMIT, npm.current_dir(&folder));
        fs::write(folder.join(INSTALLED), wanted).expect("node_modules can be written");
        binary()
    };
    INTERPRETER.get_or_init(make).clone()
}

/// A script of `host-tests/node`.
pub fn script(name: &str) -> PathBuf {
    folder().join(name)
}

/// Compact JWEs by the JOSE library: each header and payload encrypted to `jwk`.
///
/// # Panics
/// If it refuses.
pub fn encrypt(jwk: &Value, tokens: &[(Value, &str)]) -> Vec<String> {
    let tokens: Vec<_> = tokens
        .iter()
        .map(|(header, payload)| serde_json::json!({ "header": header, "payload": payload }))
        .collect();
    let made = jwe(&serde_json::json!({ "jwk": jwk, "tokens": tokens }));
    serde_json::from_value(made).expect("a list of texts")
}

/// Header and payload of each compact JWE, by the JOSE library with this key (PKCS #8, PEM).
///
/// # Panics
/// If it refuses one.
pub fn decrypt(pkcs8_pem: &str, jwes: &[String]) -> Vec<Value> {
    let made = jwe(&serde_json::json!({ "key": pkcs8_pem, "jwes": jwes }));
    serde_json::from_value(made).expect("a list")
}

fn jwe(input: &Value) -> Value {
    let mut node = command(
        &interpreter().to_string_lossy(),
        [script("jwe.mjs")]
            .map(|path| path.to_string_lossy().into_owned())
            .iter()
            .map(String::as_str),
    );
    let made = output(&mut node, input.to_string().as_bytes());
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "jwe.mjs: {said}");
    serde_json::from_slice(&made.stdout).expect("JSON")
}

fn folder() -> PathBuf {
    host_tests("node")
}

fn binary() -> PathBuf {
    let arch = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    folder().join(format!("node_modules/node-linux-{arch}/bin/node"))
}
