//! Everything that can be said about a chain: every rule, passed or broken, and not only the first.

mod certificate;
mod revocation;
mod show;

use privyseal_core::cert::{Certificate, Chain, ChainError, KeyUsage, KeyUsages, LinkError};
use privyseal_core::scheme::KeyReference;
use privyseal_core::{ClientId, RsaPublicKey, Scheme, UnixTime};

use crate::pki::crl::Crl;
use crate::pki::links::HostLinks;

pub use certificate::CertificateReport;

/// A chain, judged at one moment.
#[derive(Clone, Debug)]
pub struct ChainReport {
    /// The moment for which dates were judged.
    pub now: UnixTime,
    /// The scheme whose rules were applied, if one was named.
    pub scheme: Option<&'static Scheme>,
    /// The certificates, leaf first.
    pub certificates: Vec<CertificateReport>,
    /// Each rule and how it came out, in the order of the pipeline.
    pub findings: Vec<Finding>,
    /// Whether it ends with a self-signed root. Whether that root is to be trusted is not judged.
    pub is_complete: bool,
    /// The party id that iSHARE derives from the leaf, where it can.
    pub party_id: Option<ClientId>,
}

/// One rule and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, as one clause that names its rule.
    pub text: String,
}

/// How a rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The rule holds.
    Passed,
    /// The rule is broken.
    Broken,
    /// No rule, or one that could not be judged here: worth knowing.
    Note,
}

/// What to judge a chain by.
#[derive(Clone, Copy, Debug)]
pub struct ChainQuestion<'a> {
    /// The moment for which dates are judged.
    pub now: UnixTime,
    /// The scheme whose rules apply, if any.
    pub scheme: Option<&'static Scheme>,
    /// The key that the leaf must be for, if there is one.
    pub key: Option<&'a RsaPublicKey>,
    /// Whether the certificates were in order already.
    pub given_in_order: bool,
    /// Revocation lists; none means that revocation is not checked.
    pub crls: &'a [Crl],
}

impl ChainReport {
    /// Judges `chain`.
    pub fn new(chain: &Chain<'_>, question: ChainQuestion<'_>) -> Self {
        let mut findings = Findings::default();
        findings.order(question.given_in_order);
        for (position, certificate) in chain.certificates().iter().enumerate() {
            findings.link(chain, position, certificate);
            findings.dates(position, certificate, question.now);
        }
        findings.root(chain, question.scheme);
        if let Some(leaf) = chain.leaf() {
            findings.leaf(leaf, question);
        }
        findings.revocation(chain, question.crls, question.now);
        Self {
            now: question.now,
            scheme: question.scheme,
            certificates: chain
                .certificates()
                .iter()
                .map(CertificateReport::new)
                .collect(),
            findings: findings.0,
            is_complete: chain.has_root(),
            party_id: chain.leaf().and_then(ClientId::did_ishare),
        }
    }

    /// How many rules are broken.
    pub fn broken(&self) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Broken)
            .count()
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, verdict: Verdict, text: impl Into<String>) {
        self.0.push(Finding {
            verdict,
            text: text.into(),
        });
    }

    fn judge(&mut self, holds: bool, passed: impl Into<String>, broken: impl Into<String>) {
        if holds {
            self.add(Verdict::Passed, passed);
        } else {
            self.add(Verdict::Broken, broken);
        }
    }

    fn order(&mut self, given_in_order: bool) {
        if given_in_order {
            self.add(Verdict::Passed, "the order is leaf to root");
        } else {
            self.add(
                Verdict::Note,
                "the certificates came in another order and were put in order",
            );
        }
    }

    fn link(&mut self, chain: &Chain<'_>, position: usize, certificate: &Certificate<'_>) {
        let is_last = position.saturating_add(1) == chain.certificates().len();
        match chain.prove_at(position, &HostLinks) {
            // The message of the core speaks of the next certificate, which a root has not.
            Err(ChainError::Link { error: LinkError::BadSignature, .. }) if is_last => self.add(
                Verdict::Broken,
                format!("certificate {position} names itself as issuer but was not signed by its own key"),
            ),
            Err(error) => self.add(Verdict::Broken, error.to_string()),
            Ok(()) if !is_last => self.add(
                Verdict::Passed,
                format!("certificate {position} is signed by certificate {}", position.saturating_add(1)),
            ),
            Ok(()) if certificate.is_self_issued() => self.add(
                Verdict::Passed,
                format!("certificate {position} is signed by itself: a root"),
            ),
            Ok(()) => self.add(
                Verdict::Note,
                format!("the issuer of certificate {position} is not there, so it is not proved"),
            ),
        }
    }

    fn dates(&mut self, position: usize, certificate: &Certificate<'_>, now: UnixTime) {
        let (from, to) = (certificate.not_before(), certificate.not_after());
        if now < from {
            self.add(
                Verdict::Broken,
                format!(
                    "certificate {position} is valid from {from} only (RFC 5280 section 4.1.2.5)"
                ),
            );
        } else if now > to {
            self.add(
                Verdict::Broken,
                format!("certificate {position} expired at {to} (RFC 5280 section 4.1.2.5)"),
            );
        } else {
            self.add(
                Verdict::Passed,
                format!("certificate {position} is valid at {now}"),
            );
        }
    }

    fn root(&mut self, chain: &Chain<'_>, scheme: Option<&Scheme>) {
        let wanted = scheme.map(|scheme| scheme.key_reference);
        match wanted {
            Some(rule) if rule.value == KeyReference::X5cWithRoot => self.judge(
                chain.has_root(),
                "the chain ends with its root",
                format!("{} ({})", ChainError::MissingRoot, rule.source),
            ),
            _ if chain.has_root() => self.add(Verdict::Note, "the chain ends with its root"),
            _ => self.add(Verdict::Note, "the chain ends before its root"),
        }
    }

    fn leaf(&mut self, leaf: &Certificate<'_>, question: ChainQuestion<'_>) {
        self.judge(
            !leaf.is_ca(),
            "the leaf is no CA",
            ChainError::LeafIsCa.to_string(),
        );
        match (leaf.rsa_key(), question.key) {
            (Err(error), _) => self.add(Verdict::Broken, format!("the leaf's key {error}")),
            (Ok(key), wanted) => {
                self.add(
                    Verdict::Passed,
                    format!("the leaf's key is RSA-{}", key.bits()),
                );
                if let Some(wanted) = wanted {
                    let broken = privyseal_core::Error::KeyMismatch.to_string();
                    self.judge(key == *wanted, "the leaf is for the given key", broken);
                }
            }
        }
        if let Some(scheme) = question.scheme {
            self.leaf_usage(leaf, scheme);
        }
    }

    fn leaf_usage(&mut self, leaf: &Certificate<'_>, scheme: &Scheme) {
        let usages = usage_names(leaf.key_usages().unwrap_or_default()).join(", ");
        match scheme.check_leaf_key_usage(Some(leaf)) {
            Ok(()) => self.add(
                Verdict::Passed,
                format!(
                    "the leaf's key usage ({usages}) is as {} accepts it",
                    scheme.title
                ),
            ),
            Err(error) => self.add(Verdict::Broken, error.to_string()),
        }
    }
}

/// The names of key usages, in the order of their bits.
fn usage_names(usages: KeyUsages) -> Vec<&'static str> {
    usages.iter().map(KeyUsage::name).collect()
}
