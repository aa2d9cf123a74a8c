//! Where each test plays.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use privyseal_test_judges::decode::{to_base64, to_base64url};
use privyseal_test_pki::{TestKey, TestPki, test_key};
use privyseal_test_servers::fiam_server::{Clock, Config, FiamServer, system_clock};
use privyseal_test_servers::https::{Client, form};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

/// A server with a clock that the test sets, a client that trusts it, and a party with a seal.
pub(crate) struct Stage {
    _server: FiamServer,
    pub(crate) client: Client,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) pki: TestPki,
    pub(crate) key: TestKey,
    /// The chain of `key`.
    pub(crate) chain: Vec<Vec<u8>>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let pki = TestPki::new();
        let clock = Arc::new(AtomicU64::new(system_clock()()));
        let shown = Arc::clone(&clock);
        let shown: Clock = Arc::new(move || shown.load(Ordering::SeqCst));
        let server = FiamServer::start(Config {
            clock: shown,
            ..Config::trusting(&pki.root.certificate)
        })
        .unwrap();
        let client = Client::new(&server.base_url(), server.tls_ca_pem());
        let key = test_key("seal", 2048);
        Self {
            _server: server,
            client,
            clock,
            chain: pki.seal_chain(&key),
            pki,
            key,
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn header(&self) -> Value {
        header(&self.chain)
    }

    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": "EU.EORI.NL123456789",
            "sub": "EU.EORI.NL123456789",
            "aud": "EU.EORI.NLKPNFIAMPROD",
            "iat": self.now(),
            "nbf": self.now(),
            "exp": self.now() + 30,
            "jti": "1",
        })
    }

    /// Signs any header and claims at all, without the core.
    pub(crate) fn forge(&self, header: &Value, claims: &Value) -> String {
        let input = format!(
            "{}.{}",
            to_base64url(header.to_string().as_bytes()),
            to_base64url(claims.to_string().as_bytes())
        );
        let signature = SoftwareSigner::sign_message(self.key.private_key(), input.as_bytes());
        format!("{input}.{}", to_base64url(&signature))
    }

    pub(crate) fn exchange(&self, assertion: &str) -> (u16, Value) {
        self.client.post("/oauth/token", &form(assertion))
    }

    /// The status, and that a refusal says why.
    pub(crate) fn refusal(&self, assertion: &str, reason: &str) -> u16 {
        let (status, body) = self.exchange(assertion);
        let text = body["error_description"].as_str().unwrap_or("");
        assert!(
            text.contains(reason),
            "wanted {reason:?}, got {status} {body}"
        );
        status
    }
}

pub(crate) fn header(chain: &[Vec<u8>]) -> Value {
    let x5c: Vec<String> = chain.iter().map(|der| to_base64(der)).collect();
    json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c })
}

pub(crate) fn with(object: &Value, member: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[member] = value;
    object
}

pub(crate) fn without(object: &Value, member: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(member);
    object
}
