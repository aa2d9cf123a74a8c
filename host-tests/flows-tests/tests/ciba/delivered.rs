//! Flows that end with the claims of a person.

use std::fs;
use std::process::Command;
use std::time::Duration;

use privyseal::jose::jwk::{JwkSetBuilder, KidChoice};
use privyseal_test_base::tool::command;
use privyseal_test_pki::test_key;
use privyseal_test_servers::relying_party::RelyingParty;
use serde_json::{Value, json};

use crate::stage::{CLIENT_ID, Ended, PERSON, Stage, ended};

/// The claims that every flow ends with.
fn judge(stage: &Stage, ended: &Ended) -> Value {
    let report = ended.report();
    let id_token = &report["id_token"];
    assert_eq!(id_token["sub"], PERSON);
    assert_eq!(id_token["aud"], CLIENT_ID);
    assert_eq!(id_token["iss"], stage.provider.issuer());
    assert_eq!(report["userinfo"]["sub"], PERSON);
    assert!(stage.provider.events_of("error").is_empty());
    report
}

#[test]
fn polled_after_a_qr_code_that_changes() {
    let stage = Stage::polling("RSA-OAEP", "A128CBC-HS256");
    stage.provider.script(&json!({
        "scannedAfter": 3, "polls": ["authorization_pending", "authorization_pending"],
        "decision": "approve",
    }));
    let ended = stage.ciba(&[
        "--scope",
        "profile email",
        "--id-token-claim",
        "birthdate",
        "--userinfo-claim",
        "name",
        "--acr",
        "advanced",
    ]);
    let report = judge(&stage, &ended);
    assert_eq!(report["id_token"]["birthdate"], "1892-01-03");
    assert_eq!(report["userinfo"]["name"], "John Ronald R Tolkien");
    assert_eq!(report["userinfo"]["email"], "jrr@example.org");
    assert_eq!(report["tokens"], json!({ "expires_in": 120 }));

    // One code at first and one at each poll but the last; the file has the newest.
    let codes = stage.provider.events_of("qr");
    assert_eq!(codes.len(), 3);
    assert_ne!(codes[0]["rows"], codes[2]["rows"], "it changes");
    let file = fs::read(stage.qr()).unwrap();
    assert_eq!(codes[2]["bytes"], file.len());
    assert!(file.starts_with(b"\xff\xd8"), "a JPEG, as it came");

    // Never faster than the interval of one second.
    let second = Duration::from_secs(1);
    for (event, times) in [("session poll", 3), ("poll", 3)] {
        assert_eq!(stage.provider.events_of(event).len(), times, "{event}");
        assert!(stage.provider.least_pause(event).unwrap() >= second);
    }
    for words in [
        "waiting for the QR code to be scanned",
        "qr.jpg, good until 20",
    ] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let lines = ended.stderr.matches("waiting for the person").count();
    assert_eq!(
        lines, 1,
        "one line for each change of state: {}",
        ended.stderr
    );
}

#[test]
fn pinged() {
    let stage = Stage::pinged("RSA-OAEP", "A256GCM");
    stage.provider.script(&json!({
        "scannedAfter": 1, "polls": [], "decision": "approve", "after": 700,
    }));
    let ended = stage.ciba(&["--show-tokens"]);
    let report = judge(&stage, &ended);
    assert!(report["tokens"]["access_token"].is_string());
    let id_token = report["tokens"]["id_token"].as_str().unwrap();
    assert_eq!(id_token.split('.').count(), 5, "encrypted");
    assert_eq!(stage.provider.events_of("ping")[0]["status"], 204);
    assert_eq!(stage.provider.events_of("poll").len(), 1, "asked once");
    assert!(
        ended
            .stderr
            .contains("listening for the callback on http://127.0.0.1:")
    );
}

/// `slow_down` at the token endpoint and 429 at user discovery both add five seconds.
#[test]
fn slowed_down() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    stage.provider.script(&json!({
        "scannedAfter": 1, "busy": 1, "polls": ["slow_down"], "decision": "approve",
    }));
    judge(&stage, &stage.ciba(&[]));
    let six = Duration::from_secs(6);
    for event in ["session poll", "poll"] {
        assert_eq!(stage.provider.events_of(event).len(), 2, "{event}");
        assert!(stage.provider.least_pause(event).unwrap() >= six, "{event}");
    }
}

/// What SoftHSM does not know, a second vendor's token does.
#[test]
fn rsa_oaep_256_by_a_token_that_knows_it() {
    for enc in ["A128CBC-HS256", "A256GCM"] {
        let stage = Stage::kryoptic("RSA-OAEP-256", enc);
        stage
            .provider
            .script(&json!({"scannedAfter": 1, "polls": [], "decision": "approve"}));
        judge(&stage, &stage.ciba(&[]));
    }
}

#[test]
fn without_encryption_where_none_was_agreed_on() {
    let stage = Stage::unencrypted();
    stage
        .provider
        .script(&json!({"scannedAfter": 1, "polls": [], "decision": "approve", "image": "png"}));
    judge(&stage, &stage.ciba_with_key("", &[]));
}

/// openid-client, with a key in memory that is published beside ours, asks about the same person.
#[test]
fn both_clients_say_the_same_about_a_person() {
    let stage = Stage::unencrypted();
    let other = test_key("keycloak-client", 2048);
    let mut set = JwkSetBuilder::default();
    let kid = KidChoice::Given("other".to_owned());
    set.add(&other.public_key(), &kid, None).unwrap();
    let mut keys = stage
        .run(&["jwks", "--key", &stage.uri("signing")])
        .report();
    let more = set.to_json()["keys"][0].clone();
    keys["keys"].as_array_mut().unwrap().push(more);
    stage.provider.publish(&keys);
    let known = json!({"t1": PERSON, "t2": PERSON});
    let scenario = json!({"polls": [], "decision": "approve", "known": known});
    stage.provider.script(&scenario);

    let user = stage.provider.dir().join("user");
    fs::write(&user, "t1").unwrap();
    let user = user.to_str().unwrap();
    let more = [
        "--scope",
        "profile email",
        "--user-identifier-token-file",
        user,
    ];
    let ours = judge(&stage, &stage.ciba_with_key("", &more));
    let setup = json!({
        "issuer": stage.provider.issuer(), "client_id": CLIENT_ID, "kid": "other", "user": "t2",
        "key": other.pkcs8_pem(), "scope": "openid service:TEST_LOGIN profile email",
    });
    let theirs = RelyingParty::start(&stage.provider.cacert(), &setup).said();
    for name in ["iss", "sub", "aud"] {
        assert_eq!(theirs["id_token"][name], ours["id_token"][name], "{name}");
    }
    for name in ["sub", "name", "email", "email_verified", "birthdate"] {
        assert!(!ours["userinfo"][name].is_null(), "{name}");
        assert_eq!(theirs["userinfo"][name], ours["userinfo"][name], "{name}");
    }
}

/// Signed, then encrypted to the provider, at each endpoint; a provider that wants that refuses others.
#[test]
fn with_assertions_that_are_encrypted_too() {
    let stage = Stage::polling("RSA-OAEP", "A128GCM");
    stage
        .provider
        .script(&json!({"scannedAfter": 1, "polls": [], "decision": "approve", "nested": true}));
    for algorithm in ["RSA-OAEP", "RSA-OAEP-256"] {
        judge(&stage, &stage.ciba(&["--encrypt-assertions", algorithm]));
        let nested = stage.provider.events_of("nested");
        let last = nested.last().unwrap();
        assert_eq!(last["alg"], algorithm);
        assert_eq!(last["enc"], "A128CBC-HS256");
    }
    // Two for the session, one each for authentication and tokens.
    assert_eq!(stage.provider.events_of("nested").len(), 8);
    stage.ciba(&[]).refused(1, "invalid_client");
}

/// itsme goes on encrypting to the old key for a day.
#[test]
fn to_the_older_of_two_keys() {
    let stage = Stage::polling("RSA-OAEP", "A256CBC-HS512");
    stage.softhsm().generate_decryption_key(2048, "03", "new");
    let scenario = json!({"scannedAfter": 1, "polls": [], "decision": "approve"});
    stage.provider.script(&scenario);
    let old = stage.uri("decryption");
    judge(
        &stage,
        &stage.ciba_with_key("new", &["--decryption-key", &old]),
    );
}

/// The person has confirmed: what is known of them is not thrown away.
#[test]
fn a_confirmed_login_is_not_lost() {
    let stage = Stage::polling("RSA-OAEP", "A192GCM");
    let run = |more: &Value| {
        let mut scenario = json!({"scannedAfter": 1, "polls": [], "decision": "approve"});
        for (name, value) in more.as_object().unwrap() {
            scenario[name] = value.clone();
        }
        stage.provider.script(&scenario);
        stage.ciba(&[])
    };
    judge(&stage, &run(&json!({"userinfoBusy": 1})));
    run(&json!({"userinfoBusy": 99})).partial("those of UserInfo are missing: https://127.0.0.1:");

    let alone = run(&json!({"withoutIdToken": true}));
    let report = alone.report();
    assert_eq!(report["userinfo"]["sub"], PERSON);
    assert!(report.get("id_token").is_none());
    assert!(
        alone.stderr.contains("warning: there is no id_token"),
        "{}",
        alone.stderr
    );
    run(&json!({"withoutIdToken": true, "userinfo": {"signer": "other"}}))
        .refused(1, "the userinfo answer has a signature that is not valid");

    // A full disk shows when it is written to; then it is said what became of the confirmation.
    stage
        .provider
        .script(&json!({"scannedAfter": 1, "polls": [], "decision": "approve"}));
    let mut full = Command::new("sh");
    full.args(["-c", "exec \"$@\" >/dev/full", "sh"])
        .args(stage.words(&[]));
    full.env("SOFTHSM2_CONF", stage.softhsm().configuration());
    ended(&mut full).refused(6, "the person has confirmed, and what came is lost");
}

/// The library's example, as it stands in its documentation.
#[test]
fn by_the_example() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    let scenario = json!({"scannedAfter": 1, "polls": [], "decision": "approve"});
    stage.provider.script(&scenario);
    let example = stage.example();
    assert_eq!(example.code, Some(0), "{}", example.stderr);
    assert_eq!(example.stdout, format!("{PERSON}\n"));
    assert!(fs::read(stage.qr()).unwrap().starts_with(b"\xff\xd8"));
    stage
        .provider
        .script(&json!({"scannedAfter": 1, "polls": [], "decision": "deny"}));
    stage.example().refused(1, "access_denied");
}

/// A person sees the code itself, and the time that is left.
#[test]
fn on_a_terminal_the_code_is_shown() {
    let stage = Stage::polling("RSA-OAEP", "A256GCM");
    stage
        .provider
        .script(&json!({"scannedAfter": 2, "polls": [], "decision": "approve"}));
    let typescript = stage.provider.dir().join("typescript");
    let words = stage.words(&[]);
    let line = words.iter().map(|word| format!("'{word}'"));
    let line = line.collect::<Vec<_>>().join(" ");
    let run = ended(
        command("script", ["--quiet", "--return", "--command", &line])
            .arg(&typescript)
            .env("TERM", "xterm")
            .env("SOFTHSM2_CONF", stage.softhsm().configuration()),
    );
    let shown = fs::read_to_string(&typescript).unwrap();
    assert_eq!(run.code, Some(0), "{shown}");
    for event in stage.provider.events_of("qr") {
        let rows = event["rows"].as_array().unwrap();
        let rows: Vec<&str> = rows.iter().map(|row| row.as_str().unwrap()).collect();
        assert!(shown.contains(&half_blocks(rows[0], rows[1])), "{shown}");
    }
    assert!(shown.contains("left"), "{shown}");
}

/// Two rows of modules as one line of text.
fn half_blocks(upper: &str, lower: &str) -> String {
    let pairs = upper.bytes().zip(lower.bytes());
    pairs
        .map(|pair| match pair {
            (b'1', b'1') => '\u{2588}',
            (b'1', _) => '\u{2580}',
            (_, b'1') => '\u{2584}',
            _ => ' ',
        })
        .collect()
}
