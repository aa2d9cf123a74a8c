//! A signed answer: its claims can be had in one way only, by proving it.
//!
//! The rules of an iSHARE JWT are the same for assertions and answers: algorithm, `x5c` with the whole chain,
//! `iss` = `sub`, one audience, thirty seconds. The core's `check` judges assertions, which are short; a
//! trusted list has no such bound, so answers are read here, up to the size of a call's answer.

mod chain;
mod claims;
mod fault;

use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, Chain};
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::scheme::ISHARE;
use serde_json::{Map, Value};

use crate::jose::jws::{Jws, JwsFault};
use crate::pki::certificates::Certificates;
use crate::pki::crl::Crl;

pub use fault::AnswerFault;

/// Whom an answer must be from, and for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The registry's party id: `iss` and `sub`.
    pub registry_id: &'a str,
    /// Our own: `aud`.
    pub client_id: &'a str,
    /// The certificates that are trusted to vouch for the registry, DER: its root, a CA, or its own.
    pub trust: &'a Certificates,
    /// Revocation lists; none means that revocation is not checked.
    pub crls: &'a [Crl],
}

impl Expected<'_> {
    /// The claims of `token`, if everything about it holds at `now`: algorithm, chain up to a trusted
    /// certificate, dates, revocation, key usage, signature, then `iss`, `sub`, `aud`, `iat`, `exp`, `nbf` and
    /// `jti`.
    pub fn claims(&self, token: &str, now: UnixTime) -> Result<Map<String, Value>, AnswerFault> {
        let jws = Jws::parse_signed_with(token, ISHARE.algorithms().value())?;
        if jws.typ() != Some("JWT") {
            return Err(AnswerFault::Type);
        }
        let certificates = jws.certificates()?;
        let chain = chain::proven(&certificates, self.trust, self.crls, now)?;
        let claims = jws.verify(&leaf_key(&chain)?)?.claims()?;
        self.judge(&claims, now)?;
        Ok(claims)
    }
}

fn leaf_key(chain: &Chain<'_>) -> Result<VerifyingKey, AnswerFault> {
    let key = chain.leaf().map(Certificate::rsa_key);
    let key = key.ok_or(JwsFault::X5c).map_err(AnswerFault::from)?;
    key.and_then(VerifyingKey::new).map_err(AnswerFault::Key)
}
