//! A signed response: its claims can be had in one way only, by proving it.
//!
//! The rules of an iSHARE JWT are the same for assertions and responses: algorithm, `x5c` with the whole chain,
//! `iss` = `sub`, one audience, thirty seconds. The core's `check` judges assertions, which are short; a
//! trusted list has no such bound, so responses are read here, up to the size of a call's response.

use privyseal_core::cert::{Certificate, Chain, ChainError};
use privyseal_core::rsa::{KeyError, VerifyingKey};
use privyseal_core::scheme::ISHARE;
use privyseal_core::{ClientId, UnixTime};
use serde_json::{Map, Value};

use crate::jose::jws::{Jws, JwsFault, VerifiedJws};
use crate::jose::{JoseError, JoseFault};
use crate::pki::certificates::Certificates;
use crate::pki::path::{PathError, PathOptions};
use crate::pki::revocation::RevocationOptions;

/// Seconds by which the registry's clock may be ahead of this one.
const MAX_LEAD: u64 = 5;

/// Whom a response must be from, and for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Expected<'a> {
    /// The registry's party id: `iss` and `sub`.
    pub registry_id: &'a str,
    /// Our own: `aud`.
    pub client_id: &'a str,
    /// The certificates that are trusted to vouch for the registry, DER: its root, a CA, or its own.
    pub trust: &'a Certificates,
    /// By what revocation is judged.
    pub revocation: RevocationOptions<'a>,
}

/// Why a response is not proved; a clause whose subject is the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseFault {
    /// No JWS of the accepted algorithms that carries its certificates, or a signature that is not valid.
    #[error(transparent)]
    Jose(JoseFault),
    /// `typ` is not `JWT`.
    #[error("has a typ other than JWT (iSHARE, JWT)")]
    Type,
    /// The certificates do not stand leaf first.
    #[error("has certificates that do not stand leaf first")]
    Order,
    /// The certificates are no chain that may sign.
    #[error("is signed by no seal: {0}")]
    Chain(#[from] ChainError),
    /// The chain leads to nobody who is trusted.
    #[error("is signed by somebody whose certificates lead to none that is trusted")]
    Untrusted,
    /// They are no path to a certificate that is trusted.
    #[error("is signed by nobody whose certificates hold: {0}")]
    Path(PathError),
    /// The seal is another party's, and is not trusted itself.
    #[error("is signed by the seal of another party than the one that was asked")]
    OtherParty,
    /// The leaf's key cannot verify.
    #[error("is signed by a key that cannot be used: it {0}")]
    Key(KeyError),
    /// A claim is not what it has to be.
    #[error("is not for this: {name} {rule}")]
    Claim {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// `exp` is not `iat` + 30.
    #[error("does not live for 30 s, as an iSHARE JWT must")]
    Lifetime,
    /// It is for later. Seconds since 1970.
    #[error("is for later: from {begin}, and this clock shows {now}")]
    Future {
        /// The later of `iat` and `nbf`.
        begin: u64,
        /// This machine's clock.
        now: u64,
    },
    /// It has expired. Seconds since 1970.
    #[error("expired at {exp}, and this clock shows {now}")]
    Expired {
        /// When.
        exp: u64,
        /// This machine's clock.
        now: u64,
    },
    /// What it should be about is not in it.
    #[error("has no {0}, or one of another form than iSHARE's")]
    Member(&'static str),
}

/// The name of a rule, and how it came out.
pub type RuleOutcome = (&'static str, Result<(), ResponseFault>);

/// Is told how each rule came out. An error ends the judgement.
type Tell<'t> =
    dyn FnMut(&'static str, Result<(), ResponseFault>) -> Result<(), ResponseFault> + 't;

impl From<PathError> for ResponseFault {
    fn from(error: PathError) -> Self {
        match error {
            PathError::MissingIssuer { .. } | PathError::Untrusted { .. } => Self::Untrusted,
            error => Self::Path(error),
        }
    }
}

impl From<JoseError> for ResponseFault {
    fn from(error: JoseError) -> Self {
        Self::Jose(error.fault().clone())
    }
}

impl<'a> Expected<'a> {
    /// From the registry `registry_id`, for which `trust` vouches, for the party `client_id`. Revocation is not
    /// checked.
    pub fn new(registry_id: &'a str, client_id: &'a str, trust: &'a Certificates) -> Self {
        Self {
            registry_id,
            client_id,
            trust,
            revocation: RevocationOptions::default(),
        }
    }

    /// The same, with revocation judged so.
    #[must_use]
    pub const fn revocation(mut self, revocation: RevocationOptions<'a>) -> Self {
        self.revocation = revocation;
        self
    }

    /// The claims of `token`, if everything about it holds at `now`: algorithm, chain up to a trusted
    /// certificate, dates, revocation, key usage, signature, then `iss`, `sub`, `aud`, `iat`, `exp`, `nbf` and
    /// `jti`.
    ///
    /// # Errors
    ///
    /// [`ResponseFault`], the first that is found.
    pub fn claims(&self, token: &str, now: UnixTime) -> Result<Map<String, Value>, ResponseFault> {
        let claims = self.verified(token, now)?.claims()?;
        self.judge_claims(&claims, now, &mut |_, outcome| outcome)?;
        Ok(claims)
    }

    /// How each rule comes out, by its name, in the order in which they count; and the claims, if the signature holds. They
    /// count if every rule does.
    pub fn judge(
        &self,
        token: &str,
        now: UnixTime,
    ) -> (Vec<RuleOutcome>, Option<Map<String, Value>>) {
        let mut outcomes = Vec::new();
        let mut tell = |rule, outcome| {
            outcomes.push((rule, outcome));
            Ok(())
        };
        let verified = self.judge_signature(token, now, &mut tell);
        let claims = verified.and_then(|jws| told(&mut tell, "claims in JSON", jws.claims()));
        if let Ok(claims) = &claims {
            // What is left open by a rule that is broken was told, too.
            let _ = self.judge_claims(claims, now, &mut tell);
        }
        (outcomes, claims.ok())
    }

    /// [`Expected::claims`] without what the claims say.
    pub(super) fn verified(
        &self,
        token: &str,
        now: UnixTime,
    ) -> Result<VerifiedJws, ResponseFault> {
        self.judge_signature(token, now, &mut |_, outcome| outcome)
    }

    fn judge_signature(
        &self,
        token: &str,
        now: UnixTime,
        tell: &mut Tell<'_>,
    ) -> Result<VerifiedJws, ResponseFault> {
        let jws = Jws::parse_signed_with(token, ISHARE.algorithms().value());
        let jws = told(tell, "a JWS by an algorithm of iSHARE", jws)?;
        let is_jwt = jws.header().typ() == Some("JWT");
        holds(tell, "typ", is_jwt, ResponseFault::Type)?;
        let certificates = told(tell, "x5c", jws.header().certificates())?;
        let key = self.proven_key(&certificates, now, tell)?;
        told(tell, "the signature", jws.verify(&key))
    }

    /// The key of the leaf of these certificates (DER, as they stand in `x5c`), if they are a chain up to one
    /// that is trusted.
    fn proven_key(
        &self,
        certificates: &[Vec<u8>],
        now: UnixTime,
        tell: &mut Tell<'_>,
    ) -> Result<VerifyingKey, ResponseFault> {
        let given: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
        let chain = told(tell, "leaf first", leaf_first(&given))?;
        let leaf = chain
            .leaf()
            .ok_or(ResponseFault::Jose(JwsFault::X5c.into()))?;
        let given = Certificates::from(certificates.to_vec());
        let path = given.prove(self.trust, &PathOptions::at(now), self.revocation);
        match path.map(|_| ()) {
            Err(error) if error.is_about_revocation() => {
                tell("trust", Ok(()))?;
                tell("revocation", Err(error.into()))?;
            }
            Ok(()) if self.revocation.is_asked() => {
                tell("trust", Ok(()))?;
                tell("revocation", Ok(()))?;
            }
            path => tell("trust", path.map_err(Into::into))?,
        }
        // A registry's seal is a seal like those of its parties.
        let usage = ISHARE.check_leaf_key_usage(Some(leaf));
        tell("key usage", usage.map_err(Into::into))?;
        // Whoever is certified by the same CA is not the registry.
        let is_pinned = self.trust.iter().any(|der| der == leaf.as_der());
        let is_own = is_pinned || is_seal_of(self.registry_id, leaf);
        holds(tell, "whose seal", is_own, ResponseFault::OtherParty)?;
        let key = leaf.rsa_key().and_then(VerifyingKey::new);
        told(tell, "key", key.map_err(ResponseFault::Key))
    }

    /// Judges the claims that every iSHARE JWT has: from the registry, for us, now.
    fn judge_claims(
        &self,
        claims: &Map<String, Value>,
        now: UnixTime,
        tell: &mut Tell<'_>,
    ) -> Result<(), ResponseFault> {
        let text = |name| claims.get(name).and_then(Value::as_str);
        let by_registry = "is not the registry's party id";
        for (name, expected, rule) in [
            ("iss", self.registry_id, by_registry),
            ("sub", self.registry_id, by_registry),
            ("aud", self.client_id, "is not the party that asked"),
        ] {
            let fault = ResponseFault::Claim { name, rule };
            holds(tell, name, text(name) == Some(expected), fault)?;
        }
        let has_jti = text("jti").is_some_and(|jti| !jti.is_empty());
        let (name, rule) = ("jti", "is missing or no string");
        holds(tell, name, has_jti, ResponseFault::Claim { name, rule })?;
        judge_moments(claims, now.as_secs(), tell)
    }
}

/// The chain, if its certificates stand leaf first.
fn leaf_first<'c>(given: &[&'c [u8]]) -> Result<Chain<'c>, ResponseFault> {
    let chain = Chain::order(given)?;
    let ordered = chain.certificates().iter().map(Certificate::as_der);
    if !ordered.eq(given.iter().copied()) {
        return Err(ResponseFault::Order);
    }
    if chain.leaf().is_some_and(Certificate::is_ca) {
        return Err(ChainError::LeafIsCa.into());
    }
    Ok(chain)
}

/// Tells of a rule without which nothing more can be judged.
fn told<T>(
    tell: &mut Tell<'_>,
    rule: &'static str,
    outcome: Result<T, impl Into<ResponseFault>>,
) -> Result<T, ResponseFault> {
    match outcome.map_err(Into::into) {
        Ok(held) => tell(rule, Ok(())).map(|()| held),
        Err(fault) => tell(rule, Err(fault.clone())).and(Err(fault)),
    }
}

fn holds(
    tell: &mut Tell<'_>,
    rule: &'static str,
    is_so: bool,
    fault: ResponseFault,
) -> Result<(), ResponseFault> {
    tell(rule, is_so.then_some(()).ok_or(fault))
}

/// Whether a seal says that it is that party's: by organizationIdentifier, or for an EORI by the subject's serialNumber.
pub(super) fn is_seal_of(party_id: &str, leaf: &Certificate<'_>) -> bool {
    let subject = leaf.subject();
    ClientId::did_ishare(leaf).is_some_and(|id| id.as_str() == party_id)
        || subject.serial_number() == Some(party_id)
        || subject.organization_identifier() == Some(party_id)
}

fn judge_moments(
    claims: &Map<String, Value>,
    now: u64,
    tell: &mut Tell<'_>,
) -> Result<(), ResponseFault> {
    let seconds = |name| {
        let seconds = claims.get(name).and_then(Value::as_u64);
        let rule = "is missing or no whole number of seconds";
        seconds.ok_or(ResponseFault::Claim { name, rule })
    };
    let iat = told(tell, "iat", seconds("iat"))?;
    let exp = told(tell, "exp", seconds("exp"))?;
    let lives = exp.checked_sub(iat) == Some(ISHARE.lifetime().value().default());
    holds(tell, "lifetime", lives, ResponseFault::Lifetime)?;
    let nbf = claims.get("nbf").map(|_| told(tell, "nbf", seconds("nbf")));
    let begin = nbf.transpose()?.unwrap_or(iat).max(iat);
    let begins = begin <= now.saturating_add(MAX_LEAD);
    let fault = ResponseFault::Future { begin, now };
    holds(tell, "not for later", begins, fault)?;
    let fault = ResponseFault::Expired { exp, now };
    holds(tell, "not expired", now < exp, fault)
}
