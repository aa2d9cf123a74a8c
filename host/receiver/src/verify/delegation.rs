//! iSHARE's delegation evidence: what one party lets another do, as an authorization registry signs it.

use core::fmt::Write as _;

use privyseal::UnixTime;
use privyseal::base::display::escape_for_display;
use privyseal::report::Verdict;
use privyseal::schemes::ishare::{Expected, ResponseFault};
use serde_json::{Map, Value};

use super::VerifiedToken;

/// Judges a `delegation_token` by the rules of every iSHARE JWT, with the issuer and audience that `expected` names, and its
/// evidence: that it is valid at `now`, and about which party. Its policies are shown; what they let somebody do is for the
/// service to decide.
pub fn verify_delegation(token: &str, expected: &Expected<'_>, now: UnixTime) -> VerifiedToken {
    let mut verified = VerifiedToken::default();
    let (outcomes, claims) = expected.judge(token.trim(), now);
    for (rule, outcome) in outcomes {
        let outcome = outcome.map_err(|fault| match fault {
            ResponseFault::Claim { rule, .. } => rule.to_owned(),
            fault => fault.to_string(),
        });
        verified.judge(rule, outcome);
    }
    let Some(claims) = claims else {
        return verified;
    };
    if !expected.revocation.is_asked() {
        verified.leave_open("revocation", "nobody said by what it is judged");
    }
    let evidence = ["delegationEvidence", "delegation_evidence"];
    let evidence = evidence
        .iter()
        .find_map(|name| claims.get(*name)?.as_object());
    let evidence = evidence.ok_or("is missing").cloned();
    if let Some(evidence) = verified.judge("delegation evidence", evidence) {
        judge(&mut verified, &evidence, now);
    }
    verified.claims = Some(claims);
    verified
}

fn judge(verified: &mut VerifiedToken, evidence: &Map<String, Value>, now: UnixTime) {
    let moment = |name: &str| {
        let seconds = evidence.get(name).and_then(Value::as_u64)?;
        UnixTime::from_secs(seconds).ok()
    };
    let none = "is missing or no whole number of seconds";
    let begins = moment("notBefore").ok_or(none);
    let begins = begins.and_then(|it| (it <= now).then_some(()).ok_or("is still to come"));
    verified.judge("notBefore", begins);
    let ends = moment("notOnOrAfter").or_else(|| moment("notOnorAfter"));
    let ends = ends.ok_or(none);
    let ends = ends.and_then(|it| (now < it).then_some(()).ok_or("has passed"));
    verified.judge("notOnOrAfter", ends);
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        (!text.is_empty()).then_some(()).ok_or("is missing")
    };
    verified.judge("policyIssuer", text(evidence.get("policyIssuer")));
    let subject = evidence
        .get("target")
        .and_then(|it| it.get("accessSubject"));
    verified.judge("target.accessSubject", text(subject));
    let shown = |value: Option<&Value>| value.cloned().unwrap_or_default();
    let (issuer, subject) = (shown(evidence.get("policyIssuer")), shown(subject));
    let about = format!("policies of {issuer} about {subject}");
    let about = escape_for_display(&about);
    verified.report.add_rule(Verdict::Note, "policies", about);
    let sets = evidence.get("policySets").and_then(Value::as_array);
    let mut policies = Vec::new();
    for set in sets.into_iter().flatten().filter_map(Value::as_object) {
        let of_set = set.get("policies").and_then(Value::as_array);
        policies.extend(of_set.into_iter().flatten().map(|policy| (set, policy)));
    }
    let some = (!policies.is_empty()).then_some(()).ok_or("has no policy");
    verified.judge("policySets", some);
    for (set, policy) in policies {
        let rules = policy.get("rules").and_then(Value::as_array);
        let says = |rule: &Value| matches!(rule["effect"].as_str(), Some("Permit" | "Deny"));
        let are_rules = rules.is_some_and(|rules| !rules.is_empty() && rules.iter().all(says));
        let fault = "is missing, or an effect is neither Permit nor Deny";
        verified.judge("rules of a policy", are_rules.then_some(()).ok_or(fault));
        let mut text = format!("policy {policy}");
        for (name, value) in set.iter().filter(|(name, _)| *name != "policies") {
            // A text takes all that is written to it.
            let _ = write!(text, ", {name} {value}");
        }
        let text = escape_for_display(&text);
        verified.report.add_rule(Verdict::Note, "policy", text);
    }
}
