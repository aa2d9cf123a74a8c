//! A participant registry in the shape of iSHARE's, on loopback HTTPS: it judges assertions by iSHARE's rules
//! ([`privyseal_test_judges::assertion_judge`], without the core) and signs what it says. It can be told to lie.
//!
//! # What it answers
//! | request | answer |
//! |---|---|
//! | `POST /connect/token`, with `scope=iSHARE` and `client_id` of a party of this registry | a bearer token for 3600 s |
//! | `GET /trusted_list` | `trusted_list_token` |
//! | `GET /capabilities`, by anybody | `capabilities_token` |
//! | `GET /identity_provider/authorize` | back to the client with a code: the person is logged in |
//! | `POST /identity_provider/token`, with a code | a bearer token and an `id_token` |
//! | `GET /identity_provider/userinfo` | a signed answer |
//! | `GET /parties/{party_id}` | `party_token`, with `party_info` (iSHARE 2.1) |
//! | `GET /parties?eori=..&certificate_subject_name=..` | `parties_token`, with `parties_info` (iSHARE 1.x) |
//!
//! Refusals are RFC 6749's. Both kinds of token are JWS by the registry's own seal, for the party whose access
//! token it was.

mod identity;
mod routes;
mod says;
mod signed;

use std::fmt;
use std::io;
use std::sync::Arc;

use serde_json::Value;

use crate::loopback::{Clock, Loopback, refusal, system_clock};
use crate::token_desk::TokenDesk;
use privyseal_test_pki::{CertificateSpec, TestKey, TestPki, test_key};

pub use says::{fingerprint, list_entry, party_info};
pub use signed::Draft;

/// The party id of the registry.
pub const REGISTRY: &str = "EU.EORI.NL000000000";

/// Seconds that an access token is good for.
pub const TOKEN_LIFETIME: u64 = 3600;

/// Makes an answer wrong before it is signed, or has it signed wrongly.
pub type Lie = Arc<dyn Fn(&mut Draft) + Send + Sync>;

/// How a registry is started.
pub struct Config {
    /// The root that clients' chains must lead to, DER.
    pub trust: Vec<u8>,
    /// The registry's key.
    pub key: TestKey,
    /// The chain of the registry's key: DER, leaf first, root last.
    pub chain: Vec<Vec<u8>>,
    /// The entries of the trusted list ([`list_entry`]).
    pub trusted_list: Vec<Value>,
    /// What is known about parties ([`party_info`]).
    pub parties: Vec<Value>,
    /// Party ids that get tokens without a record here.
    pub members: Vec<String>,
    /// What time it is.
    pub clock: Clock,
    /// What is done to each answer before it is sent.
    pub lie: Lie,
}

impl Config {
    /// An honest registry of `pki`, with all CAs of it on its trusted list, and these parties.
    pub fn honest(pki: &TestPki, parties: Vec<Value>) -> Self {
        let key = test_key("registry", 2048);
        let mut leaf = CertificateSpec::seal();
        leaf.subject = format!("CN=Test Registry,serialNumber={REGISTRY},O=Registry,C=NL");
        let chain = pki.chain(&key.spki_der(), &leaf);
        Self {
            trust: pki.root.certificate.clone(),
            trusted_list: chain[1..].iter().map(|der| list_entry(der)).collect(),
            key,
            chain,
            parties,
            members: Vec::new(),
            clock: system_clock(),
            lie: Arc::new(|_| {}),
        }
    }

    /// The same, with one more who gets tokens.
    #[must_use]
    pub fn with_member(mut self, id: &str) -> Self {
        self.members.push(id.to_owned());
        self
    }

    /// The same, but lying.
    #[must_use]
    pub fn lying(mut self, lie: impl Fn(&mut Draft) + Send + Sync + 'static) -> Self {
        self.lie = Arc::new(lie);
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("trusted_list", &self.trusted_list.len())
            .field("parties", &self.parties.len())
            .finish_non_exhaustive()
    }
}

/// A registry that runs in a thread of this process until it is dropped.
#[derive(Debug)]
pub struct IshareServer(Loopback);

impl IshareServer {
    /// Starts a registry on a free port. When this returns, it answers.
    ///
    /// # Panics
    /// If it cannot start.
    pub fn start(config: Config) -> Self {
        let started = || -> io::Result<Self> {
            let clock = Arc::clone(&config.clock);
            let desk = TokenDesk::new(&config.trust, REGISTRY, TOKEN_LIFETIME, clock)?;
            let logins = identity::Logins::default();
            let handler = Arc::new(move |request: &_| {
                routes::route(&desk, &config, &logins, request)
                    .unwrap_or_else(|refused| refusal(&refused))
            });
            Loopback::start(0, handler).map(Self)
        };
        started().expect("a server on loopback")
    }

    /// `https://127.0.0.1:PORT`
    pub fn base_url(&self) -> String {
        self.0.origin()
    }

    /// The certificate of the throw-away CA that a client must trust, PEM.
    pub fn tls_ca_pem(&self) -> &str {
        self.0.tls_ca_pem()
    }
}
