//! Where assertions are exchanged for access tokens: what the test servers remember.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard};

use hyper::header;

use crate::loopback::{Clock, Request};
use privyseal_test_judges::assertion_judge::{Assertion, Refusal, TrustedRoot, judge};
use privyseal_test_judges::decode::to_hex;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Judges assertions, gives tokens, and knows them again.
pub struct TokenDesk {
    root: TrustedRoot,
    audience: String,
    lifetime: u64,
    clock: Clock,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// `iss` and `jti` of assertions that have not expired yet, and when they do.
    seen: HashMap<(String, String), u64>,
    /// The seal of each party: as onboarding tells it in life, the first assertion does here.
    seals: HashMap<String, Vec<u8>>,
    /// Access tokens: whose, and when they expire.
    tokens: HashMap<String, (String, u64)>,
}

impl TokenDesk {
    /// A desk that trusts chains up to `root` (DER), answers to `audience`, and gives tokens for
    /// `lifetime` seconds.
    pub fn new(root: &[u8], audience: &str, lifetime: u64, clock: Clock) -> io::Result<Self> {
        Ok(Self {
            root: TrustedRoot::new(root)?,
            audience: audience.to_owned(),
            lifetime,
            clock,
            memory: Mutex::default(),
        })
    }

    /// What time it is here, in seconds since the epoch.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Judges the assertion in a token request with client credentials.
    pub fn assertion(&self, request: &Request) -> Result<Assertion, Refusal> {
        self.assertion_with(request, "client_credentials")
    }

    /// The same, in a token request of another grant.
    pub fn assertion_with(&self, request: &Request, grant: &str) -> Result<Assertion, Refusal> {
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Refusal::bad_request(
                "invalid_request",
                "the body is no form",
            ));
        }
        if member(request, "grant_type")? != grant {
            return Err(Refusal::bad_request(
                "unsupported_grant_type",
                format!("not {grant}"),
            ));
        }
        if member(request, "client_assertion_type")? != ASSERTION_TYPE {
            return Err(Refusal::bad_request(
                "invalid_request",
                "client_assertion_type is another",
            ));
        }
        let now = self.now();
        let assertion = member(request, "client_assertion")?;
        let assertion = judge(&assertion, &self.root, &self.audience, now)?;
        self.memory().remember(&assertion, now)?;
        Ok(assertion)
    }

    /// A token for `party`.
    pub fn issue(&self, party: String) -> String {
        let token = random_token();
        let expires_at = self.now() + self.lifetime;
        self.memory()
            .tokens
            .insert(token.clone(), (party, expires_at));
        token
    }

    /// Whose access token a request has.
    pub fn bearer(&self, request: &Request) -> Result<String, Refusal> {
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| Refusal::invalid_token("there is no bearer token"))?;
        let memory = self.memory();
        let (party, expires_at) = memory
            .tokens
            .get(token)
            .ok_or_else(|| Refusal::invalid_token("the access token is unknown"))?;
        if self.now() >= *expires_at {
            return Err(Refusal::invalid_token("the access token has expired"));
        }
        Ok(party.clone())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no panic while it is held")
    }
}

impl Memory {
    fn remember(&mut self, assertion: &Assertion, now: u64) -> Result<(), Refusal> {
        let seal = self.seals.entry(assertion.party.clone());
        if *seal.or_insert_with(|| assertion.leaf.clone()) != assertion.leaf {
            return Err(Refusal::invalid_client(
                "the certificate is not the one of this party",
            ));
        }
        self.seen.retain(|_, expires_at| *expires_at > now);
        let id = (assertion.party.clone(), assertion.jti.clone());
        match self.seen.insert(id, assertion.expires_at) {
            None => Ok(()),
            Some(_) => Err(Refusal::invalid_client("jti has been used before")),
        }
    }
}

/// A member of the form, which must be there once (RFC 6749 section 3.2).
pub fn member(request: &Request, name: &str) -> Result<String, Refusal> {
    let form = form_urlencoded::parse(request.body());
    let mut values = form.filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(value.into_owned()),
        (None, _) => Err(Refusal::bad_request(
            "invalid_request",
            format!("{name} is missing"),
        )),
        (Some(_), Some(_)) => Err(Refusal::bad_request(
            "invalid_request",
            format!("{name} is there twice"),
        )),
    }
}

/// 256 random bits, in hexadecimal.
fn random_token() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has entropy");
    to_hex(&bytes)
}

impl fmt::Debug for TokenDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDesk({})", self.audience)
    }
}
