//! The seeds' own contradictory examples: each is refused for exactly the reasons that stand in them.

use privyseal_check::{Kind, RuleId, Verdict};
use privyseal_core::scheme;
use privyseal_test_base::scratch::ishare_chain;
use privyseal_test_judges::decode::to_base64;
use serde_json::json;

use crate::draft::{Draft, broken, shown};

/// FIAM step 1: "set to expire in 30 seconds", and an example that lives 5,690; a party id that no
/// EORI register can have given out.
#[test]
fn the_fiam_example() {
    let mut draft = Draft::of(&scheme::FIAM);
    draft.scheme = None;
    draft.now = 1_730_094_300;
    draft.claims = json!({
        "sub": "EU.EORI.KVKxxxxxx",
        "iss": "EU.EORI.KVKxxxxxx",
        "aud": "EU.EORI.NLKPNFIAMPROD",
        "iat": 1_730_094_300,
        "nbf": 1_730_094_300,
        "exp": 1_730_099_990,
        "jti": "xxxxx-xxxxx-xxxxx"
    });
    let report = draft.report();
    assert_eq!(
        report.scheme,
        Some(scheme::FIAM.rules()),
        "guessed from aud"
    );
    assert!(report.is_guess);
    assert_eq!(
        broken(&report),
        ["client-id", "lifetime"],
        "{}",
        shown(&report)
    );
    let why = report.broken().last().map(|finding| match finding.verdict {
        Verdict::Broken(why) => why.to_string(),
        _ => String::new(),
    });
    assert_eq!(why.as_deref(), Some("is 5690 s, not 30 s"));
}

/// itsme, backchannel authentication: the payload of the example `request`.
#[test]
fn the_itsme_request_object() {
    let mut draft = Draft::of_request();
    draft.scheme = None;
    draft.now = 1_712_757_579;
    draft.claims = json!({
        "aud": "https://idp.e2e.itsme.services/v2",
        "login_hint_token": {
            "type": "subject_code",
            "value": "mqxews5ukc53ltb1jgj9qe9rnfnwwhyga18m"
        },
        "nbf": "2023-08-25T14:56:12.870Z",
        "scope": "openid service:TEST_LOGIN profile email",
        "iss": "s6BhdRkqt3",
        "claims": "{id_token:{name:null,gender:null}}",
        "exp": "1712757579",
        "iat": "1712757579",
        "jti": "4LTCqACC2ESC5BWCnN3j58EnA"
    });
    let report = draft.report();
    assert_eq!(
        (report.scheme, report.kind),
        (Some(scheme::ITSME.rules()), Kind::Request)
    );
    assert_eq!(
        broken(&report),
        // exp and iat are strings, of which no other rule judges; nbf is a date in ISO 8601;
        // login_hint_token is an object; claims is a string, and no JSON either.
        [
            "claim-iat",
            "claim-exp",
            "claim-nbf",
            "request-login-hint",
            "request-claims"
        ],
        "{}",
        shown(&report)
    );
}

/// The same login hint wrapped as it should be, but of the example's type.
#[test]
fn the_itsme_login_hint_of_type_subject_code() {
    let mut draft = Draft::of_hint();
    draft.claims["type"] = json!("subject_code");
    assert_eq!(draft.broken(), ["login-hint-type"]);
    let mut request = Draft::of_request();
    request.claims["login_hint_token"] = json!(draft.token());
    assert_eq!(request.broken(), ["request-login-hint"]);
}

/// itsme, token endpoint: the example `client_assertion` has no sub, and an nbf 600 s before iat.
#[test]
fn the_itsme_token_assertion() {
    let mut draft = Draft::of(&scheme::ITSME);
    draft.scheme = None;
    draft.now = 1_537_819_486;
    draft.claims = json!({
        "iss": "s6BhdRkqt3",
        "aud": "https://idp.e2e.itsme.services/v2/token",
        "exp": 1_537_820_086,
        "iat": 1_537_819_486,
        "nbf": 1_537_818_886,
        "jti": "4LTCqACC2ESC5BWCnN3j58EnA"
    });
    let report = draft.report();
    assert_eq!(report.scheme, Some(scheme::ITSME.rules()));
    assert_eq!(
        broken(&report),
        ["claim-sub", "claim-nbf"],
        "{}",
        shown(&report)
    );
}

/// iSHARE: `did:ishare:EU.NL.NTRLNL-10000001` in the call to /parties.
#[test]
fn the_ishare_id_with_a_typing_mistake() {
    let mut draft = Draft::of(&scheme::ISHARE);
    draft.claims["iss"] = json!("did:ishare:EU.NL.NTRLNL-10000001");
    draft.claims["sub"] = draft.claims["iss"].clone();
    assert_eq!(draft.broken(), ["client-id"]);
}

/// iSHARE: the answer of /parties prints x5c as one string that looks like an array.
#[test]
fn the_ishare_x5c_as_a_quoted_array() {
    let mut draft = Draft::of(&scheme::ISHARE);
    let quoted: Vec<_> = ishare_chain()
        .iter()
        .map(|der| format!("\"{}\"", to_base64(der)))
        .collect();
    draft.header["x5c"] = json!(format!("[\n{}\n]", quoted.join(",\n")));
    let report = draft.report();
    assert_eq!(broken(&report), ["header-x5c"], "{}", shown(&report));
    assert!(matches!(
        report.verdict(RuleId::Signature),
        Some(Verdict::NotChecked(_))
    ));
}

/// eHealth: the base URL ends in /auth and the template adds another.
#[test]
fn the_ehealth_audience_with_two_auth() {
    let mut draft = Draft::of(&scheme::EHEALTH);
    draft.claims["aud"] = json!("https://api.ehealth.fgov.be/auth/auth/realms/M2M");
    assert_eq!(draft.broken(), ["claim-aud"]);
    // Also where the receiver calls itself so by mistake.
    draft.audience = Some("https://api.ehealth.fgov.be/auth/auth/realms/M2M".into());
    assert_eq!(draft.broken(), ["claim-aud"]);
}

/// eHealth: URLs that a page break has cut.
#[test]
fn the_ehealth_urls_with_spaces() {
    for url in [
        "https://api -int.ehealth.fgov.be/auth/realms/M2M",
        "http://localhost:8080/auth/realms/ [realm id] ",
    ] {
        let mut draft = Draft::of(&scheme::EHEALTH);
        draft.claims["aud"] = json!(url);
        assert_eq!(draft.broken(), ["claim-aud"], "{url}");
    }
}

/// eHealth: `"nbf" : 0` in every example.
#[test]
fn the_ehealth_nbf_of_zero() {
    let mut draft = Draft::of(&scheme::EHEALTH);
    draft.claims["nbf"] = json!(0);
    assert_eq!(draft.broken(), ["claim-nbf"]);
}
