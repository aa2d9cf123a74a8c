//! Forms, statuses, and the keys that come in.

use privyseal_test_pki::{spki_from_pem, test_key};
use privyseal_test_servers::https::form;
use serde_json::json;

use crate::stage::{Stage, with};

#[test]
fn wrong_forms_are_refused() {
    let stage = Stage::new();
    let good = form(&stage.forge(&stage.header(), &stage.claims()));
    let post = |body: &str| stage.client.post("/oauth/token", body);
    for member in ["grant_type", "client_assertion_type", "client_assertion"] {
        let rest: Vec<&str> = good
            .split('&')
            .filter(|pair| !pair.starts_with(&format!("{member}=")))
            .collect();
        assert_eq!(post(&rest.join("&")).0, 400, "without {member}");
        assert_eq!(
            post(&format!("{good}&{member}=again")).0,
            400,
            "{member} twice"
        );
    }
    assert_eq!(post(&good.replace("client_credentials", "password")).0, 400);
    assert_eq!(post(&good.replace("jwt-bearer", "saml2-bearer")).0, 400);
    let (status, _) = stage
        .client
        .post_as("application/json", "/oauth/token", &good);
    assert_eq!(status, 400);
    assert_eq!(post(&good).0, 200);
}

#[test]
fn every_status_of_the_documentation_can_be_had() {
    let stage = Stage::new();
    for status in [403, 404, 429, 500] {
        let at_token = party(&stage, &format!("EU.EORI.NL000000{status}"));
        assert_eq!(stage.exchange(&at_token).0, status);
        let (granted, body) = stage.exchange(&party(&stage, &format!("EU.EORI.NL100000{status}")));
        assert_eq!(granted, 200, "{body}");
        let token = body["access_token"].as_str();
        assert_eq!(
            stage.client.get("/service-consumers/contracts", token).0,
            status
        );
    }
    assert_eq!(stage.exchange(&party(&stage, "EU.EORI.1")).0, 404);
    assert_eq!(stage.client.get("/nowhere", None).0, 404);
    assert_eq!(stage.client.get("/oauth/token", None).0, 405);
    assert_eq!(
        stage.client.get("/service-consumers/contracts", None).0,
        401
    );
    assert_eq!(
        stage
            .client
            .get("/service-consumers/contracts", Some("made-up"))
            .0,
        401
    );
}

fn party(stage: &Stage, party: &str) -> String {
    let claims = with(
        &with(&stage.claims(), "iss", json!(party)),
        "sub",
        json!(party),
    );
    stage.forge(&stage.header(), &claims)
}

#[test]
fn public_keys_come_back_from_pem() {
    let key = test_key("seal", 2048);
    assert_eq!(
        spki_from_pem(key.spki_pem().as_bytes()).unwrap(),
        key.spki_der()
    );
}
