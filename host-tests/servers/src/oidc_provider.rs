//! node-oidc-provider on loopback, dressed as itsme: `host-tests/node/provider.mjs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::announced::{Announced, loopback_certificates};
use crate::browser::Browser;
use crate::https::Client;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_judges::node;

/// A provider with one client. It ends when this is dropped, and when the test's process ends.
pub struct OidcProvider {
    process: Announced,
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
        let (ca, certificate, key) = loopback_certificates();
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
        let mut command = Command::new(node::interpreter());
        let process = Announced::start(command.arg(node::script("provider.mjs")), &setup);
        Self {
            tests: Client::new(process.url(), &ca),
            signing_kid: signing_kid(&client.jwks),
            process,
            dir,
        }
    }

    /// A person's browser for it.
    ///
    /// # Panics
    /// If its CA is gone.
    pub fn browser(&self) -> Browser {
        let ca = fs::read_to_string(self.cacert()).expect("the CA's certificate");
        Browser::new(self.issuer(), &ca)
    }

    /// The issuer, which is the base URL.
    pub fn issuer(&self) -> &str {
        self.process.url()
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

    /// What the next authentication is to be like; `provider.mjs` says what there is.
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

    /// Where the client's keys are published.
    pub fn jwks_uri(&self) -> String {
        format!("{}/test/jwks", self.issuer())
    }

    /// Publishes other keys of the client. The provider keeps what it has read for an hour.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn publish(&self, jwks: &Value) {
        let (status, _) = self
            .tests
            .post_as("application/json", "/test/jwks", &jwks.to_string());
        assert_eq!(status, 200);
    }

    /// That hour goes by.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn forget_keys(&self) {
        let (status, _) = self.tests.post_as("application/json", "/test/forget", "{}");
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

impl std::fmt::Debug for OidcProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OidcProvider({})", self.issuer())
    }
}
