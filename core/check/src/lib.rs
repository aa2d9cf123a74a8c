#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]
#![doc = include_str!("../README.md")]

#[cfg(test)]
extern crate std;

mod facts;
mod guess;
pub mod json;
pub mod receivers;
pub mod report;
pub mod rule;
mod scratch;
mod spec;
pub mod verdict;

use privyseal_core::cert::{Certificate, Chain, VerifyLink};
use privyseal_core::id::Audience;
use privyseal_core::jws::{Algorithm, JwsParts};
use privyseal_core::rsa::{KeyError, RsaPublicKey};
use privyseal_core::scheme::{Scheme, SchemeRules};
use privyseal_core::time::UnixTime;

pub use guess::Kind;
pub use report::{Finding, Report};
pub use rule::{RuleId, Subject};
pub use verdict::{Reason, Verdict, Violation};

use facts::Facts;
use scratch::Scratch;

/// What to judge a token by.
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "callers decide on each option")]
pub struct CheckOptions<'q> {
    /// The scheme; `None` to guess it from the content.
    pub scheme: Option<&'static SchemeRules>,
    /// The caller's clock.
    pub now: UnixTime,
    /// Seconds by which the issuer's clock may differ from it, for `exp` and `iat`.
    pub leeway: u64,
    /// Who the receiver is; `None` to accept what the scheme's syntax allows.
    pub audience: Option<Audience<'q>>,
    /// The issuer's public keys, for schemes that name a key by `kid` or `x5t#S256`.
    pub keys: Option<&'q [KnownKey<'q>]>,
    /// Certificates (DER) that are trusted, CAs of a trusted list for instance.
    pub anchors: Option<&'q [&'q [u8]]>,
    /// What revocation lists say; `None` to leave revocation unchecked.
    pub revocations: Option<&'q dyn Revocations>,
    /// What a registry says about CAs and parties, for schemes that have one; `None` where it was not asked.
    /// It judges who is trusted; without it the `anchors` do.
    pub registry: Option<&'q dyn Registry>,
    /// How signatures of certificates are verified.
    pub links: &'q dyn VerifyLink,
}

/// Knows which certificates were revoked. The core reads no lists: a host does.
pub trait Revocations {
    /// Whether `certificate`, which `issuer` issued, was revoked.
    fn status(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Verdict;
}

/// Knows what a scheme's registry says. The core asks no server: a host does, before.
pub trait Registry {
    /// Whether a CA of this proven chain may issue seals of the scheme.
    fn trusts(&self, chain: &Chain<'_>) -> Verdict;

    /// Whether the party of this id is active, and `leaf` one of its certificates.
    fn party(&self, client_id: &str, leaf: &Certificate<'_>) -> Verdict;
}

/// A public key that the receiver has, from a JWK Set mostly.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "callers make it of a key set")]
pub struct KnownKey<'q> {
    /// Its `kid`.
    pub kid: Option<&'q str>,
    /// The digest of its certificate, in base64url (`x5t#S256`).
    pub x5t_s256: Option<&'q str>,
    /// The key, or why it cannot be used.
    pub key: Result<RsaPublicKey, KeyError>,
}

impl<'q> CheckOptions<'q> {
    /// A scheme to be guessed, a moment, and nothing else to go by.
    pub const fn at(now: UnixTime, links: &'q dyn VerifyLink) -> Self {
        Self {
            scheme: None,
            now,
            leeway: 0,
            audience: None,
            keys: None,
            anchors: None,
            revocations: None,
            registry: None,
            links,
        }
    }
}

/// Judges `token`. `scratch` holds what is decoded, three times the token's length;
/// [`privyseal_core::limits::MAX_CHECK_SCRATCH`] bytes always suffice.
pub fn check(token: &str, question: &CheckOptions<'_>, scratch: &mut [u8]) -> Report {
    let facts = Facts::read(token, &mut Scratch::new(scratch));
    let scheme = question
        .scheme
        .or_else(|| guess::scheme(&facts).map(Scheme::rules));
    let kind = guess::kind(&facts, scheme);
    let mut report = Report::new(scheme, question.scheme.is_none(), kind);
    spec::judge(&facts, question, &mut report);
    if let (Some(scheme), Kind::Assertion) = (scheme, kind) {
        let judged = |rule| {
            let needed = Verdict::NotChecked(Reason::Needs(rule));
            report.verdict(rule).unwrap_or(needed)
        };
        report.opinions = receivers::judge(&facts, question, scheme, judged);
    }
    report
}

/// Judges the claims of a client assertion by themselves, by its decoded payload: for a receiver that looks at them
/// before it spends time on certificates, or that has proved the same header before. Rules that need the header are not
/// judged. `scratch` is as long as `payload`, at least.
pub fn check_claims(payload: &[u8], question: &CheckOptions<'_>, scratch: &mut [u8]) -> Report {
    let facts = Facts::of_payload(payload, &mut Scratch::new(scratch));
    let mut report = Report::new(question.scheme, false, Kind::Assertion);
    spec::judge_claims(&facts, question, &mut report);
    report
}

/// What [`check_header`] finds, and what it read on the way.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a caller takes it apart")]
pub struct JudgedHeader<'t> {
    /// The rules.
    pub report: Report,
    /// The algorithm, if the scheme accepts it.
    pub algorithm: Option<Algorithm>,
    /// The key that should have signed, if it is known.
    pub key: Option<RsaPublicKey>,
    /// `x5t#S256`, if it is a string.
    pub x5t_s256: Option<&'t str>,
    /// The certificates of `x5c` in the one order that they have, if they do.
    pub chain: Option<Chain<'t>>,
}

/// Judges all of a client assertion but its claims, of which `iss` is known: what [`check_claims`] leaves, but for what a
/// registry says. `scratch` is as [`check`] has it.
pub fn check_header<'t>(
    parts: &JwsParts<'t>,
    iss: &str,
    question: &CheckOptions<'_>,
    scratch: &'t mut [u8],
) -> JudgedHeader<'t> {
    let facts = Facts::of_header(parts, &mut Scratch::new(scratch));
    let mut report = Report::new(question.scheme, false, Kind::Assertion);
    let judged = spec::judge_header(&facts, iss, question, &mut report);
    let (algorithm, key, chain) = judged.unwrap_or_default();
    let header = facts.header();
    JudgedHeader {
        report,
        algorithm,
        key,
        x5t_s256: header.and_then(|header| header.x5t_s256.value()),
        chain,
    }
}

privyseal_core::opaque_debug! {
    [] CheckOptions<'_> as it:
        scheme = it.scheme.map(SchemeRules::name), now, audience, keys = it.keys.map(<[_]>::len),
        anchors = it.anchors.map(<[_]>::len);
}
