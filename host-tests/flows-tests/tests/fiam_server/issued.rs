//! What is right gives a token, once and for thirty seconds.

use std::sync::atomic::Ordering;

use privyseal_test_suite::software_signer::SoftwareSigner;
use privyseal_test_suite::{cases, mint};
use serde_json::json;

use crate::stage::{Stage, with};

#[test]
fn an_assertion_of_the_core_gives_a_token_and_the_token_gives_contracts() {
    let stage = Stage::new();
    let chain = stage.pki.seal_chain(&stage.key);
    let case = cases(stage.now())[0];
    let assertion = mint(&mut SoftwareSigner::new(&stage.key), &case, &chain).unwrap();
    let (status, body) = stage.exchange(&assertion);
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(360))
    );
    let token = body["access_token"].as_str().unwrap();

    let (status, page) = stage
        .client
        .get("/service-consumers/contracts", Some(token));
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["records"].as_array().unwrap().len(), 2);
    assert_eq!(page["records"][0]["service_consumer"], case.client_id);
    for member in ["page", "page_count", "size", "total_count"] {
        assert!(page[member].is_u64(), "{member} in {page}");
    }

    stage.wait(359);
    assert_eq!(
        stage
            .client
            .get("/service-consumers/contracts", Some(token))
            .0,
        200
    );
    stage.wait(1);
    assert_eq!(
        stage
            .client
            .get("/service-consumers/contracts", Some(token))
            .0,
        401
    );
}

#[test]
fn an_assertion_counts_once() {
    let stage = Stage::new();
    let assertion = stage.forge(&stage.header(), &stage.claims());
    assert_eq!(stage.exchange(&assertion).0, 200);
    assert_eq!(stage.refusal(&assertion, "jti"), 401);
    let again = stage.forge(&stage.header(), &with(&stage.claims(), "aud", json!("x")));
    assert_eq!(stage.refusal(&again, "aud"), 401);
    // The same jti of another party is another assertion.
    let party = json!("EU.EORI.NL987654321");
    let other = with(&with(&stage.claims(), "iss", party.clone()), "sub", party);
    assert_eq!(stage.exchange(&stage.forge(&stage.header(), &other)).0, 200);
}

#[test]
fn an_assertion_lives_for_thirty_seconds() {
    let stage = Stage::new();
    let (header, claims) = (stage.header(), stage.claims());
    stage.wait(29);
    let claims_2 = with(&claims, "jti", json!("2"));
    assert_eq!(stage.exchange(&stage.forge(&header, &claims_2)).0, 200);
    stage.wait(1);
    assert_eq!(
        stage.refusal(&stage.forge(&header, &claims), "expired"),
        401
    );
    let early = stage.claims();
    stage.clock.fetch_sub(1, Ordering::SeqCst);
    assert_eq!(stage.refusal(&stage.forge(&header, &early), "future"), 401);
}
