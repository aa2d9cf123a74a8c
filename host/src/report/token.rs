//! What can be said about a finished token: the spec view of its scheme, and the view of the receivers
//! that exist.

use core::fmt;

use privyseal_check::receivers::Opinion;
use privyseal_check::{
    CheckOptions, Kind, Reason, Registry, Revocations, RuleId, Subject, Verdict as Judgement,
    Violation, check,
};
use privyseal_core::cert::{Certificate, Chain};
use privyseal_core::{Audience, SchemeRules, UnixTime};
use serde::Serialize;
use serde_json::{Value, json};

use super::pasted::Pasted;
use super::redact::without_tokens;
use super::{Finding, Report, Verdict};
use crate::jose::jwk::KeySet;
use crate::pki::certificates::Certificates;
use crate::pki::links::HostLinks;
use crate::pki::path::PathOptions;
use crate::pki::revocation::{RevocationCheck, RevocationOptions};

/// A token, judged at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenReport {
    /// The moment for which it was judged.
    pub now: UnixTime,
    /// What the token was taken out of, if something was around it: an `Authorization` header, a form, JSON.
    pub found_in: Option<String>,
    /// Every rule and every receiver.
    pub report: privyseal_check::Report,
}

/// What to judge a token by.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct TokenCheckOptions<'a> {
    /// The moment.
    pub now: UnixTime,
    /// The scheme; `None` to guess it from the content.
    pub scheme: Option<&'static SchemeRules>,
    /// Who the receiver is, if that is known.
    pub audience: Option<Audience<'a>>,
    /// The issuer's keys, for schemes that name a key by `kid`.
    pub keys: Option<&'a KeySet>,
    /// Certificates that are trusted.
    pub trust: Option<&'a Certificates>,
    /// By what revocation is judged.
    pub revocation: RevocationOptions<'a>,
    /// What the scheme's registry says, if it was asked.
    pub registry: Option<&'a dyn Registry>,
}

impl TokenCheckOptions<'_> {
    /// A moment, a scheme to be guessed, and nothing else to go by.
    pub fn at(now: UnixTime) -> Self {
        Self {
            now,
            scheme: None,
            audience: None,
            keys: None,
            trust: None,
            revocation: RevocationOptions::default(),
            registry: None,
        }
    }
}

privyseal_core::opaque_debug! {
    [] TokenCheckOptions<'_> as it: now, scheme = it.scheme.map(SchemeRules::name), audience;
}

/// Trusted certificates, to which chains are proved by RFC 5280 section 6.1, beside what a registry says of parties.
struct Trust<'a> {
    anchors: &'a Certificates,
    now: UnixTime,
    registry: Option<&'a dyn Registry>,
}

impl Registry for Trust<'_> {
    fn trusts(&self, chain: &Chain<'_>) -> Judgement {
        let ders = chain
            .certificates()
            .iter()
            .map(|certificate| certificate.as_der().to_vec());
        let certificates = Certificates::from(ders.collect::<Vec<_>>());
        match certificates.prove(
            self.anchors,
            &PathOptions::at(self.now),
            RevocationOptions::default(),
        ) {
            Ok(_) => Judgement::Passed,
            Err(error) => Judgement::Broken(Violation::Text(error.text())),
        }
    }

    fn party(&self, client_id: &str, leaf: &Certificate<'_>) -> Judgement {
        let not_asked = Judgement::NotChecked(Reason::Because("the registry was not asked"));
        self.registry
            .map_or(not_asked, |registry| registry.party(client_id, leaf))
    }
}

impl TokenReport {
    /// Judges the token that a person pasted, perhaps with what it was sent in: that is [`TokenReport::found_in`].
    pub fn of_pasted(text: &str, options: TokenCheckOptions<'_>) -> Self {
        let Pasted { token, found_in } = Pasted::read(text);
        Self {
            found_in,
            ..Self::new(&token, options)
        }
    }

    /// Judges `token`; white space around it does not count.
    pub fn new(token: &str, options: TokenCheckOptions<'_>) -> Self {
        let token = token.trim();
        let keys = options.keys.map(KeySet::known_keys);
        let anchors = options.trust.map(|trust| trust.iter().collect::<Vec<_>>());
        let trust = options.trust.map(|anchors| Trust {
            anchors,
            now: options.now,
            registry: options.registry,
        });
        let mut asked = CheckOptions {
            scheme: options.scheme,
            audience: options.audience,
            keys: keys.as_deref(),
            anchors: anchors.as_deref(),
            registry: trust
                .as_ref()
                .map(|trust| trust as &dyn Registry)
                .or(options.registry),
            ..CheckOptions::at(options.now, &HostLinks)
        };
        // The core asks for three times the token, and refuses one that is too long by itself.
        let mut scratch = vec![0; token.len().saturating_mul(3)];
        let mut revocations = options.revocation.at(options.now);
        if options.revocation.fetch.is_some() {
            // Nobody is asked for a token that no key of the chain signed, or where a chain points that is not trusted.
            let judged = check(token, &asked, &mut scratch);
            let is_proved = [RuleId::Signature, RuleId::ChainTrusted]
                .into_iter()
                .all(|rule| judged.verdict(rule) == Some(Judgement::Passed));
            if !is_proved {
                revocations = revocations.map(RevocationCheck::without_fetching);
            }
        }
        asked.revocations = revocations.as_ref().map(|check| check as &dyn Revocations);
        Self {
            now: options.now,
            found_in: None,
            report: check(token, &asked, &mut scratch),
        }
    }

    /// How many rules of the scheme are broken.
    pub fn broken(&self) -> usize {
        self.report.broken().count()
    }

    /// What was not judged although the rules are kept only if it holds: the first of these subjects, and why.
    pub fn not_judged(&self, subjects: &[Subject]) -> Option<(Subject, String)> {
        subjects.iter().find_map(|&subject| {
            let outcome = self.report.outcome(subject)?;
            let not_checked = matches!(outcome, Judgement::NotChecked(_));
            Some((subject, text(&outcome)?)).filter(|_| not_checked)
        })
    }

    /// How it came out, in one line.
    pub fn headline(&self) -> String {
        let open = self.not_judged(&[Subject::Rules, Subject::Trust]);
        let open = open.map(|(subject, _)| format!("; {subject}: not judged"));
        match (self.broken(), self.report.scheme) {
            _ if self.report.kind == Kind::Encrypted => {
                "a JWE: it is encrypted, and nothing but its header can be read".to_owned()
            }
            (0, Some(scheme)) => format!("obeys {}{}", scheme.title(), open.unwrap_or_default()),
            (0, None) => "a JWS, of no scheme that the content points at".to_owned(),
            _ => self.findings().broken_in_words(),
        }
    }

    /// By whose rules.
    pub(super) fn rules(&self) -> String {
        match self.report.scheme.map(SchemeRules::title) {
            Some(title) if self.report.is_guess => format!("{title} (a guess from the content)"),
            Some(title) => title.to_owned(),
            None => "no scheme that the content points at".to_owned(),
        }
    }

    /// Every rule and how it came out.
    pub(super) fn findings(&self) -> Report {
        let findings = self.report.findings().iter();
        findings
            .map(|finding| Finding {
                verdict: verdict(&finding.verdict),
                rule: Some(finding.rule.name()),
                text: text(&finding.verdict),
                source: Some(finding.source),
            })
            .collect()
    }

    pub(super) fn outcome(&self, subject: Subject) -> Option<Verdict> {
        self.report.outcome(subject).as_ref().map(verdict)
    }

    /// The report as JSON (`docs/check.md` has the schema).
    pub fn to_json(&self) -> Value {
        let report = &self.report;
        let receivers = report.opinions().iter().map(ReceiverReport::new);
        json!({
            "obeys": report.scheme.is_some() && self.broken() == 0,
            "scheme": report.scheme.map(SchemeRules::name),
            "scheme_guessed": report.is_guess,
            "kind": report.kind.name(),
            "found_in": self.found_in,
            "now": self.now.to_string(),
            "rules": self.outcome(Subject::Rules),
            "trust": self.outcome(Subject::Trust),
            "party": self.outcome(Subject::Party),
            "revocation": self.outcome(Subject::Revocation),
            "replay": self.outcome(Subject::Replay),
            "findings": self.findings(),
            "receivers": receivers.collect::<Vec<_>>(),
        })
    }
}

/// What one receiver would do with a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReceiverReport {
    /// The receiver.
    pub name: &'static str,
    /// Whether it refuses the token.
    pub refuses: bool,
    /// What it demands.
    pub demands: Vec<Demand>,
}

/// One demand of a receiver, and how it came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Demand {
    /// What is demanded.
    pub demand: String,
    /// How it came out.
    pub verdict: Verdict,
    /// Why it is broken or was not checked.
    pub text: Option<String>,
}

impl ReceiverReport {
    pub(super) fn new(opinion: &Opinion) -> Self {
        let demands = opinion.outcomes.iter();
        Self {
            name: opinion.receiver.name,
            refuses: opinion.refuses(),
            demands: demands
                .map(|(demand, outcome)| Demand {
                    demand: demand.to_string(),
                    verdict: verdict(outcome),
                    text: text(outcome),
                })
                .collect(),
        }
    }
}

const fn verdict(judgement: &Judgement) -> Verdict {
    match judgement {
        Judgement::Passed => Verdict::Passed,
        Judgement::Broken(_) => Verdict::Broken,
        Judgement::NotChecked(_) => Verdict::NotChecked,
    }
}

/// Why it is broken or was not checked.
fn text(judgement: &Judgement) -> Option<String> {
    match judgement {
        Judgement::Broken(violation) => Some(without_tokens(&violation.to_string())),
        Judgement::NotChecked(reason) => Some(without_tokens(&reason.to_string())),
        Judgement::Passed => None,
    }
}

impl TokenReport {
    /// One line; which rules are broken stands above.
    fn write_outcome(&self, f: &mut fmt::Formatter<'_>, subject: Subject) -> fmt::Result {
        let (name, outcome) = (subject.name(), self.report.outcome(subject));
        match outcome {
            None => Ok(()),
            Some(Judgement::NotChecked(reason)) => writeln!(f, "not checked {name:<12}{reason}"),
            Some(outcome) => writeln!(f, "{:<12}{name}", verdict(&outcome).name()),
        }
    }
}

impl fmt::Display for TokenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        writeln!(f, "result    {}", self.headline())?;
        writeln!(f, "token     {}", report.kind.name())?;
        if let Some(place) = &self.found_in {
            writeln!(f, "found in  {place}")?;
        }
        writeln!(f, "rules     {}", self.rules())?;
        writeln!(f, "moment    {}\n", self.now)?;
        write!(f, "{}", self.findings())?;
        if !report.opinions().is_empty() {
            writeln!(f, "\nreceivers, by their source code")?;
        }
        for opinion in report.opinions() {
            write!(f, "{}", ReceiverReport::new(opinion))?;
        }
        if report.scheme.is_some() {
            writeln!(f, "\neach judged by itself")?;
            for subject in Subject::ALL {
                self.write_outcome(f, subject)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ReceiverReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.refuses { "refuses" } else { "accepts" };
        writeln!(f, "{word:<12}{}", self.name)?;
        for demand in &self.demands {
            if let Some(text) = &demand.text {
                let verdict = demand.verdict.name();
                writeln!(f, "  {verdict:<12}{}: {text}", demand.demand)?;
            }
        }
        Ok(())
    }
}
