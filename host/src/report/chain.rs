//! Everything that can be said about a chain: every rule, passed or broken, and not only the first.

mod certificate;
mod revocation;

use core::fmt;

use privyseal_core::cert::{Certificate, Chain, ChainError, KeyUsage, KeyUsages, LinkError};
use privyseal_core::scheme::KeyReference;
use privyseal_core::{ClientId, RsaPublicKey, SchemeRules, UnixTime};
use serde_json::{Value, json};

use super::{Report, Verdict};
use crate::pki::certificates::Certificates;
use crate::pki::links::HostLinks;
use crate::pki::path::PathOptions;
use crate::pki::revocation::RevocationOptions;

pub use certificate::CertificateReport;

/// A chain, judged at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChainReport {
    /// The moment for which dates were judged.
    pub now: UnixTime,
    /// The scheme whose rules were applied, if one was named.
    pub scheme: Option<&'static SchemeRules>,
    /// The certificates, leaf first.
    pub certificates: Vec<CertificateReport>,
    /// Each rule and how it came out, in the order of the pipeline.
    pub report: Report,
    /// Whether it ends with a self-signed root, or leads to a certificate that is trusted.
    pub is_complete: bool,
    /// Whether it leads to a certificate that is trusted.
    pub trust: Verdict,
    /// The party id that iSHARE derives from the leaf, where it can.
    pub party_id: Option<ClientId>,
}

/// What to judge a chain by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ChainCheckOptions<'a> {
    /// The moment for which dates are judged.
    pub now: UnixTime,
    /// The scheme whose rules apply, if any.
    pub scheme: Option<&'static SchemeRules>,
    /// The key that the leaf must be for, if there is one.
    pub key: Option<&'a RsaPublicKey>,
    /// The certificates of which this is the chain, to say whether they were in order and which are left out.
    pub given: Option<&'a Certificates>,
    /// Certificates that are trusted, if it is to be judged whether the chain leads to one of them.
    pub trust: Option<&'a Certificates>,
    /// By what revocation is judged.
    pub revocation: RevocationOptions<'a>,
    /// How many days before a certificate ends that is worth a note.
    pub warn_days: u32,
}

impl ChainCheckOptions<'_> {
    /// Dates at `now`, and the rules of RFC 5280 alone.
    pub fn at(now: UnixTime) -> Self {
        Self {
            now,
            scheme: None,
            key: None,
            given: None,
            trust: None,
            revocation: RevocationOptions::default(),
            warn_days: WARN_DAYS,
        }
    }
}

impl ChainReport {
    /// Judges `chain`.
    pub fn new(chain: &Chain<'_>, options: ChainCheckOptions<'_>) -> Self {
        let mut report = Report::default();
        report.order(chain, options.given);
        for (position, certificate) in chain.certificates().iter().enumerate() {
            report.link(chain, position, certificate);
            report.dates(position, certificate, options.now, options.warn_days);
        }
        report.root(chain, options.scheme);
        let trust = report.trust(chain, options.trust, options.now);
        if let Some(leaf) = chain.leaf() {
            report.leaf(leaf, options);
        }
        report.revocation(chain, options.revocation, options.now);
        let certificates = chain.certificates().iter();
        Self {
            now: options.now,
            scheme: options.scheme,
            certificates: certificates.map(CertificateReport::new).collect(),
            report,
            is_complete: chain.has_root() || trust == Verdict::Passed,
            trust,
            party_id: chain.leaf().and_then(ClientId::did_ishare),
        }
    }

    /// How many rules are broken.
    pub fn broken(&self) -> usize {
        self.report.broken()
    }

    /// How it came out, in one line.
    pub fn headline(&self) -> String {
        match self.broken() {
            0 if self.trust == Verdict::Passed => "valid".to_owned(),
            0 if self.is_complete => "no rule is broken; trust: not judged".to_owned(),
            0 => "no rule is broken; trust: not judged, and what stands above the last one is not known".to_owned(),
            _ => format!("not valid: {}", self.report.broken_in_words()),
        }
    }

    pub(super) fn rules(&self) -> &'static str {
        self.scheme.map_or("RFC 5280 alone", SchemeRules::title)
    }

    /// How it came out.
    pub(super) fn verdict(&self) -> Verdict {
        match self.broken() {
            0 => self.trust,
            _ => Verdict::Broken,
        }
    }

    /// The report as JSON. `valid` is null where no rule is broken and trust was not judged; moments are RFC 3339.
    pub fn to_json(&self) -> Value {
        let verdict = self.verdict();
        json!({
            "valid": (verdict != Verdict::NotChecked).then_some(verdict == Verdict::Passed),
            "trust": self.trust,
            "complete": self.is_complete,
            "now": self.now.to_string(),
            "scheme": self.scheme.map(SchemeRules::name),
            "party_id": self.party_id.as_ref().map(ClientId::as_str),
            "certificates": self.certificates,
            "findings": self.report,
        })
    }
}

impl Report {
    fn order(&mut self, chain: &Chain<'_>, given: Option<&Certificates>) {
        let chain: Vec<_> = chain
            .certificates()
            .iter()
            .map(Certificate::as_der)
            .collect();
        let mut distinct = Vec::new();
        for der in given.into_iter().flat_map(Certificates::iter) {
            if !distinct.contains(&der) {
                distinct.push(der);
            }
        }
        let left_out = distinct.len().saturating_sub(chain.len());
        distinct.retain(|der| chain.contains(der));
        if distinct.is_empty() || distinct == chain {
            self.add(Verdict::Passed, "the order is leaf to root");
        } else {
            self.add(
                Verdict::Note,
                "the certificates came in another order and were put in order",
            );
        }
        if left_out > 0 {
            let text = format!(
                "{left_out} of the certificates do not belong to the chain and were left out"
            );
            self.add(Verdict::Note, text);
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

    fn dates(
        &mut self,
        position: usize,
        certificate: &Certificate<'_>,
        now: UnixTime,
        warn_days: u32,
    ) {
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
            if let Some(end) = ends_soon(certificate, now, warn_days) {
                self.add(Verdict::Note, format!("certificate {position} {end}"));
            }
        }
    }

    fn root(&mut self, chain: &Chain<'_>, scheme: Option<&SchemeRules>) {
        let wanted = scheme.map(SchemeRules::key_reference);
        match wanted {
            Some(rule) if rule.value() == KeyReference::X5cWithRoot => self.judge(
                chain.has_root(),
                "the chain ends with its root",
                format!("{} ({})", ChainError::MissingRoot, rule.source()),
            ),
            _ if chain.has_root() => self.add(Verdict::Note, "the chain ends with its root"),
            _ => self.add(Verdict::Note, "the chain ends before its root"),
        }
    }

    fn trust(&mut self, chain: &Chain<'_>, trust: Option<&Certificates>, now: UnixTime) -> Verdict {
        let Some(trust) = trust else {
            let text = "trust is not judged: no trusted certificate is given";
            self.add(Verdict::Note, text);
            return Verdict::NotChecked;
        };
        let ders = chain.certificates().iter();
        let ders = ders.map(|certificate| certificate.as_der().to_vec());
        let chain = Certificates::from(ders.collect::<Vec<_>>());
        let revocation = RevocationOptions::default();
        let proved = chain.prove(trust, &PathOptions::at(now), revocation);
        let (verdict, text) = match proved {
            Ok(_) => (
                Verdict::Passed,
                "the chain leads to a trusted certificate".to_owned(),
            ),
            Err(ref error) => (Verdict::Broken, error.to_string()),
        };
        self.add(verdict, text);
        verdict
    }

    fn leaf(&mut self, leaf: &Certificate<'_>, options: ChainCheckOptions<'_>) {
        self.judge(
            !leaf.is_ca(),
            "the leaf is no CA",
            ChainError::LeafIsCa.to_string(),
        );
        match (leaf.rsa_key(), options.key) {
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
        if let Some(scheme) = options.scheme {
            self.leaf_usage(leaf, scheme);
        }
    }

    fn leaf_usage(&mut self, leaf: &Certificate<'_>, scheme: &SchemeRules) {
        let usages = usage_names(leaf.key_usages().unwrap_or_default()).join(", ");
        match scheme.check_leaf_key_usage(Some(leaf)) {
            Ok(()) => self.add(
                Verdict::Passed,
                format!(
                    "the leaf's key usage ({usages}) is as {} accepts it",
                    scheme.title()
                ),
            ),
            Err(error) => self.add(Verdict::Broken, error.to_string()),
        }
    }
}

/// How many days before a certificate ends that is worth a note, where nobody says otherwise.
pub const WARN_DAYS: u32 = 30;

/// That a certificate ends within so many days, as a clause about it.
pub(crate) fn ends_soon(
    certificate: &Certificate<'_>,
    now: UnixTime,
    warn_days: u32,
) -> Option<String> {
    let end = certificate.not_after();
    let days = end.as_secs().checked_sub(now.as_secs())? / (24 * 60 * 60);
    let left = match days {
        0 => "today".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    };
    (days < u64::from(warn_days)).then(|| format!("ends {left}, at {end}"))
}

/// The names of key usages, in the order of their bits.
fn usage_names(usages: KeyUsages) -> Vec<&'static str> {
    usages.iter().map(KeyUsage::name).collect()
}

impl fmt::Display for ChainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rules, now) = (self.rules(), self.now);
        writeln!(f, "result    {} ({rules}, at {now})\n", self.headline())?;
        for (position, certificate) in self.certificates.iter().enumerate() {
            let role = match position {
                0 => " (leaf)",
                _ if certificate.issuer == certificate.subject => " (root)",
                _ => "",
            };
            writeln!(f, "certificate {position}{role}\n{certificate}")?;
        }
        writeln!(f, "{}", self.report)?;
        let leaf = self.certificates.first();
        let found = leaf.and_then(|leaf| leaf.organization_identifier.as_deref());
        match (&self.party_id, found) {
            (Some(id), _) => write!(f, "party id  {id}"),
            (None, None) => write!(
                f,
                "party id  none can be derived (no organizationIdentifier)"
            ),
            (None, Some(found)) => write!(
                f,
                "party id  none can be derived (the organizationIdentifier is {found:?}, which has not the form of \
                 ETSI EN 319 412-1 section 5.1.4 with a country of the EU's registers)"
            ),
        }
    }
}
