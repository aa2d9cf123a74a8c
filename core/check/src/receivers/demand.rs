//! What receivers demand, and the engine that judges it.

use core::fmt;

use crate::CheckOptions;
use crate::facts::{Claims, Header, Moment};
use crate::json::Value;
use crate::rule::RuleId;
use crate::verdict::{Reason, Verdict, Violation, ensure};
use privyseal_core::cert::oid::SHA256_WITH_RSA;
use privyseal_core::cert::{Certificate, KeyUsage};
use privyseal_core::field::Fault;
use privyseal_core::id::IdSyntax;

/// One demand of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// The signature is good.
    Signature,
    /// `kid`, if it is there, names a key that the receiver has.
    KidKnown,
    /// `exp - iat` is exactly this many seconds.
    Lifetime(u64),
    /// `iat` was at most this many seconds ago, or, where there is none, `exp` is at most as far away.
    AgeAtMost(u64),
    /// `iat` is at most this many seconds ahead of the receiver's clock.
    IatLead(u64),
    /// `nbf`, if it is there, is at most this many seconds ahead.
    NbfLead(u64),
    /// `nbf`, if it is there, equals `iat`.
    NbfIsIat,
    /// `exp` was not longer ago than this many seconds.
    NotExpired(u64),
    /// The claim is there.
    Required(&'static str),
    /// `aud` is one, as a string or alone in an array.
    OneAudience,
    /// `exp`, `iat` and `nbf` are JSON numbers.
    NumericDates,
    /// No other header members than these.
    OnlyMembers(&'static [&'static str]),
    /// The leaf has one of these key usages.
    LeafUsage(&'static [KeyUsage]),
    /// `iss` starts like this.
    IdPrefix(&'static str),
    /// If so configured, ids are EORI numbers.
    EoriOption,
    /// Each certificate is RSA of 2048 bits or more and signed with sha256WithRSAEncryption.
    RsaSha256Chain,
    /// Every CA of the chain is trusted.
    EveryCaTrusted,
    /// The last certificate is trusted.
    LastTrusted,
}

impl Demand {
    /// Whether it is met.
    pub(super) fn judge(
        self,
        header: &Header<'_>,
        claims: &Claims<'_>,
        question: &CheckOptions<'_>,
    ) -> Verdict {
        let now = question.now.as_secs();
        match self {
            Self::Signature | Self::KidKnown => {
                Verdict::NotChecked(Reason::Needs(RuleId::Signature))
            }
            Self::Lifetime(expected) => lifetime(claims, expected),
            Self::AgeAtMost(max) => age_at_most(claims, max, now),
            Self::IatLead(lead) => leads(claims.iat, now.saturating_add(lead)),
            Self::NbfLead(lead) => leads(claims.nbf, now.saturating_add(lead)),
            Self::NbfIsIat => nbf_is_iat(claims),
            Self::NotExpired(tolerance) => not_expired(claims, now.saturating_sub(tolerance)),
            Self::Required(name) => met(claims.object.get(name).is_some(), Fault::Missing),
            Self::OneAudience => one_audience(claims),
            Self::NumericDates => numeric(claims),
            Self::OnlyMembers(names) => {
                met(header.has_only(names), Violation::Text("there are others"))
            }
            Self::LeafUsage(usages) => leaf_usage(header, usages),
            Self::IdPrefix(prefix) => {
                let starts = claims
                    .iss
                    .value()
                    .is_some_and(|iss| iss.starts_with(prefix));
                met(starts, Violation::Text("it does not"))
            }
            Self::EoriOption => eori(claims),
            Self::RsaSha256Chain => on_chain(header, |certificates| {
                let why = Violation::Text("one is not");
                met(certificates.iter().all(is_rsa_sha256), why)
            }),
            Self::EveryCaTrusted => on_chain(header, |certificates| {
                trusted(certificates.get(1..).unwrap_or(&[]), question)
            }),
            Self::LastTrusted => on_chain(header, |certificates| {
                let start = certificates.len().saturating_sub(1);
                trusted(certificates.get(start..).unwrap_or(&[]), question)
            }),
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("the signature is good"),
            Self::KidKnown => f.write_str("kid, if there, names a known key"),
            Self::Lifetime(seconds) => write!(f, "exp - iat is exactly {seconds} s"),
            Self::AgeAtMost(seconds) => write!(
                f,
                "iat was at most {seconds} s ago; without iat, exp is at most {seconds} s away"
            ),
            Self::IatLead(seconds) => write!(f, "iat is at most {seconds} s ahead"),
            Self::NbfLead(seconds) => write!(f, "nbf, if there, is at most {seconds} s ahead"),
            Self::NbfIsIat => f.write_str("nbf, if there, equals iat"),
            Self::NotExpired(0) => f.write_str("exp is still to come"),
            Self::NotExpired(seconds) => write!(f, "exp was at most {seconds} s ago"),
            Self::Required(name) => write!(f, "{name} is there"),
            Self::OneAudience => f.write_str("aud is one only"),
            Self::NumericDates => f.write_str("exp, iat and nbf are JSON numbers"),
            Self::OnlyMembers(names) => {
                f.write_str("no header member but")?;
                names.iter().try_for_each(|name| write!(f, " {name}"))
            }
            Self::LeafUsage(usages) => {
                f.write_str("the leaf's key usage has")?;
                for (position, usage) in usages.iter().enumerate() {
                    write!(f, "{}{usage}", if position == 0 { " " } else { " or " })?;
                }
                Ok(())
            }
            Self::IdPrefix(prefix) => write!(f, "iss starts with {prefix}"),
            Self::EoriOption => f.write_str("ids are EORI numbers, if so configured"),
            Self::RsaSha256Chain => {
                f.write_str("each certificate is RSA-2048 or larger, signed with sha256RSA")
            }
            Self::EveryCaTrusted => f.write_str("every CA of the chain is on the trusted list"),
            Self::LastTrusted => f.write_str("the last certificate is on the trusted list"),
        }
    }
}

fn met(holds: bool, why: impl Into<Violation>) -> Verdict {
    ensure(holds, why).into()
}

fn lifetime(claims: &Claims<'_>, expected: u64) -> Verdict {
    let found = claims
        .exp
        .value()
        .zip(claims.iat.value())
        .and_then(|(exp, iat)| exp.checked_sub(iat));
    match found {
        Some(found) => met(found == expected, Violation::Differs { found, expected }),
        None => Verdict::Broken(Violation::Text(
            "exp or iat is not there as a number, or exp is before iat",
        )),
    }
}

fn age_at_most(claims: &Claims<'_>, max: u64, now: u64) -> Verdict {
    let value = match (claims.iat, claims.exp.value()) {
        (Moment::Is(iat), _) => now.saturating_sub(iat),
        (Moment::Absent, Some(exp)) => exp.saturating_sub(now),
        (Moment::Absent, None) => return Verdict::NotChecked(Reason::Needs(RuleId::ClaimExp)),
        (Moment::Wrong(why), _) => return Verdict::Broken(why),
    };
    met(value <= max, Fault::OutOfRange { value, min: 0, max })
}

fn leads(moment: Moment, last: u64) -> Verdict {
    match moment {
        Moment::Absent => Verdict::Passed,
        Moment::Is(seconds) => met(seconds <= last, Violation::Text("it is further ahead")),
        Moment::Wrong(why) => Verdict::Broken(why),
    }
}

fn nbf_is_iat(claims: &Claims<'_>) -> Verdict {
    match claims.nbf {
        Moment::Absent => Verdict::Passed,
        nbf => met(
            nbf.value().is_some() && nbf.value() == claims.iat.value(),
            Violation::Text("it does not"),
        ),
    }
}

fn not_expired(claims: &Claims<'_>, now: u64) -> Verdict {
    match claims.exp.value() {
        Some(exp) => met(exp > now, Violation::Text("it is not")),
        None => Verdict::NotChecked(Reason::Needs(RuleId::ClaimExp)),
    }
}

fn one_audience(claims: &Claims<'_>) -> Verdict {
    let count = match claims.object.get("aud") {
        Some(Value::String(_)) => 1,
        Some(Value::Array(array)) => array.items().count(),
        _ => 0,
    };
    met(count == 1, Violation::Text("it is not"))
}

fn numeric(claims: &Claims<'_>) -> Verdict {
    let wrong = [claims.exp, claims.iat, claims.nbf]
        .into_iter()
        .find_map(|moment| match moment {
            Moment::Wrong(why) => Some(why),
            _ => None,
        });
    wrong.map_or(Verdict::Passed, Verdict::Broken)
}

fn leaf_usage(header: &Header<'_>, usages: &[KeyUsage]) -> Verdict {
    on_chain(header, |certificates| {
        let found = certificates
            .first()
            .and_then(Certificate::key_usages)
            .unwrap_or_default();
        met(
            usages.iter().any(|&usage| found.has(usage)),
            Violation::Text("it has not"),
        )
    })
}

fn eori(claims: &Claims<'_>) -> Verdict {
    match claims.iss.value() {
        Some(iss) if IdSyntax::Eori.accepts(iss) => Verdict::Passed,
        _ => Verdict::because("depends on the receiver's configuration"),
    }
}

fn is_rsa_sha256(certificate: &Certificate<'_>) -> bool {
    certificate.rsa_key().is_ok() && certificate.signature_algorithm() == Some(SHA256_WITH_RSA)
}

fn trusted(certificates: &[Certificate<'_>], question: &CheckOptions<'_>) -> Verdict {
    match question.anchors {
        None => Verdict::because("no trusted certificates were given"),
        Some(anchors) => met(
            certificates
                .iter()
                .all(|certificate| anchors.contains(&certificate.as_der())),
            Violation::Text("the given trusted certificates lack one"),
        ),
    }
}

fn on_chain(header: &Header<'_>, judge: impl FnOnce(&[Certificate<'_>]) -> Verdict) -> Verdict {
    match &header.x5c.certificates {
        Ok(certificates) => judge(certificates),
        Err(_) => Verdict::NotChecked(Reason::Needs(RuleId::X5cCertificates)),
    }
}
