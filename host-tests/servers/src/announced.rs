//! Servers in other languages: told one line of JSON, they say one line, `listening on URL`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use privyseal_test_base::tool::first_line;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::Value;

/// How long it may take to start; the machine may be busy.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A server that ends when this is dropped, and when the test's process ends.
#[derive(Debug)]
pub(crate) struct Announced {
    child: Child,
    // Its end is the sign to stop.
    _stdin: ChildStdin,
    url: String,
}

impl Announced {
    /// Starts it and waits until it answers. Panics if it does not.
    pub(crate) fn start(command: &mut Command, setup: &Value) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the interpreter can be started");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        writeln!(stdin, "{setup}").expect("the server reads its set-up");
        let stdout = child.stdout.take().expect("stdout is piped");
        let line = first_line(stdout, START_LIMIT);
        let url = line
            .as_deref()
            .and_then(|line| line.strip_prefix("listening on "));
        let Some(url) = url else {
            // It has ended or will not speak.
            let _ = child.kill();
            let output = child.wait_with_output().expect("it has ended");
            panic!(
                "the server did not start: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        // Its warnings would fill the pipe.
        let stderr = child.stderr.take().expect("stderr is piped");
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).count());
        Self {
            url: url.to_owned(),
            child,
            _stdin: stdin,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A CA whose key is forgotten at once, and a certificate for loopback with its key; all PEM.
pub(crate) fn loopback_certificates() -> (String, String, String) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let name = "Privyseal test provider CA";
    parameters.distinguished_name.push(DnType::CommonName, name);
    let ca_key = KeyPair::generate().expect("a key");
    let ca = parameters
        .self_signed(&ca_key)
        .expect("a certificate")
        .pem();
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()])
        .and_then(|leaf| leaf.signed_by(&key, &Issuer::new(parameters, ca_key)))
        .expect("a certificate");
    (ca, certificate.pem(), key.serialize_pem())
}
