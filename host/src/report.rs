//! What is found out about keys, chains and tokens.
//!
//! Each report is a list of [`Finding`]s with what it is about beside it. All are printed, and written as
//! JSON, in one way.

mod chain;
mod compact;
mod content;
pub mod html;
mod keys;
mod pasted;
mod published;
mod redact;
mod request;
mod self_test;
mod token;

use core::fmt;

use privyseal_core::named;
use serde::{Serialize, Serializer};

pub use chain::{CertificateReport, ChainCheckOptions, ChainReport, WARN_DAYS};
pub use content::CertificateContent;
pub use keys::{CertificateEntry, KeyCheckOptions, KeyEntry, KeyReport};
#[cfg(feature = "pkcs11")]
pub use keys::{ModuleScan, TokenScan};
pub use privyseal_check::Subject;
pub use published::PublishedKeys;
pub use request::RequestReport;
pub use self_test::self_test;
pub use token::{Demand, ReceiverReport, TokenCheckOptions, TokenReport};

named! {
    /// How one thing came out, with the word for it in reports and JSON.
    #[non_exhaustive]
    pub enum Verdict {
        /// The rule holds.
        Passed = "passed",
        /// The rule is broken.
        Broken = "broken",
        /// No rule, or one that could not be judged here: worth knowing.
        Note = "note",
        /// A rule of a token that could not be judged: that is neither good nor bad.
        NotChecked = "not checked",
    }
}

/// One thing that was looked at, and how it came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How it came out.
    pub verdict: Verdict,
    /// The name of the rule, for rules that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// What was found, as one clause. A named rule that holds needs no words.
    pub text: Option<String>,
    /// The document and section that the rule is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
}

/// What was found, in the order in which it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// The findings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How much is broken.
    pub fn broken(&self) -> usize {
        let broken = |finding: &&Finding| finding.verdict == Verdict::Broken;
        self.findings.iter().filter(broken).count()
    }

    /// Adds what was found, as one clause.
    pub fn add(&mut self, verdict: Verdict, text: impl Into<String>) {
        self.findings.push(Finding {
            verdict,
            rule: None,
            text: Some(text.into()),
            source: None,
        });
    }

    /// The same by the rule in `source`: a document and section, which the text that ends in it says once.
    pub fn add_by(&mut self, verdict: Verdict, source: &'static str, text: impl Into<String>) {
        let text = text.into();
        let end = format!(" ({source})");
        let text = text.strip_suffix(&end).map(str::to_owned).unwrap_or(text);
        self.findings.push(Finding {
            verdict,
            rule: None,
            text: Some(text),
            source: Some(source),
        });
    }

    /// The same about a rule of that name.
    pub fn add_rule(&mut self, verdict: Verdict, rule: &'static str, text: impl Into<String>) {
        self.findings.push(Finding {
            verdict,
            rule: Some(rule),
            text: Some(text.into()),
            source: None,
        });
    }

    /// The same, in words.
    fn broken_in_words(&self) -> String {
        match self.broken() {
            1 => "1 rule is broken".to_owned(),
            count => format!("{count} rules are broken"),
        }
    }

    fn judge(
        &mut self,
        holds: bool,
        source: &'static str,
        passed: impl Into<String>,
        broken: impl Into<String>,
    ) {
        if holds {
            self.add_by(Verdict::Passed, source, passed);
        } else {
            self.add_by(Verdict::Broken, source, broken);
        }
    }
}

impl FromIterator<Finding> for Report {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        let findings = findings.into_iter().collect();
        Self { findings }
    }
}

impl IntoIterator for Report {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.findings.into_iter()
    }
}

impl Extend<Finding> for Report {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        self.findings.extend(findings);
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One line: the verdict, the named rule, what was found, and where the rule is from.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, text) = (self.verdict.name(), self.text.as_deref());
        match (self.rule, self.source) {
            (Some(rule), Some(source)) => {
                write!(f, "{verdict:<12}{rule:<28}")?;
                text.map_or(Ok(()), |text| write!(f, "{text} "))?;
                write!(f, "({source})")
            }
            (_, source) => {
                write!(f, "{verdict:<7} {}", text.unwrap_or_default())?;
                source.map_or(Ok(()), |source| write!(f, " ({source})"))
            }
        }
    }
}

/// A line for each finding.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut findings = self.findings.iter();
        findings.try_for_each(|finding| writeln!(f, "{finding}"))
    }
}

/// A member that is written as it is shown: a moment, a key.
fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
