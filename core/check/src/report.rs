//! What came out.

use heapless::Vec;

use super::guess::Kind;
use super::receivers::{Opinion, Opinions};
use super::rule::{RuleId, Subject};
use super::verdict::{Reason, Verdict};
use privyseal_core::scheme::SchemeRules;

/// The most rules that one token is judged by.
const MAX_FINDINGS: usize = RuleId::ALL.len();

/// One rule, how it came out, and where it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How it came out.
    pub verdict: Verdict,
    /// The document and section that demand it.
    pub source: &'static str,
}

/// Every rule of the spec view, and the receivers' opinions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The scheme whose rules were applied; `None` where none was named and the content points at none:
    /// then only the rules of a JWS were judged.
    pub scheme: Option<&'static SchemeRules>,
    /// Whether the scheme was guessed from the content.
    pub is_guess: bool,
    /// What the token is.
    pub kind: Kind,
    findings: Vec<Finding, MAX_FINDINGS>,
    pub(super) opinions: Opinions,
}

impl Report {
    pub(super) const fn new(
        scheme: Option<&'static SchemeRules>,
        is_guess: bool,
        kind: Kind,
    ) -> Self {
        Self {
            scheme,
            is_guess,
            kind,
            findings: Vec::new(),
            opinions: Opinions::new(),
        }
    }

    /// Every rule that was judged, in the order of [`RuleId`].
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What each receiver that this token may meet would do.
    pub fn opinions(&self) -> &[Opinion] {
        &self.opinions
    }

    /// The rules that are broken.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| matches!(finding.verdict, Verdict::Broken(_)))
    }

    /// How the rules about a subject came out together: broken if one is, passed if all are, and not checked if one
    /// was not, for the reason of the first. `None` where the scheme has no rule about it, or none that can be judged.
    pub fn outcome(&self, subject: Subject) -> Option<Verdict> {
        let about = |finding: &&Finding| finding.rule.subject() == subject;
        let mut outcome = None;
        for finding in self.findings.iter().filter(about) {
            match (finding.verdict, outcome) {
                (broken @ Verdict::Broken(_), _) => return Some(broken),
                // A rule of the scheme that has nothing to judge in this token is kept.
                (Verdict::NotChecked(Reason::Because(_)), _) if subject == Subject::Rules => {}
                (_, Some(Verdict::NotChecked(_))) => {}
                (verdict, _) => outcome = Some(verdict),
            }
        }
        outcome
    }

    /// How a rule came out; `None` where the scheme has no such rule.
    pub fn verdict(&self, rule: RuleId) -> Option<Verdict> {
        self.findings
            .iter()
            .find(|finding| finding.rule == rule)
            .map(|finding| finding.verdict)
    }

    /// Records a verdict. There are no more rules than room for them.
    pub(super) fn put(&mut self, rule: RuleId, source: &'static str, verdict: impl Into<Verdict>) {
        let verdict = verdict.into();
        let _ = self.findings.push(Finding {
            rule,
            verdict,
            source,
        });
    }

    /// Records what `judge` says, if all of `needs` hold.
    pub(super) fn put_after<V: Into<Verdict>>(
        &mut self,
        rule: RuleId,
        source: &'static str,
        needs: &[RuleId],
        judge: impl FnOnce() -> V,
    ) {
        let is_open = |&&need: &&RuleId| self.verdict(need) != Some(Verdict::Passed);
        let verdict = match needs.iter().find(is_open) {
            Some(&need) => Verdict::NotChecked(Reason::Needs(need)),
            None => judge().into(),
        };
        self.put(rule, source, verdict);
    }
}
