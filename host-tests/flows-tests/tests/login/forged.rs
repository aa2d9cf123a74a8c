//! id_tokens and UserInfo answers that are wrong in one way, by a JOSE library of another language: none makes a
//! session.

use privyseal::Error;
use serde_json::{Value, json};

use crate::stage::{CLIENT, Stage};

fn error(stage: &Stage, wrong: &Value) -> Option<String> {
    let scenario = json!({"polls": [], "decision": "approve", "idToken": wrong});
    stage.provider.script(&scenario);
    let (callback, state) = stage.callback();
    let session = stage.login.finish(&callback, state).map_err(Error::from);
    session.err().map(|error| {
        assert_eq!(error.kind(), privyseal::ErrorKind::Refused, "{error}");
        error.to_string()
    })
}

#[test]
fn id_tokens() {
    let stage = Stage::new();
    // What makes the rest believable: the same, with nothing wrong.
    assert_eq!(error(&stage, &json!({})), None);
    let old = 1_700_000_000;
    for (wrong, words) in [
        (json!({"claims": {"aud": "another"}}), "aud does not name"),
        (
            json!({"claims": {"aud": [CLIENT, "another"]}}),
            "aud names others",
        ),
        (json!({"claims": {"azp": "another"}}), "azp is another"),
        (
            json!({"claims": {"iss": "https://evil.example"}}),
            "iss is https://evil",
        ),
        (
            json!({"claims": {"nonce": null}}),
            "nonce is not the one that was sent",
        ),
        (
            json!({"claims": {"nonce": "of-another-login"}}),
            "nonce is not the one",
        ),
        (
            json!({"claims": {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}}),
            "at_hash is not",
        ),
        (json!({"claims": {"exp": old}}), "exp says that it expired"),
        (json!({"signer": "other"}), "a signature that is not valid"),
        (json!({"signer": "none"}), "is signed with none"),
        (json!({"signer": "hmac"}), "is signed with HS256"),
        (json!({"signer": "unsigned"}), "has not three parts"),
    ] {
        let error = error(&stage, &wrong).expect("no session");
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("eyJ"), "{error}");
    }
}

/// A refresh brings a token about somebody else: it is not taken, and the session stays who it was.
#[test]
fn a_refresh_about_somebody_else() {
    let stage = Stage::new();
    let (callback, state) = stage.callback();
    let session = stage.login.finish(&callback, state).unwrap();
    let wrong = json!({"claims": {"sub": "mallory", "nonce": null}});
    stage
        .provider
        .script(&json!({"polls": [], "decision": "approve", "idToken": wrong}));
    let before = session.access_token();
    let error = session.refresh(&stage.login).unwrap_err().to_string();
    assert!(
        error.contains("sub is another than at the login"),
        "{error}"
    );
    assert_eq!(session.access_token().expose(), before.expose());
    assert_eq!(session.subject(), "alice");
}

#[test]
fn userinfo_about_somebody_else() {
    let stage = Stage::new();
    let (callback, state) = stage.callback();
    let session = stage.login.finish(&callback, state).unwrap();
    let wrong = json!({"claims": {"sub": "mallory"}});
    stage
        .provider
        .script(&json!({"polls": [], "decision": "approve", "userinfo": wrong}));
    let error = session.userinfo(&stage.login).unwrap_err().to_string();
    assert!(
        error.contains("sub is another than that of the id_token"),
        "{error}"
    );
}
