//! Our iSHARE assertions before software of others, and theirs before us: `python-ishare`, and `jwcrypto`, a
//! second JOSE library.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use privyseal_test_base::clock::now;
use std::process::Command;

use privyseal_test_base::{privyseal, tool};
use privyseal_test_judges::decode::{Parts, to_base64};
use privyseal_test_judges::python;
use privyseal_test_pki::pem_chain;
use privyseal_test_suite::flow::{Client, Outcome};
use serde_json::{Value, json};

const EORI: &str = "EU.EORI.NL123456789";
const SERVER: &str = "EU.EORI.NL000000001";

/// What the software of others says, or the name of its exception.
fn ask(question: &Value) -> Result<Value, String> {
    let answer = tool::output(
        Command::new(python::interpreter()).arg(python::ishare_script()),
        question.to_string().as_bytes(),
    );
    let error = String::from_utf8(answer.stderr).unwrap();
    if answer.status.success() {
        return Ok(serde_json::from_slice(&answer.stdout).unwrap());
    }
    // An exception's name and nothing else: no traceback of a script that is broken itself.
    assert!(
        error
            .trim()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric()),
        "{error}"
    );
    Err(error.trim().to_owned())
}

/// A client, once everything is built and installed: an assertion waits for nothing for more than 30 s.
fn client() -> Client {
    python::interpreter();
    privyseal::path();
    Client::new()
}

/// An assertion that a SoftHSM key signed.
fn assertion(client: &Client, more: &[&str]) -> String {
    let mut words = vec!["sign", "--scheme", "ishare-1", "--client-id", EORI];
    words.extend(["--audience", SERVER]);
    words.extend(more);
    let outcome = client.run(&words, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout.trim().to_owned()
}

fn question(token: &str) -> Value {
    json!({
        "action": "validate", "client_id": EORI, "audience": SERVER, "token": token,
        "strict_eori": true,
    })
}

#[test]
fn python_ishare_accepts_ours() {
    let client = client();
    let token = assertion(&client, &[]);
    let claims = ask(&question(&token)).expect("python-ishare accepts it");
    assert_eq!(claims, Parts::of(&token).claims());

    let id = "did:ishare:EU.NL.NTRNL-12345678";
    let sign = ["sign", "--scheme", "ishare", "--audience", SERVER];
    let outcome = client.run(&sign, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mut question = question(outcome.stdout.trim());
    question["client_id"] = json!(id);
    question["strict_eori"] = json!(false);
    assert_eq!(ask(&question).expect("python-ishare accepts it")["iss"], id);
}

#[test]
fn python_ishare_refuses_what_is_wrong_with_ours() {
    let client = client();
    let good = assertion(&client, &[]);
    let (old, later) = ((now() - 60).to_string(), (now() + 60).to_string());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let other = assertion(&client, &[]);
    let (other_input, _) = other.rsplit_once('.').unwrap();
    let with = |member: &str, value: &str| {
        let mut question = question(&good);
        question[member] = json!(value);
        question
    };
    for (question, name) in [
        (
            question(&assertion(&client, &["--now", &old])),
            "ISHARETokenExpired",
        ),
        (
            question(&assertion(&client, &["--now", &later])),
            "ISHARETokenNotValidYet",
        ),
        (with("audience", EORI), "ISHAREInvalidAudience"),
        (
            with("client_id", "EU.EORI.NL1"),
            "ISHAREInvalidTokenIssuerOrSubscriber",
        ),
        (with("client_id", "NL1"), "ISHAREInvalidClientId"),
        (
            question(&format!("{other_input}.{signature}")),
            "InvalidSignatureError",
        ),
        (question(input), "DecodeError"),
    ] {
        assert_eq!(ask(&question), Err(name.to_owned()));
    }
}

/// `privyseal check` on a token of others, with the root that issued.
fn check(client: &Client, token: &str) -> Outcome {
    let root = client.file("root.pem", pem_chain(&client.chain[3..]));
    let mut command = Command::new(privyseal::path());
    command.args([
        "check",
        "--scheme",
        "ishare-1",
        "--audience",
        SERVER,
        "--json",
    ]);
    command.arg("--trust").arg(root).arg(token);
    Outcome::of(&mut command)
}

fn of_their_own(client: &Client, action: &str) -> Value {
    let chain: Vec<_> = client.chain.iter().map(|der| to_base64(der)).collect();
    let mut question = json!({ "action": action, "iss": EORI, "aud": SERVER, "chain": chain });
    question["key"] = json!(client.key.pkcs8_pem());
    question
}

#[test]
fn we_accept_those_of_python_ishare_but_for_its_fractions_of_seconds() {
    let client = client();
    let mut question = of_their_own(&client, "create");
    let token = ask(&question).unwrap();
    let outcome = check(&client, token.as_str().unwrap());
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let verdict = |rule: &str| {
        let finding = findings.iter().find(|finding| finding["rule"] == rule);
        finding.unwrap()["verdict"].as_str().unwrap()
    };
    // iSHARE: iat and exp are in seconds, as whole numbers.
    for rule in ["claim-iat", "claim-exp"] {
        assert_eq!(verdict(rule), "broken", "{report}");
    }
    let broken = findings
        .iter()
        .filter(|finding| finding["verdict"] == "broken");
    assert_eq!(broken.count(), 2, "{report}");
    for rule in ["signature", "chain-trusted", "claim-aud", "claim-jti"] {
        assert_eq!(verdict(rule), "passed", "{report}");
    }

    question["whole_seconds"] = json!(true);
    let token = ask(&question).unwrap();
    assert_eq!(
        check(&client, token.as_str().unwrap()).json()["obeys"],
        true
    );
}

#[test]
fn jwcrypto_verifies_ours_and_we_verify_those_of_jwcrypto() {
    let client = client();
    let token = assertion(&client, &[]);
    let verify = |token: &str| ask(&json!({ "action": "verify", "token": token }));
    assert_eq!(verify(&token).unwrap(), Parts::of(&token).claims());
    let other = assertion(&client, &[]);
    let (input, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let mixed = verify(&format!("{input}.{signature}"));
    assert_eq!(mixed, Err("InvalidJWSSignature".to_owned()));

    let mut question = of_their_own(&client, "make");
    question["claims"] = json!({
        "iss": EORI, "sub": EORI, "aud": SERVER, "jti": "theirs",
        "iat": now(), "exp": now() + 30,
    });
    question["claims"]["exp"] = json!(question["claims"]["iat"].as_u64().unwrap() + 30);
    let theirs = ask(&question).unwrap();
    let theirs = theirs.as_str().unwrap();
    assert_eq!(check(&client, theirs).json()["obeys"], true);
    let (input, signature) = theirs.rsplit_once('.').unwrap();
    let reversed: String = signature.chars().rev().collect();
    check(&client, &format!("{input}.{reversed}")).failed(1, "broken");
}
