//! The spec view: the scheme's own text.

mod chain;
mod claims;
mod header;
mod key;
mod request;
mod time;

use super::CheckOptions;
use super::facts::{Claims, Facts, Header};
use super::guess::Kind;
use super::report::Report;
use super::rule::RuleId;
use super::verdict::{Verdict, Violation, ensure};
use privyseal_core::cert::{Chain, ChainError};
use privyseal_core::field::Fault;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::RsaPublicKey;
use privyseal_core::scheme::{KeyReference, SchemeRules};

use chain::ordered;

/// Judges the claims of a client assertion, and nothing else.
pub(super) fn judge_claims(facts: &Facts<'_>, question: &CheckOptions<'_>, report: &mut Report) {
    report.put(RuleId::JwsForm, FORM, facts.form);
    payload(facts, report);
    if let Some(judge) = Judge::new(facts, question, report) {
        judge.assertion(report);
    }
}

/// Judges all but the claims, of which `iss` is known; by which algorithm and key, and of which chain.
pub(super) fn judge_header<'t>(
    facts: &Facts<'t>,
    iss: &str,
    question: &CheckOptions<'_>,
    report: &mut Report,
) -> Option<(Option<Algorithm>, Option<RsaPublicKey>, Option<Chain<'t>>)> {
    header(facts, report);
    let judge = Judge::new(facts, question, report)?;
    judge.who_signed(report);
    judge.in_leaf(Some(iss), &[RuleId::X5cCertificates], report);
    let key = judge.key().and_then(Result::ok);
    Some((judge.algorithm(), key, judge.ordered.ok()))
}

/// Judges every rule that applies, in their order.
pub(super) fn judge(facts: &Facts<'_>, question: &CheckOptions<'_>, report: &mut Report) {
    header(facts, report);
    payload(facts, report);
    let Some(judge) = Judge::new(facts, question, report) else {
        return;
    };
    judge.who_signed(report);
    match judge.kind {
        Kind::Assertion | Kind::Encrypted => judge.assertion(report),
        Kind::Request => {
            judge.issuer(report);
            judge.audience(report);
            judge.moments(report);
            judge.request(report);
        }
        Kind::LoginHint => judge.login_hint(report),
    }
}

/// Everything that a rule may look at.
struct Judge<'a, 't> {
    facts: &'a Facts<'t>,
    question: &'a CheckOptions<'a>,
    scheme: &'static SchemeRules,
    kind: Kind,
    /// The certificates in their one order.
    ordered: Result<Chain<'t>, ChainError>,
}

impl<'a, 't> Judge<'a, 't> {
    /// `None` where no scheme is known.
    fn new(facts: &'a Facts<'t>, question: &'a CheckOptions<'a>, report: &Report) -> Option<Self> {
        Some(Self {
            facts,
            question,
            scheme: report.scheme?,
            kind: report.kind,
            ordered: ordered(facts.certificates(), question.links),
        })
    }

    /// The header, and the key that signed.
    fn who_signed(&self, report: &mut Report) {
        self.header(report);
        match self.scheme.key_reference().value() {
            KeyReference::X5cWithRoot => {
                self.x5c(report);
                self.chain(report);
                self.signature(report);
                self.trust(report);
            }
            KeyReference::X5tS256 | KeyReference::Kid => {
                self.key_name(report);
                self.signature(report);
            }
        }
    }

    /// The claims of a client assertion.
    fn assertion(&self, report: &mut Report) {
        self.who(report);
        self.audience(report);
        self.moments(report);
    }

    /// Judges a rule about the header.
    fn on_header(
        &self,
        report: &mut Report,
        rule: RuleId,
        source: &'static str,
        needs: &[RuleId],
        judge: impl FnOnce(&'a Header<'t>) -> Result<(), Violation>,
    ) {
        match self.facts.header() {
            Some(header) => report.put_after(rule, source, needs, || judge(header)),
            None => report.put_after(rule, source, &[RuleId::HeaderJson], || Verdict::Passed),
        }
    }

    /// Judges a rule about the payload.
    fn on_claims(
        &self,
        report: &mut Report,
        rule: RuleId,
        source: &'static str,
        needs: &[RuleId],
        judge: impl FnOnce(&'a Claims<'t>) -> Result<(), Violation>,
    ) {
        match self.facts.claims() {
            Some(claims) => report.put_after(rule, source, needs, || judge(claims)),
            None => report.put_after(rule, source, &[RuleId::PayloadJson], || Verdict::Passed),
        }
    }
}

const FORM: &str = "RFC 7515 section 7.1: compact serialization";
const PAYLOAD: &str = "RFC 7519 section 4: a JSON object whose member names are unique";

/// The form of a compact JWS, and its header.
fn header(facts: &Facts<'_>, report: &mut Report) {
    const HEADER: &str = "RFC 7515 section 4: a JSON object whose member names are unique";
    report.put(RuleId::JwsForm, FORM, facts.form);
    let form = [RuleId::JwsForm];
    let header = facts.header.as_ref().map(|_| ()).map_err(|&why| why);
    report.put_after(RuleId::HeaderJson, HEADER, &form, || header);
}

fn payload(facts: &Facts<'_>, report: &mut Report) {
    let claims = facts.claims.as_ref().map(|_| ()).map_err(|&why| why);
    report.put_after(RuleId::PayloadJson, PAYLOAD, &[RuleId::JwsForm], || claims);
}

/// At most `max` characters.
fn at_most(text: &str, max: usize) -> Result<(), Violation> {
    let len = text.chars().count();
    ensure(len <= max, Fault::TooLong { len, max })
}

/// Not of the form it should have.
const fn form_is(expected: &'static str) -> Violation {
    Violation::Fault(Fault::Form { expected })
}
