//! node-oidc-provider on loopback, dressed as itsme: `host-tests/node/provider.mjs`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::Browser;
use crate::https::Client;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_base::tool::first_line;
use privyseal_test_judges::node;

/// How long it may take to start; the machine may be busy.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A provider with one client. It ends when this is dropped, and when the test's process ends.
pub struct OidcProvider {
    child: Child,
    // Its end is the sign to stop.
    _stdin: ChildStdin,
    issuer: String,
    signing_kid: Option<String>,
    dir: TempDir,
    tests: Client,
}

/// The client that it knows.
#[derive(Clone, Debug)]
pub struct Registration {
    /// `client_id`.
    pub id: &'static str,
    /// Its public keys: for signing, and for encryption.
    pub jwks: Value,
    /// The http address behind its callback; without one it polls.
    pub callback: Option<String>,
    /// `alg` and `enc` of what is encrypted to it; without them nothing is.
    pub encryption: Option<(&'static str, &'static str)>,
    /// Where browsers come back to; without one nobody logs in with one.
    pub redirect_uri: Option<&'static str>,
}

impl OidcProvider {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(client: &Registration) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("oidc-provider-")
            .tempdir_in(cache_dir("tmp"))
            .expect("target/ can be written");
        let (ca, certificate, key) = certificates();
        fs::write(dir.path().join("ca.pem"), &ca).expect("target/ can be written");
        let (alg, enc) = client.encryption.unzip();
        let setup = json!({
            "tls": { "cert": certificate, "key": key },
            "client": {
                "id": client.id, "jwks": client.jwks, "alg": alg, "enc": enc,
                "redirect_uris": client.redirect_uri.map(|uri| [uri]),
                "delivery": if client.callback.is_some() { "ping" } else { "poll" },
            },
            "callback": client.callback,
        });
        let mut child = Command::new(node::interpreter())
            .arg(node::script("provider.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("node can be started");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        writeln!(stdin, "{setup}").expect("the provider reads its set-up");
        let stdout = child.stdout.take().expect("stdout is piped");
        let line = first_line(stdout, START_LIMIT);
        let issuer = line
            .as_deref()
            .and_then(|line| line.strip_prefix("listening on "));
        let Some(issuer) = issuer else {
            // It has ended or will not speak.
            let _ = child.kill();
            let output = child.wait_with_output().expect("it has ended");
            panic!(
                "the provider did not start: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        // Its warnings would fill the pipe.
        let stderr = child.stderr.take().expect("stderr is piped");
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).count());
        Self {
            tests: Client::new(issuer, &ca),
            issuer: issuer.to_owned(),
            signing_kid: signing_kid(&client.jwks),
            child,
            _stdin: stdin,
            dir,
        }
    }

    /// A person's browser for it.
    ///
    /// # Panics
    /// If its CA is gone.
    pub fn browser(&self) -> Browser {
        let ca = fs::read_to_string(self.cacert()).expect("the CA's certificate");
        Browser::new(&self.issuer, &ca)
    }

    /// The issuer, which is the base URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `kid` of the key by which it knows the client's signatures.
    ///
    /// # Panics
    /// If it knows none.
    pub fn signing_kid(&self) -> String {
        self.signing_kid.clone().expect("a key of the client")
    }

    /// The CA to trust, for `--cacert`.
    pub fn cacert(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// A directory that goes away with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What the next authentication shall be like; `provider.mjs` says what there is.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn script(&self, scenario: &Value) {
        let json = "application/json";
        let (status, _) = self
            .tests
            .post_as(json, "/test/scenario", &scenario.to_string());
        assert_eq!(status, 200);
    }

    /// What has happened: each event has a `name` and a moment `at`, in milliseconds.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn events(&self) -> Vec<Value> {
        let (status, log) = self.tests.get("/test/log", None);
        assert_eq!(status, 200);
        log["events"].as_array().expect("a list").clone()
    }

    /// The events of that name.
    pub fn events_of(&self, name: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["name"] == name);
        events
    }

    /// The least time between two events of that name.
    ///
    /// # Panics
    /// As [`OidcProvider::events_of`].
    pub fn least_pause(&self, name: &str) -> Option<Duration> {
        let events = self.events_of(name);
        let at = |event: &Value| event["at"].as_u64().expect("a moment");
        let pauses = events.windows(2).map(|two| at(&two[1]) - at(&two[0]));
        pauses.min().map(Duration::from_millis)
    }
}

/// Of the key that is not for encryption.
fn signing_kid(jwks: &Value) -> Option<String> {
    let mut keys = jwks["keys"].as_array()?.iter();
    let kid = keys.find(|key| key["use"] != "enc")?["kid"].as_str()?;
    Some(kid.to_owned())
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl std::fmt::Debug for OidcProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OidcProvider({})", self.issuer)
    }
}

/// A CA whose key is forgotten at once, and a certificate for loopback with its key; all PEM.
fn certificates() -> (String, String, String) {
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
