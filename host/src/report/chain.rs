//! Everything that can be said about a chain: every rule, passed or broken, and not only the first.

mod certificate;
mod revocation;

use core::fmt;

use der::Decode as _;
use privyseal_core::cert::{Certificate, Chain, ChainError, KeyUsage, KeyUsages, LinkError};
use privyseal_core::scheme::KeyReference;
use privyseal_core::{ClientId, RsaPublicKey, SchemeRules, UnixTime};
use serde_json::{Value, json};
use x509_cert::name::Name;

use super::content::ORGANIZATION_IDENTIFIER;
use super::{Report, Verdict};
use crate::pki::certificates::Certificates;
use crate::pki::links::HostLinks;
use crate::pki::party_id::why_none;
use crate::pki::path::{PathOptions, attributes};
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
            report.leaf(leaf, options.key, options.scheme, "");
        }
        report.revocation(chain, options.revocation, options.trust, options.now);
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
            self.add_by(Verdict::Passed, ORDER, "the order is leaf to root");
        } else {
            let text = "the certificates came in another order and were put in order";
            self.add_by(Verdict::Note, ORDER, text);
        }
        if left_out > 0 {
            let text = format!(
                "{left_out} of the certificates do not belong to the chain and were left out"
            );
            self.add_by(Verdict::Note, ORDER, text);
        }
    }

    fn link(&mut self, chain: &Chain<'_>, position: usize, certificate: &Certificate<'_>) {
        let is_last = position.saturating_add(1) == chain.certificates().len();
        let (verdict, text) = match chain.prove_at(position, &HostLinks) {
            // The message of the core speaks of the next certificate, which a root has not.
            Err(ChainError::Link {
                error: LinkError::BadSignature,
                ..
            }) if is_last => (
                Verdict::Broken,
                format!(
                    "certificate {position} names itself as issuer but was not signed by its own key"
                ),
            ),
            Err(error) => {
                return self.add_by(Verdict::Broken, source_of(&error), error.to_string());
            }
            Ok(()) if !is_last => (
                Verdict::Passed,
                format!(
                    "certificate {position} is signed by certificate {}",
                    position.saturating_add(1)
                ),
            ),
            Ok(()) if certificate.is_self_issued() => (
                Verdict::Passed,
                format!("certificate {position} is signed by itself: a root"),
            ),
            Ok(()) => (
                Verdict::Note,
                format!("the issuer of certificate {position} is not there, so it is not proved"),
            ),
        };
        self.add_by(verdict, SIGNATURE, text);
    }

    fn dates(
        &mut self,
        position: usize,
        certificate: &Certificate<'_>,
        now: UnixTime,
        warn_days: u32,
    ) {
        const SOURCE: &str = "RFC 5280 section 4.1.2.5";
        let (from, to) = (certificate.not_before(), certificate.not_after());
        let (verdict, text) = if now < from {
            (Verdict::Broken, format!("is valid from {from} only"))
        } else if now > to {
            (Verdict::Broken, format!("expired at {to}"))
        } else {
            (Verdict::Passed, format!("is valid at {now}"))
        };
        self.add_by(verdict, SOURCE, format!("certificate {position} {text}"));
        if let Some(end) =
            ends_soon(certificate, now, warn_days).filter(|_| verdict == Verdict::Passed)
        {
            self.add_by(
                Verdict::Note,
                SOURCE,
                format!("certificate {position} {end}"),
            );
        }
    }

    fn root(&mut self, chain: &Chain<'_>, scheme: Option<&SchemeRules>) {
        let wanted = scheme.map(SchemeRules::key_reference);
        match wanted {
            Some(rule) if rule.value() == KeyReference::X5cWithRoot => self.judge(
                chain.has_root(),
                rule.source(),
                "the chain ends with its root",
                ChainError::MissingRoot.to_string(),
            ),
            rule => {
                let word = if chain.has_root() { "with" } else { "before" };
                let source = rule.map_or(ANCHOR, |rule| rule.source());
                self.add_by(
                    Verdict::Note,
                    source,
                    format!("the chain ends {word} its root"),
                );
            }
        }
    }

    fn trust(&mut self, chain: &Chain<'_>, trust: Option<&Certificates>, now: UnixTime) -> Verdict {
        let Some(trust) = trust else {
            let text = "trust is not judged: no trusted certificate is given";
            self.add_by(Verdict::Note, ANCHOR, text);
            return Verdict::NotChecked;
        };
        let ders = chain.certificates().iter();
        let ders = ders.map(|certificate| certificate.as_der().to_vec());
        let chain = Certificates::from(ders.collect::<Vec<_>>());
        let revocation = RevocationOptions::default();
        let proved = chain.prove(trust, &PathOptions::at(now), revocation);
        let (verdict, source, text) = match proved {
            Ok(_) => {
                let text = "the chain leads to a trusted certificate".to_owned();
                (Verdict::Passed, ANCHOR, text)
            }
            Err(ref error) => (Verdict::Broken, error.source_text(), error.to_string()),
        };
        self.add_by(verdict, source, text);
        verdict
    }

    /// Of a leaf, or of what is `asked` for: that is what each text begins with.
    pub(super) fn leaf(
        &mut self,
        leaf: &Certificate<'_>,
        key: Option<&RsaPublicKey>,
        scheme: Option<&SchemeRules>,
        asked: &str,
    ) {
        self.judge(
            !leaf.is_ca(),
            source_of(&ChainError::LeafIsCa),
            format!("{asked}the leaf is no CA"),
            format!("{asked}{}", ChainError::LeafIsCa),
        );
        let usages = leaf.key_usages();
        if !leaf.is_ca() && usages.is_some_and(|usages| usages.has(KeyUsage::KeyCertSign)) {
            let text =
                format!("{asked}the leaf's key usage has keyCertSign, which only a CA's has");
            self.add_by(Verdict::Broken, source_of(&ChainError::LeafIsCa), text);
        }
        let algorithm = key_source(scheme);
        match (leaf.rsa_key(), key) {
            (Err(error), _) => {
                let text = format!("{asked}the leaf's key {error}");
                self.add_by(Verdict::Broken, algorithm, text);
            }
            (Ok(key), wanted) => {
                let text = format!("{asked}the leaf's key is RSA-{}", key.bits());
                self.add_by(Verdict::Passed, algorithm, text);
                if let Some(wanted) = wanted {
                    let broken = privyseal_core::Error::KeyMismatch.to_string();
                    self.judge(
                        key == *wanted,
                        ORDER,
                        "the leaf is for the given key",
                        broken,
                    );
                }
            }
        }
        if let Some(scheme) = scheme {
            self.key_usage(usages, scheme, asked);
            self.purpose(leaf, scheme, asked);
            self.organization(leaf, scheme, asked);
        }
    }

    fn key_usage(&mut self, usages: Option<KeyUsages>, scheme: &SchemeRules, asked: &str) {
        let wanted = scheme.leaf_key_usage();
        let names = |usages: &mut dyn Iterator<Item = KeyUsage>, glue| {
            usages.map(KeyUsage::name).collect::<Vec<_>>().join(glue)
        };
        let title = scheme.title();
        let accepted = names(&mut wanted.value().iter().copied(), " or ");
        let found = usages.map(|usages| names(&mut usages.iter(), ", "));
        let is_accepted = scheme.check_key_usages(usages.unwrap_or_default()).is_ok();
        let (verdict, text) = match (is_accepted, found) {
            (true, found) => (
                Verdict::Passed,
                format!(
                    "the leaf's key usage ({}) is as {title} accepts it",
                    found.unwrap_or_default()
                ),
            ),
            (false, Some(found)) => (
                Verdict::Broken,
                format!("the leaf's key usage ({found}) is not {accepted}, which {title} accepts"),
            ),
            // The CA decides.
            (false, None) if !asked.is_empty() => (
                Verdict::Note,
                format!("the leaf has no key usage; {title} accepts {accepted}"),
            ),
            (false, None) => (
                Verdict::Broken,
                format!("the leaf has no key usage, and {title} accepts {accepted} only"),
            ),
        };
        self.add_by(verdict, wanted.source(), format!("{asked}{text}"));
    }

    fn purpose(&mut self, leaf: &Certificate<'_>, scheme: &SchemeRules, asked: &str) {
        let title = scheme.title();
        let (verdict, text) = match scheme.check_leaf_purpose(Some(leaf)) {
            Ok(()) => (
                Verdict::Passed,
                format!("{asked}the leaf's extended key usage is as {title} accepts it"),
            ),
            Err(error) => (Verdict::Broken, format!("{asked}{error}")),
        };
        self.add_by(verdict, scheme.leaf_purposes().source(), text);
    }

    /// The party that the leaf names, where the scheme derives it.
    fn organization(&mut self, leaf: &Certificate<'_>, scheme: &SchemeRules, asked: &str) {
        let Some(source) = scheme.client_id_in_leaf() else {
            return;
        };
        let (verdict, text) = scheme.client_id_of_leaf(leaf).map_or_else(
            || {
                let why = why_none(leaf.subject().organization_identifier());
                (Verdict::Broken, why.to_string())
            },
            |id| (Verdict::Passed, format!("the leaf names the party {id}")),
        );
        self.add_by(verdict, source, format!("{asked}{text}"));
        let name = Name::from_der(leaf.subject().as_der()).unwrap_or_default();
        let count = attributes(&name, ORGANIZATION_IDENTIFIER).count();
        if count > 1 {
            let text = format!(
                "{asked}the leaf has {count} organizationIdentifiers: a receiver may read another than the first"
            );
            self.add_by(Verdict::Note, source, text);
        }
    }
}

/// x5c: its order, and the leaf's key as the one that signs.
const ORDER: &str = "RFC 7515 section 4.1.6";
const SIGNATURE: &str = "RFC 5280 section 6.1.3 (a)";
const ANCHOR: &str = "RFC 5280 section 6.1.1 (d)";

/// Where it is demanded that the key is RSA, and of what size.
pub(super) fn key_source(scheme: Option<&SchemeRules>) -> &'static str {
    scheme.map_or("RFC 7518 section 3.3", |scheme| {
        scheme.algorithms().source()
    })
}

/// The document and section of the rule that is broken.
pub(super) const fn source_of(error: &ChainError) -> &'static str {
    match error {
        ChainError::LeafIsCa | ChainError::NotCa { .. } | ChainError::PathLength { .. } => {
            "RFC 5280 section 4.2.1.9"
        }
        ChainError::CaKeyUsage { .. } => "RFC 5280 section 4.2.1.3",
        ChainError::CriticalExtension { .. } => "RFC 5280 section 4.2",
        ChainError::UnprocessedConstraints { .. } | ChainError::Constraints { .. } => {
            "RFC 5280 sections 4.2.1.10 and 4.2.1.11"
        }
        _ => SIGNATURE,
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
