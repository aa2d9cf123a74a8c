//! What the command signs.

use privyseal_test_base::clock::now;
use privyseal_test_judges::decode::{Parts, to_base64};
use privyseal_test_servers::fiam_server::FiamServer;
use privyseal_test_servers::https::{Client, form};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};
use serde_json::json;

use crate::stage::{CLIENT_ID, KEY, Outcome, Stage, TOKEN};

#[test]
fn one_line_whose_header_and_claims_are_as_the_scheme_says() {
    let stage = Stage::new();
    let before = now();
    let outcome = stage.sign(&[]);
    let after = now();
    assert_eq!(outcome.stderr(), "");
    let token = outcome.token();
    let parts = Parts::of(&token);

    let x5c: Vec<String> = stage.chain.iter().map(|der| to_base64(der)).collect();
    let header = format!(
        r#"{{"alg":"RS256","typ":"JWT","x5c":["{}"]}}"#,
        x5c.join("\",\"")
    );
    assert_eq!(String::from_utf8(parts.header.clone()).unwrap(), header);

    let claims = parts.claims();
    let issued_at = claims["iat"].as_u64().unwrap();
    assert!((before..=after).contains(&issued_at));
    let jti = claims["jti"].as_str().unwrap();
    let expected = json!({
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": "EU.EORI.NLKPNFIAMPROD",
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + 30,
        "jti": jti,
    });
    assert_eq!(claims, expected);
    let other = stage.sign(&[]).token();
    assert_ne!(Parts::of(&other).claims()["jti"], jti, "a jti of its own");
}

#[test]
fn with_now_and_jti_given_two_runs_are_byte_identical() {
    let stage = Stage::new();
    let now = now().to_string();
    let options = [("--now", now.as_str()), ("--jti", "fixed")];
    let token = stage.sign(&options).token();
    assert_eq!(stage.sign(&options).token(), token);
    let claims = Parts::of(&token).claims();
    assert_eq!(
        (&claims["iat"], &claims["jti"]),
        (&json!(now.parse::<u64>().unwrap()), &json!("fixed"))
    );
}

#[test]
fn the_authorization_server_takes_it() {
    let stage = Stage::new();
    let server = FiamServer::trusting(&stage.pki.root.certificate);
    let client = Client::new(&server.base_url(), server.tls_ca_pem());
    let (status, body) = client.post("/oauth/token", &form(&stage.sign(&[]).token()));
    assert_eq!(status, 200, "{body}");
}

#[test]
fn a_chain_in_the_wrong_order_is_put_in_order() {
    let stage = Stage::new();
    let now = now().to_string();
    let expected = stage.sign(&[("--now", &now), ("--jti", "1")]).token();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let file = stage.chain_file(&order.map(|place| stage.chain[place].clone()));
        let outcome = stage.sign(&[("--now", &now), ("--jti", "1"), ("--chain", &file)]);
        assert_eq!(outcome.token(), expected, "{order:?}");
    }
}

#[test]
fn a_key_that_the_token_made_signs() {
    let stage = Stage::new();
    let spki = stage.token.generate_key(2048, "02", "generated");
    let chain = stage
        .pki
        .chain(&spki, &privyseal_test_pki::CertificateSpec::seal());
    stage.token.store_certificate(&chain[0], "02", "generated");
    let uri = stage.token.uri("generated");
    let token = stage.sign(&[("--key", &uri)]).token();
    assert_eq!(Parts::of(&token).header()["x5c"][0], to_base64(&chain[0]));
}

#[test]
fn one_login_and_one_signature() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let mut command = stage.command_through(&shim, &stage.token.pin_file());
    Outcome::of(&mut command).token();
    assert_eq!(shim.calls("C_Login"), 1);
    assert_eq!(shim.calls("C_SignInit"), 1);
}

#[test]
fn a_pin_in_the_uri_works_with_a_warning_that_does_not_repeat_it() {
    let stage = Stage::new();
    let module = SoftHsmToken::module();
    let uri = format!(
        "pkcs11:token={TOKEN};object={KEY}?module-path={}&pin-value={PIN}",
        module.display()
    );
    let outcome = stage.sign(&[("--key", &uri)]);
    outcome.token();
    assert!(outcome.stderr().contains("warning"), "{}", outcome.stderr());
    assert!(!outcome.stderr().contains(PIN), "{}", outcome.stderr());
}

#[test]
fn the_pin_may_come_from_the_environment() {
    let stage = Stage::new();
    let uri = format!(
        "pkcs11:token={TOKEN};object={KEY}?module-path={}",
        SoftHsmToken::module().display()
    );
    let mut command = stage.command(&[("--key", &uri)]);
    Outcome::of(command.env("PRIVYSEAL_PIN", PIN)).token();
}
