use privyseal_core::payload::AcrValues;
use serde_json::json;

use super::*;

const ISSUER: &str = "https://idp.example/v2";
const NOW: u64 = 1_800_000_000;
/// The access token of RFC 7636's style of examples; its hash was computed with openssl.
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
/// OpenID Connect Core appendix A.3 has this token and this hash.
const AT_HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";

fn rules() -> IdTokenRules<'static> {
    IdTokenRules {
        client_id: "client-1",
        not_before: Some(NOW - 60),
        access_token: ACCESS_TOKEN,
        auth_req_id: Some("1c266114"),
        nonce: None,
        acr: AskedAcr::default(),
        waits: false,
    }
}

fn good() -> Value {
    json!({
        "iss": "https://idp.example/v2", "aud": "client-1", "sub": "6g2k9rgglem2dttw5d51",
        "iat": NOW - 1, "exp": NOW + 300, "at_hash": AT_HASH, AUTH_REQ_ID: "1c266114",
        "nonce": "n", "azp": "client-1",
    })
}

/// `good` with some members changed, or left out where the new value is null.
fn with(changes: &Value) -> Value {
    let mut claims = good();
    for (name, value) in changes.as_object().unwrap() {
        let claims = claims.as_object_mut().unwrap();
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn judge(claims: &Value, rules: &IdTokenRules<'_>) -> Result<Map<String, Value>, String> {
    let jws = VerifiedJws::of_payload(claims.to_string().as_bytes());
    super::judge(&jws, ISSUER, UnixTime::from_secs(NOW).unwrap(), rules)
        .map_err(|error| error.to_string())
}

#[test]
fn good_id_tokens() {
    for changes in [
        json!({}),
        json!({"aud": ["client-1"]}),
        json!({"aud": ["client-1", "client-1"]}),
        json!({"azp": null, "at_hash": null, AUTH_REQ_ID: null, "nonce": null}),
        json!({"exp": NOW - 9}),
        json!({"iat": NOW + 10}),
        json!({"iat": NOW - 60}),
    ] {
        let claims = judge(&with(&changes), &rules()).unwrap();
        assert_eq!(claims["sub"], "6g2k9rgglem2dttw5d51");
    }
    let with_nonce = IdTokenRules {
        nonce: Some("n"),
        ..rules()
    };
    judge(&good(), &with_nonce).unwrap();
}

/// Each rule broken alone: the message names the claim, the rule and where it is from.
#[test]
fn every_rule_broken_alone() {
    for (changes, words) in [
        (json!({"iat": NOW - 61}), "iat is 1 s before the request"),
        (
            json!({"iss": "https://evil.example"}),
            "iss is https://evil.example, not",
        ),
        (json!({"iss": "https://idp.example/v2/"}), "iss is"),
        (json!({"iss": null}), "iss is missing"),
        (json!({"aud": "client-2"}), "aud does not name client-1"),
        (json!({"aud": null}), "aud is missing"),
        (json!({"aud": ["client-1", "client-2"]}), "aud names others"),
        (
            json!({"azp": "client-2"}),
            "azp is client-2, not this client",
        ),
        (json!({"azp": 1}), "azp is no string"),
        (
            json!({"exp": NOW - 10}),
            "exp says that it expired 10 s ago",
        ),
        (json!({"exp": null}), "exp is missing"),
        (json!({"exp": "soon"}), "exp is not a number"),
        (json!({"iat": NOW + 11}), "iat is 11 s ahead"),
        (json!({"iat": null}), "iat is missing"),
        (json!({"sub": null}), "sub is not 1 to 255"),
        (json!({"sub": ""}), "sub is not 1 to 255"),
        (json!({"sub": "x".repeat(256)}), "sub is not 1 to 255"),
        (
            json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RA"}),
            "at_hash is not that of the access token",
        ),
        (json!({"at_hash": 7}), "at_hash is not"),
        (
            json!({AUTH_REQ_ID: "other"}),
            "auth_req_id is not that of the request",
        ),
    ] {
        let error = judge(&with(&changes), &rules()).unwrap_err();
        assert!(error.contains(words), "{changes}: {error}");
        assert!(!error.contains(ACCESS_TOKEN));
    }
    for nonce in [json!(null), json!("other")] {
        let rules = IdTokenRules {
            nonce: Some("n"),
            ..rules()
        };
        let error = judge(&with(&json!({ "nonce": nonce })), &rules).unwrap_err();
        assert!(
            error.contains("nonce is not the one that was sent"),
            "{error}"
        );
    }
}

#[test]
fn userinfo_is_of_the_same_person() {
    let id_token = good().as_object().unwrap().clone();
    let judge = |claims: Value| {
        let claims = claims.as_object().unwrap();
        jws::judge_userinfo(claims, ISSUER, "client-1", false)
            .and_then(|()| judge_person(claims, Some(&id_token), AskedAcr::default()))
            .map_err(|error| error.to_string())
    };
    let sub = "6g2k9rgglem2dttw5d51";
    judge(json!({"sub": sub, "name": "J"})).unwrap();
    judge(json!({"sub": sub, "iss": "https://idp.example/v2", "aud": ["client-1"]})).unwrap();
    for (claims, words) in [
        (json!({"name": "J"}), "sub is not 1 to 255"),
        (
            json!({"sub": "other"}),
            "sub is another than that of the id_token",
        ),
        (
            json!({"sub": sub, "iss": "https://evil.example"}),
            "iss is https://evil.example, not ",
        ),
        (
            json!({"sub": sub, "aud": "client-2"}),
            "aud does not name client-1",
        ),
    ] {
        let error = judge(claims).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

/// The URLs of itsme's document, written out.
#[test]
fn acr_is_what_was_asked_for_or_better() {
    const BASIC: &str = "http://itsme.services/v2/claim/acr_basic";
    const ADVANCED: &str = "http://itsme.services/v2/claim/acr_advanced";
    let (basic, advanced) = (Some(AcrValues::Basic), Some(AcrValues::Advanced));
    for (value, must_be_said, acr, words) in [
        (None, true, json!(null), None),
        (None, true, json!("anything"), None),
        (basic, false, json!(null), None),
        (advanced, false, json!(null), None),
        (basic, true, json!(BASIC), None),
        (basic, true, json!(ADVANCED), None),
        (advanced, true, json!(ADVANCED), None),
        (
            advanced,
            false,
            json!(BASIC),
            Some("acr is http://itsme.services/v2/claim/acr_basic, and"),
        ),
        (basic, false, json!("0"), Some("acr is 0, and")),
        (basic, false, json!(1), Some("acr is no string, and")),
        (advanced, false, json!(""), Some("acr is , and")),
        (advanced, true, json!(null), Some("acr is missing, and")),
        (basic, true, json!(null), Some("acr is missing, and")),
    ] {
        let acr_rule = AskedAcr {
            value,
            must_be_said,
        };
        let rules = IdTokenRules {
            acr: acr_rule,
            ..rules()
        };
        let judged = judge(&with(&json!({ "acr": acr })), &rules).map(drop);
        match (judged, words) {
            (Ok(()), None) => {}
            (Err(error), Some(words)) => assert!(error.contains(words), "{error}"),
            other => panic!("{acr_rule:?} {acr}: {other:?}"),
        }
    }
}
