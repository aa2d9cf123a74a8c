//! Authlib's authorization server on loopback: `host-tests/python/authlib_server.py`.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use privyseal_test_base::scratch::cache_dir;
use privyseal_test_judges::decode::to_base64;
use privyseal_test_judges::python;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::announced::{Announced, loopback_certificates};
use crate::https::Client;

/// A server with one client. It ends when this is dropped, and when the test's process ends.
pub struct AuthlibServer {
    process: Announced,
    dir: TempDir,
    tests: Client,
}

impl AuthlibServer {
    /// Starts it for the client whose certificate (DER) that is.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(client_id: &str, certificate: &[u8]) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("authlib-")
            .tempdir_in(cache_dir("tmp"))
            .expect("target/ can be written");
        let (ca, tls_certificate, tls_key) = loopback_certificates();
        let tls = dir.path().join("tls.pem");
        fs::write(dir.path().join("ca.pem"), &ca).expect("target/ can be written");
        fs::write(&tls, tls_certificate + &tls_key).expect("target/ can be written");
        let setup =
            json!({"client_id": client_id, "certificate": to_base64(certificate), "tls": tls});
        let mut command = Command::new(python::interpreter());
        let process = Announced::start(command.arg(python::authlib_script()), &setup);
        Self {
            tests: Client::new(process.url(), &ca),
            process,
            dir,
        }
    }

    /// Below which the paths are.
    pub fn base_url(&self) -> &str {
        self.process.url()
    }

    /// The CA to trust, for `--cacert`.
    pub fn cacert(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// The members of the last form for which it gave a token, but for the assertion.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn asked(&self) -> Value {
        let (status, asked) = self.tests.get("/asked", None);
        assert_eq!(status, 200);
        asked
    }
}

impl fmt::Debug for AuthlibServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthlibServer({})", self.base_url())
    }
}
