//! From a token request to a verified party.

mod builder;
mod prove;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::base::clock;
use privyseal::pki::crl::Crl;
use privyseal::{Certificates, UnixTime};
use privyseal_check::{CheckOptions, Report, RuleId, Verdict, check_claims};
use privyseal_core::Audience;
use privyseal_core::jws::JwsParts;
use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::scheme::SchemeRules;
use privyseal_hsm::lock;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::links::KnownLinks;
use crate::registry::CachedRegistry;
use crate::replay::{Presented, ReplayStore, Seen};
use crate::shares::{Expiring, Rooms};
use crate::{RegisteredClients, Rejection, Revocation, TokenForm, VerifiedParty};

pub use builder::{BuildError, ReceiverBuilder};
use prove::ProvenHeader;

/// Accepts client assertions of one scheme, for one audience.
///
/// Make one and share it: it keeps what it has proved, and any number of threads may use it at once.
#[derive(Debug)]
pub struct Receiver {
    pub(crate) scheme: &'static SchemeRules,
    pub(crate) audience: String,
    /// Who says that a key or certificate is a client's, where it is not the provider itself.
    pub(crate) registry: Option<CachedRegistry>,
    pub(crate) trust: Certificates,
    pub(crate) replay: Arc<dyn ReplayStore>,
    pub(crate) settings: Mutex<Settings>,
    pub(crate) leeway: u64,
    pub(crate) reprove_after: u64,
    /// By the SHA-256 of the header, as it is encoded: its `x5c` or `kid` and all else that it says. One holder can write its
    /// header in any number of ways.
    pub(crate) proven: Mutex<Expiring<Arc<ProvenHeader>>>,
    pub(crate) links: KnownLinks,
    /// For those who wait for what CAs publish about revocation.
    pub(crate) fetching: Rooms,
    /// The certificates (SHA-256) that were refused a moment ago after CAs were asked: presenting one again asks nobody.
    pub(crate) refused: Mutex<Expiring<Rejection>>,
}

/// What may be changed while a receiver works.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How often something was changed.
    pub(crate) generation: u64,
    /// By what revocation is judged.
    pub(crate) revocation: Arc<Revocation>,
    /// Whom the provider itself knows.
    pub(crate) clients: Arc<RegisteredClients>,
}

/// The claims that count, once their rules hold.
struct Claims {
    all: Map<String, Value>,
    issuer: String,
    jti: String,
    exp: UnixTime,
    /// What the memory knows the assertion by.
    presented: Presented,
}

impl Receiver {
    /// A receiver of assertions of `scheme`.
    pub fn builder(scheme: &'static SchemeRules) -> ReceiverBuilder {
        ReceiverBuilder::new(scheme)
    }

    /// The scheme whose rules apply.
    pub const fn scheme(&self) -> &'static SchemeRules {
        self.scheme
    }

    /// What `aud` must be.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Who sent this request, if everything about it holds now. What costs nothing is checked first: the form, the claims,
    /// the time, whether it was presented before; then the certificates, who vouches for them, revocation and signature;
    /// then the party's status. Only an assertion that passes all of it is remembered, and only one presentation of it
    /// passes.
    ///
    /// The registry may be asked: this can take as long as its HTTP client waits.
    ///
    /// # Errors
    ///
    /// [`Rejection`], for the first rule that is broken.
    pub fn accept(&self, form: &TokenForm) -> Result<VerifiedParty, Rejection> {
        let now = clock::now().map_err(|error| Rejection::unavailable("the clock", error))?;
        self.accept_at(form, now)
    }

    /// The same, at `now`.
    ///
    /// # Errors
    ///
    /// As [`Receiver::accept`].
    pub fn accept_at(&self, form: &TokenForm, now: UnixTime) -> Result<VerifiedParty, Rejection> {
        let judged = self.judge(form, now);
        judged.map_err(|rejection| form.names(rejection))
    }

    fn judge(&self, form: &TokenForm, now: UnixTime) -> Result<VerifiedParty, Rejection> {
        let (assertion, client_id) = form.authentication(self.scheme)?;
        let parts = split(assertion)?;
        let claims = self.claims(&decode(parts.payload, "payload")?, now)?;
        if client_id.is_some_and(|client_id| client_id != claims.issuer) {
            return Err(Rejection::of(RuleId::ClientId, "of the request is not iss"));
        }
        if self.replay.knows(&claims.presented.key) {
            return Err(replayed());
        }
        let (settings, begun) = (self.settings(), Instant::now());
        let proven = self.prove_header(&parts, &claims.issuer, &settings, now)?;
        let record = self.party(&proven, &settings, begun)?;
        self.remember(&claims.presented)?;
        Ok(VerifiedParty {
            id: claims.issuer,
            jti: claims.jti,
            exp: claims.exp,
            claims: claims.all,
            key: *proven.key.spki_digest(),
            leaf: proven.leaf.clone(),
            record,
        })
    }

    /// Whether that client is one, with that key, as far as the provider itself says who is.
    #[cfg(feature = "server")]
    pub(crate) fn still_knows(&self, client_id: &str, key: &[u8; 32]) -> bool {
        self.registry.is_some() || self.settings().clients.has_key(client_id, key)
    }

    /// Judges revocation by these lists from now on, in place of those that were given. What was fetched is kept; what was
    /// proved is proved again, and counts on until its end where CAs cannot be asked about it.
    pub fn set_lists(&self, lists: Vec<Crl>) {
        self.change(|settings| {
            settings.revocation = Arc::new(settings.revocation.with_lists(lists));
        });
    }

    /// Knows these clients from now on, and no others. What was proved is proved again. The access tokens of a client or key
    /// that is not among them count for nothing while it is not.
    pub fn set_clients(&self, clients: RegisteredClients) {
        self.change(|settings| settings.clients = Arc::new(clients));
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut current = lock(&self.settings);
        current.generation = current.generation.wrapping_add(1);
        change(&mut current);
    }

    pub(crate) fn settings(&self) -> Settings {
        lock(&self.settings).clone()
    }

    fn options(&self, now: UnixTime) -> Result<CheckOptions<'_>, Rejection> {
        let audience = Audience::new(&self.audience);
        let audience = audience.map_err(|error| Rejection::of(RuleId::ClaimAud, error))?;
        Ok(CheckOptions {
            scheme: Some(self.scheme),
            audience: Some(audience),
            leeway: self.leeway,
            ..CheckOptions::at(now, &self.links)
        })
    }

    /// The claims, if each rule holds that they can break by themselves.
    fn claims(&self, payload: &[u8], now: UnixTime) -> Result<Claims, Rejection> {
        let mut scratch = vec![0; payload.len()];
        let report = check_claims(payload, &self.options(now)?, &mut scratch);
        refuse_broken(&report)?;
        let claims = Claims::read(payload, self, now);
        claims.ok_or_else(|| Rejection::of(RuleId::PayloadJson, "cannot be read"))
    }

    /// What the registry says of the party, if it or the provider itself vouches for it and its certificate.
    fn party(
        &self,
        proven: &ProvenHeader,
        settings: &Settings,
        begun: Instant,
    ) -> Result<Option<Value>, Rejection> {
        let clients = &settings.clients;
        match (&self.registry, &proven.leaf) {
            (Some(registry), Some(leaf)) => {
                let party = registry.party(&proven.client_id, leaf, proven.holder, begun);
                party.map(Some)
            }
            (None, Some(leaf)) if clients.has_certificate(&proven.client_id, leaf) => Ok(None),
            // Its key was looked up among those of the client.
            (None, None) => Ok(None),
            _ => {
                let why = "the certificate is none of those that are registered for the client";
                Err(Rejection::of(RuleId::PartyStatus, why))
            }
        }
    }

    fn remember(&self, presented: &Presented) -> Result<(), Rejection> {
        match self.replay.remember(presented) {
            Ok(Seen::First) => Ok(()),
            Ok(Seen::Again) => Err(replayed()),
            Ok(Seen::MayBeForgotten) => {
                let why = "it was made before the memory of what was accepted begins";
                Err(Rejection::unavailable("the replay store", why))
            }
            Err(error) => Err(Rejection::unavailable("the replay store", error)),
        }
    }
}

/// The first rule that is broken.
fn refuse_broken(report: &Report) -> Result<(), Rejection> {
    for finding in report.findings() {
        if let Verdict::Broken(violation) = finding.verdict {
            return Err(Rejection::of(finding.rule, violation));
        }
    }
    Ok(())
}

fn replayed() -> Rejection {
    Rejection::of(RuleId::Replay, "the assertion was accepted before")
}

fn split(token: &str) -> Result<JwsParts<'_>, Rejection> {
    let is_short = token.len() <= MAX_COMPACT_JWS;
    let parts = JwsParts::split(token).filter(|_| is_short);
    parts.ok_or_else(|| {
        let why = format_args!(
            "is not three parts with dots between them, of at most {MAX_COMPACT_JWS} bytes"
        );
        Rejection::of(RuleId::JwsForm, why)
    })
}

fn decode(part: &str, name: &str) -> Result<Vec<u8>, Rejection> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| {
        let why = format_args!("has a {name} that is not base64url without padding");
        Rejection::of(RuleId::JwsForm, why)
    })
}

impl Claims {
    /// Of a payload whose rules hold.
    fn read(payload: &[u8], receiver: &Receiver, now: UnixTime) -> Option<Self> {
        let all: Map<String, Value> = serde_json::from_slice(payload).ok()?;
        let text = |name| all.get(name).and_then(Value::as_str).map(str::to_owned);
        let moment = |name| UnixTime::from_secs(all.get(name)?.as_u64()?).ok();
        let (issuer, jti, exp) = (text("iss")?, text("jti")?, moment("exp")?);
        // Where nobody says when it was made: it was not before the longest life of an assertion.
        let longest = receiver.scheme.lifetime().value().max();
        let made = moment("iat").unwrap_or_else(|| exp.saturating_sub(longest));
        // Among those of all issuers and for all audiences.
        let mut key = Sha256::new();
        for text in [&issuer, &receiver.audience, &jti] {
            key.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            key.update(text);
        }
        let presented = Presented {
            key: key.finalize().into(),
            issuer: Sha256::digest(&issuer).into(),
            issued: made.saturating_sub(receiver.leeway),
            until: exp.saturating_add(receiver.leeway),
            now,
        };
        Some(Self {
            all,
            issuer,
            jti,
            exp,
            presented,
        })
    }
}

#[cfg(test)]
#[cfg(feature = "server")]
mod tests;
