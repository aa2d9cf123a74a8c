//! What the server remembers: assertions it has seen, tokens it has given.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard};

use super::judge::{Assertion, judge};
use super::refusal::Refusal;
use super::x5c::TrustedRoot;
use super::{AUDIENCE, Clock, TOKEN_LIFETIME};

pub(super) struct State {
    root: TrustedRoot,
    clock: Clock,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// `iss` and `jti` of assertions that have not expired yet, and when they do.
    seen: HashMap<(String, String), u64>,
    /// Access tokens: whose, and when they expire.
    tokens: HashMap<String, (String, u64)>,
}

impl State {
    pub(super) fn new(root: &[u8], clock: Clock) -> io::Result<Self> {
        Ok(Self {
            root: TrustedRoot::new(root)?,
            clock,
            memory: Mutex::default(),
        })
    }

    /// Judges an assertion and gives an access token for it.
    pub(super) fn exchange(&self, assertion: &str) -> Result<String, Refusal> {
        let now = (self.clock)();
        let assertion = judge(assertion, &self.root, AUDIENCE, now)?;
        let mut memory = self.memory();
        memory.remember(&assertion, now)?;
        admit(&assertion.party, "EU.EORI.NL000000")?;
        let token = random_token();
        memory
            .tokens
            .insert(token.clone(), (assertion.party, now + TOKEN_LIFETIME));
        Ok(token)
    }

    /// Whose access token it is, if that party may see its contracts.
    pub(super) fn consumer(&self, token: &str) -> Result<String, Refusal> {
        let now = (self.clock)();
        let memory = self.memory();
        let (party, expires_at) = memory
            .tokens
            .get(token)
            .ok_or_else(|| Refusal::invalid_token("the access token is unknown"))?;
        if now >= *expires_at {
            return Err(Refusal::invalid_token("the access token has expired"));
        }
        admit(party, "EU.EORI.NL100000")?;
        Ok(party.clone())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no panic while it is held")
    }
}

impl Memory {
    fn remember(&mut self, assertion: &Assertion, now: u64) -> Result<(), Refusal> {
        self.seen.retain(|_, expires_at| *expires_at > now);
        let id = (assertion.party.clone(), assertion.jti.clone());
        match self.seen.insert(id, assertion.expires_at) {
            None => Ok(()),
            Some(_) => Err(Refusal::invalid_client("jti has been used before")),
        }
    }
}

/// Unknown parties, and those that a test uses to see an error: `prefix` and the status.
fn admit(party: &str, prefix: &str) -> Result<(), Refusal> {
    if !is_party_id(party) {
        return Err(Refusal::of_status(404));
    }
    match party
        .strip_prefix(prefix)
        .and_then(|status| status.parse().ok())
    {
        Some(status @ (403 | 404 | 429 | 500)) => Err(Refusal::of_status(status)),
        _ => Ok(()),
    }
}

/// `EU.EORI.`, a country code, and something after it.
fn is_party_id(party: &str) -> bool {
    let number = party.strip_prefix("EU.EORI.").unwrap_or("").as_bytes();
    number.len() > 2
        && number[..2].iter().all(u8::is_ascii_uppercase)
        && number.iter().all(u8::is_ascii_alphanumeric)
}

/// 256 random bits, in hexadecimal.
fn random_token() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has entropy");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
