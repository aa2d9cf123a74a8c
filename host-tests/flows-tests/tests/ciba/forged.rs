//! id_tokens and UserInfo answers that are wrong in one way, by a JOSE library of another language: none gets
//! through the whole flow, and each is refused for what is wrong with it.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{Ended, PERSON, Stage};

const BASIC: &str = "http://itsme.services/v2/claim/acr_basic";
const ADVANCED: &str = "http://itsme.services/v2/claim/acr_advanced";

/// A flow about somebody who is known already.
fn ciba(stage: &Stage, key: &str, forged: &Value, more: &[&str]) -> Ended {
    let mut scenario = json!({"polls": [], "decision": "approve", "known": {"held": PERSON}});
    for (name, value) in forged.as_object().unwrap() {
        scenario[name] = value.clone();
    }
    stage.provider.script(&scenario);
    let file = stage.provider.dir().join("user");
    fs::write(&file, "held").unwrap();
    let path = file.to_string_lossy();
    let words = [&["--user-identifier-token-file", &path], more].concat();
    stage.ciba_with_key(key, &words)
}

/// Who signs in the provider's stead, and what is said of that.
const FORGERS: [(&str, &str); 3] = [
    ("other", "the id_token has a signature that is not valid"),
    ("none", "the id_token is signed with none"),
    ("hmac", "the id_token is signed with HS256"),
];

#[test]
fn id_tokens() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    let run = |wrong: &Value, more: &[&str]| {
        ciba(&stage, "decryption", &json!({ "idToken": wrong }), more)
    };
    // What makes the rest believable: the same, with nothing wrong.
    let report = run(&json!({}), &[]).report();
    assert_eq!(report["id_token"]["sub"], PERSON);
    for (wrong, words) in [
        (
            json!({"claims": {"iss": "https://evil.example"}}),
            "iss is https://evil.example, not",
        ),
        (json!({"claims": {"aud": "another"}}), "aud does not name"),
        (
            json!({"claims": {"exp": 1_700_000_000}}),
            "exp says that it expired",
        ),
        (
            json!({"claims": {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}}),
            "at_hash is not that of",
        ),
        (
            json!({"signer": "unsigned"}),
            "the id_token has in it no compact JWS",
        ),
        (json!({"encrypted": false}), "the id_token is not encrypted"),
    ] {
        run(&wrong, &[]).refused(1, words);
    }
    for (signer, words) in FORGERS {
        run(&json!({ "signer": signer }), &[]).refused(1, words);
    }
}

#[test]
fn an_id_token_that_says_how_the_person_proved_who_they_are() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    let run = |acr: &Value, more: &[&str]| {
        let wrong = json!({"idToken": {"claims": {"acr": acr}}});
        ciba(&stage, "decryption", &wrong, more)
    };
    let asked = ["--acr", "advanced"];
    run(&json!(ADVANCED), &asked).report();
    run(&json!(BASIC), &asked).refused(1, "acr is http://itsme.services/v2/claim/acr_basic, and");
    run(&json!(ADVANCED), &["--acr", "basic"]).report();
    let said_nothing = run(&json!(null), &asked);
    said_nothing.report();
    let warning = "warning: no id_token says how the person proved who they are";
    assert!(
        said_nothing.stderr.contains(warning),
        "{}",
        said_nothing.stderr
    );
    let demanded = ["--acr", "advanced", "--id-token-claim", "acr"];
    run(&json!(null), &demanded).refused(1, "acr is missing, and");
}

/// Where no encryption was agreed on, the signature is all that there is.
#[test]
fn id_tokens_that_are_not_encrypted() {
    let stage = Stage::unencrypted();
    let run = |wrong: &Value| ciba(&stage, "", &json!({ "idToken": wrong }), &[]);
    run(&json!({})).report();
    for (signer, words) in FORGERS {
        run(&json!({ "signer": signer })).refused(1, words);
    }
}

#[test]
fn userinfo_answers() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    let run = |wrong: &Value| ciba(&stage, "decryption", &json!({ "userinfo": wrong }), &[]);
    let report = run(&json!({"claims": {"name": "J"}})).report();
    assert_eq!(report["userinfo"]["name"], "J");
    let somebody_else = "sub is another than that of the id_token";
    for (wrong, words) in [
        (json!({"claims": {"sub": "somebody-else"}}), somebody_else),
        (
            json!({"claims": {"iss": "https://evil.example"}}),
            "iss is https://evil.example, not ",
        ),
        (json!({"claims": {"aud": "another"}}), "aud does not name "),
        (
            json!({"signer": "other"}),
            "the userinfo answer has a signature that is not valid",
        ),
        (
            json!({"signer": "none"}),
            "the userinfo answer is signed with none",
        ),
        (
            json!({"signer": "unsigned"}),
            "the userinfo answer has in it no compact JWS",
        ),
        (
            json!({"encrypted": false}),
            "the userinfo answer is not encrypted",
        ),
    ] {
        run(&wrong).partial(words);
    }
}
