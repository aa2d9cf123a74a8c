//! Why a rule is broken, to the letter, and bounds: what is as long as may be, and one more.

use privyseal_check::{CheckOptions, Kind, Report, RuleId, Subject, Verdict, check};
use privyseal_core::cert::RsaLinks;
use privyseal_core::limits::{
    MAX_CHAIN_DER, MAX_CHECK_SCRATCH, MAX_COMPACT_JWS, MAX_JSON_MEMBERS, MAX_UNIX_TIME,
};
use privyseal_core::payload::AcrValues;
use privyseal_core::{SchemeRules, UnixTime, scheme};
use serde_json::json;

use crate::draft::{Draft, EORI};
use crate::pki::{NOW, chain, seal};

/// The verdict in words.
pub(crate) fn why(report: &Report, rule: RuleId) -> String {
    match report.verdict(rule) {
        Some(Verdict::Broken(why)) => why.to_string(),
        Some(Verdict::NotChecked(why)) => format!("not checked: {why}"),
        other => format!("{other:?}"),
    }
}

fn bare(token: &str, scratch: usize) -> Report {
    let options = CheckOptions::at(UnixTime::from_secs(NOW).unwrap(), &RsaLinks);
    check(token, &options, &mut vec![0; scratch])
}

#[test]
fn jws_form_is_bounded_by_the_limit_and_the_scratch() {
    for (len, scratch, max) in [
        (MAX_COMPACT_JWS + 1, MAX_CHECK_SCRATCH, MAX_COMPACT_JWS),
        (31, 90, 30),
    ] {
        let said = why(&bare(&"A".repeat(len), scratch), RuleId::JwsForm);
        assert!(said.contains(&len.to_string()), "{said}");
        assert!(said.contains(&max.to_string()), "{said}");
    }
}

#[test]
fn a_jwe_has_five_parts_and_enc() {
    const ENC: &str = "eyJlbmMiOiJBMjU2R0NNIn0";
    let kind = |token: &str| bare(token, MAX_CHECK_SCRATCH).kind;
    assert_eq!(kind(&format!("{ENC}.a2V5.aXY.Y3Q.dGFn")), Kind::Encrypted);
    assert_eq!(kind(&format!("{ENC}.a2V5.aXY.Y3Q")), Kind::Assertion);
    assert_eq!(kind("e30.a2V5.aXY.Y3Q.dGFn"), Kind::Assertion);
}

#[test]
fn payload_json_has_a_bound_of_members() {
    let mut draft = Draft::of(&scheme::FIAM);
    let mut broken_with = |count: usize| {
        while draft.claims.as_object().unwrap().len() < count {
            let name = format!("m{}", draft.claims.as_object().unwrap().len());
            draft.claims[name] = json!(0);
        }
        draft.broken()
    };
    assert_eq!(broken_with(MAX_JSON_MEMBERS), [""; 0]);
    assert_eq!(broken_with(MAX_JSON_MEMBERS + 1), ["payload-json"]);
}

#[test]
fn claim_exp_is_a_moment_up_to_the_year_9999() {
    let mut draft = Draft::of(&scheme::FIAM);
    draft.claims["exp"] = json!(MAX_UNIX_TIME);
    assert_eq!(draft.broken(), ["lifetime"]);
    draft.claims["exp"] = json!(MAX_UNIX_TIME + 1);
    assert_eq!(draft.broken(), ["claim-exp"]);
}

#[test]
fn another_json_type_is_named() {
    let mut draft = Draft::of_request();
    for (value, found) in [
        (json!(null), "null"),
        (json!(true), "a boolean"),
        (json!(1), "a number"),
        (json!("{}"), "a string"),
        (json!([]), "an array"),
    ] {
        draft.claims["claims"] = value;
        let said = why(&draft.report(), RuleId::RequestClaims);
        assert_eq!(said, format!("is {found}, not an object"));
    }
    draft.claims["iss"] = json!({});
    let said = why(&draft.report(), RuleId::ClaimIss);
    assert_eq!(said, "is an object, not a string");
}

#[test]
fn claim_aud_says_what_it_is() {
    let mut draft = Draft::of(&scheme::ITSME);
    for (aud, found) in [(json!(1), "a number"), (json!([1]), "an array")] {
        draft.claims["aud"] = aud;
        let said = why(&draft.report(), RuleId::ClaimAud);
        assert_eq!(said, format!("is {found}, not one string"));
    }
}

/// The issuer in a request, an endpoint in an assertion: each demanded by a text of its own.
#[test]
fn a_request_has_sources_of_its_own() {
    let (request, assertion) = (Draft::of_request(), Draft::of(&scheme::ITSME));
    for rule in [RuleId::ClaimAud, RuleId::Lifetime] {
        let [own, other] = [&request, &assertion].map(|draft| {
            let report = draft.report();
            let mut findings = report.findings().iter();
            findings.find(|it| it.rule == rule).unwrap().source
        });
        assert_ne!(own, other, "{rule}");
    }
}

/// A rule whose moment is not there was not judged.
#[test]
fn moments_that_are_absent() {
    let mut request = Draft::of_request();
    request.without("nbf");
    let said = why(&request.report(), RuleId::NotFuture);
    assert_eq!(said, "not checked: needs claim-nbf");
    let mut draft = Draft::of(&scheme::EHEALTH);
    draft.claims["nbf"] = draft.claims["iat"].clone();
    draft.without("iat");
    let said = why(&draft.report(), RuleId::ClaimNbf);
    assert_eq!(said, "not checked: iat, which it must equal, is absent");
}

#[test]
fn header_alg_none_is_said_to_be_no_signature() {
    let mut draft = Draft::of(&scheme::ISHARE);
    draft.header["alg"] = json!("none");
    let said = why(&draft.report(), RuleId::HeaderAlg);
    assert_eq!(said, "is none: the token is not signed");
}

#[test]
fn request_acr_values_that_are_known_are_taken() {
    let mut draft = Draft::of_request();
    for acr in AcrValues::ALL {
        draft.claims["acr_values"] = json!(acr.name());
        assert_eq!(draft.broken(), [""; 0]);
    }
}

#[test]
fn x5c_certificates_are_bounded_together() {
    let mut draft = Draft::of(&scheme::ISHARE);
    // Serial numbers differ in length: until it fits.
    let mut fill = |total: usize| {
        let (mut spec, mut found) = (seal(), 0);
        spec.padding = 8192;
        while found != total {
            let chain = chain(&spec);
            found = chain.iter().map(Vec::len).sum();
            spec.padding = spec.padding + total - found;
            draft.certificates(&chain);
        }
        draft.broken()
    };
    assert_eq!(fill(MAX_CHAIN_DER), [""; 0]);
    assert_eq!(fill(MAX_CHAIN_DER + 1), ["x5c-certificates"]);
}

/// Requests and hints are itsme's, whoever they are for; a hint has two members, and is from nobody.
#[test]
fn a_login_hint_shows_what_a_token_is() {
    let guessed = |draft: &Draft| {
        let report = draft.report();
        (report.scheme.map(SchemeRules::name), report.kind)
    };
    let mut request = Draft::of_request();
    request.scheme = None;
    request.claims["aud"] = json!("someone");
    assert_eq!(guessed(&request), (Some("itsme"), Kind::Request));
    let mut hint = Draft::of_hint();
    hint.scheme = None;
    assert_eq!(guessed(&hint), (Some("itsme"), Kind::LoginHint));
    let mut from = hint.clone();
    from.claims["iss"] = json!("x");
    assert_eq!(guessed(&from).1, Kind::Assertion);
    hint.without("value");
    assert_eq!(guessed(&hint).1, Kind::Assertion);
}

/// An EORI number is in no certificate: nothing to judge, so the rules are kept.
#[test]
fn a_rule_with_nothing_to_judge_is_kept() {
    let mut draft = Draft::of(&scheme::ISHARE);
    draft.claims["iss"] = json!(EORI);
    draft.claims["sub"] = json!(EORI);
    let report = draft.report();
    let said = why(&report, RuleId::ClientIdInLeaf);
    assert_eq!(said, "not checked: an EORI is not in the certificate");
    let verdict = report.outcome(Subject::Rules).unwrap();
    assert_eq!(verdict.as_str(), "passed");
    assert_eq!(
        report.verdict(RuleId::Replay).map(|it| it.as_str()),
        Some("not checked")
    );
}
