use privyseal_core::payload::{AcrValues, AuthenticationRequest, AuthorizationRequest};
use privyseal_core::scheme::ITSME;
use privyseal_protocol::{AllowedAudience, Content, MAX_COMPOSED, SchemeId, Statement};

use crate::{bytes, hex};

/// As a policy names them, above the number of the scheme.
#[test]
fn every_statement() {
    pinned_audience("03", Statement::Assertion);
    pinned_audience("43", Statement::AuthenticationRequest);
    pinned_audience("83", Statement::AuthorizationRequest);
    pinned_audience("c3", Statement::LoginHint);
}

fn pinned_audience(first: &str, statement: Statement) {
    let allowed = AllowedAudience {
        scheme: SchemeId::of(&ITSME),
        audience: "a",
        statement,
    };
    let expected = bytes(&[first, "01 length", "'a' audience"]);
    assert_eq!(hex(&crate::body(&allowed)), hex(&expected));
    assert_eq!(crate::read(&expected), Some(allowed));
}

/// A content and its encoding, one after the other.
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_content() {
    let asked = AuthenticationRequest {
        scope: "openid",
        login_hint_token: "a.b.c",
        acr_values: Some(AcrValues::Advanced),
        requested_expiry: Some(300),
        client_notification_token: Some("t"),
        id_token_claims: "acr",
        userinfo_claims: "a b",
    };
    let least = AuthenticationRequest {
        scope: "",
        login_hint_token: "",
        acr_values: None,
        requested_expiry: None,
        client_notification_token: None,
        id_token_claims: "",
        userinfo_claims: "",
    };
    let authorization = AuthorizationRequest {
        redirect_uri: "u",
        scope: "openid",
        state: "s",
        nonce: "n",
        code_challenge: "c",
        prompt: Some("login"),
        login_hint: None,
        max_age: Some(300),
    };
    let vectors: [(Content<'_>, &[&str]); 4] = [
        (
            Content::LoginHint("user"),
            &["00 LoginHint", "04 length", "'user' token"],
        ),
        (
            Content::Authentication(asked),
            &[
                "01 Authentication",
                "06 length",
                "'openid' scope",
                "05 length",
                "'a.b.c' login_hint_token",
                "01 acr_values",
                "01 advanced",
                "01 a requested_expiry",
                "ac02 seconds",
                "01 a client_notification_token",
                "01 length",
                "'t' token",
                "03 length",
                "'acr' id_token_claims",
                "03 length",
                "'a b' userinfo_claims",
            ],
        ),
        (
            Content::Authentication(least),
            &[
                "01 Authentication",
                "00 scope",
                "00 login_hint_token",
                "00 no acr_values",
                "00 no requested_expiry",
                "00 no client_notification_token",
                "00 id_token_claims",
                "00 userinfo_claims",
            ],
        ),
        (
            Content::Authorization(authorization),
            &[
                "02 Authorization",
                "01 length",
                "'u' redirect_uri",
                "06 length",
                "'openid' scope",
                "01 length",
                "'s' state",
                "01 length",
                "'n' nonce",
                "01 length",
                "'c' code_challenge",
                "01 a prompt",
                "05 length",
                "'login' prompt",
                "00 no login_hint",
                "01 a max_age",
                "ac02 seconds",
            ],
        ),
    ];
    for (content, vector) in vectors {
        let expected = bytes(vector);
        let mut buffer = [0; MAX_COMPOSED];
        assert_eq!(hex(content.to_bytes(&mut buffer).unwrap()), hex(&expected));
        let read = Content::from_bytes(&expected).unwrap();
        assert_eq!(read.statement(), content.statement());
        assert_eq!(hex(read.to_bytes(&mut buffer).unwrap()), hex(&expected));
        let longer = [&expected[..], &[0]].concat();
        assert!(Content::from_bytes(&longer).is_none(), "nothing may follow");
    }
    assert!(
        Content::from_bytes(&[3, 0, 0, 0, 0, 0, 0, 0, 0]).is_none(),
        "no other"
    );
}
