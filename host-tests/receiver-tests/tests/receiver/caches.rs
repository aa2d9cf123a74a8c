//! What is kept, for how long, and what strangers can make a receiver do.

use core::time::Duration;
use std::thread;

use privyseal_core::scheme::ISHARE;
use privyseal_receiver::{CachePolicy, TokenForm};
use privyseal_test_pki::{Authority, CertificateSpec, TestPki, test_key};
use serde_json::json;

use crate::stage::{CONSUMER, World};

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_registry_that_is_away_does_not_stop_who_is_known_until_the_limit() {
    let world = World::new();
    let policy = CachePolicy::default().refreshed(50 * MS, 1500 * MS);
    let stage = world.play_with(&ISHARE, world.honest(), |builder| builder.cache(policy));
    stage.accept(&world.assertion()).unwrap();
    stage.switch.set_away(true);
    thread::sleep(100 * MS);
    stage.accept(&world.assertion()).unwrap();
    thread::sleep(1500 * MS);
    let rejection = stage.accept(&world.assertion()).unwrap_err();
    assert!(rejection.is_temporary(), "{rejection}");
    stage.switch.set_away(false);
    thread::sleep(1100 * MS);
    stage.accept(&world.assertion()).unwrap();
}

#[test]
fn what_the_registry_says_is_asked_for_again_ahead_of_its_end() {
    let world = World::new();
    let policy = CachePolicy::default().refreshed(50 * MS, 60_000 * MS);
    let stage = world.play_with(&ISHARE, world.honest(), |builder| builder.cache(policy));
    stage.accept(&world.assertion()).unwrap();
    assert_eq!(stage.switch.take_asked().len(), 2);
    thread::sleep(100 * MS);
    stage.accept(&world.assertion()).unwrap();
    thread::sleep(500 * MS);
    assert_eq!(stage.switch.take_asked().len(), 2);
}

/// A hundred first sights at once are one request for the list, and one for the party.
#[test]
fn many_who_wait_are_one_request() {
    let world = World::new();
    let stage = world.play(world.honest());
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| stage.accept(&world.assertion()).unwrap());
        }
    });
    assert_eq!(stage.switch.take_asked().len(), 2);
}

/// Ten thousand presentations of assertions that are well formed and signed, in vain.
#[test]
fn strangers_cost_no_request_before_the_cheap_checks_and_few_after() {
    let world = World::new();
    let stage = world.play(world.honest());
    let late = world.with_claims(|claims| {
        claims["iat"] = json!(claims["iat"].as_u64().unwrap() - 600);
        claims["exp"] = json!(claims["exp"].as_u64().unwrap() - 600);
    });
    let elsewhere = world.with_claims(|claims| claims["aud"] = json!("EU.EORI.NL000000009"));
    for _ in 0..4_000 {
        assert!(stage.accept(&late).is_err());
        assert!(stage.accept(&elsewhere).is_err());
    }
    assert_eq!(stage.switch.take_asked(), [""; 0]);

    // Seals that strangers make themselves, below a root of their own: the trusted list is asked for, once.
    for number in 0..20 {
        let pki = TestPki::new();
        let root = CertificateSpec::authority(&format!("Root {number}"), None);
        let root = Authority::root(test_key("stranger", 2048), root);
        let key = test_key("seal", 2048);
        let leaf = root.issue(&key.spki_der(), &CertificateSpec::seal());
        let chain = vec![leaf, root.certificate];
        let own = World { pki, key, chain };
        let assertion = own.assertion();
        for _ in 0..50 {
            let refused = stage.accept(&assertion).unwrap_err();
            assert_eq!(refused.rule().name(), "chain-trusted", "{refused}");
        }
    }
    assert_eq!(stage.switch.take_asked(), ["list"]);

    // A seal of a listed CA, whose holder claims to be everybody: an EORI is not in the certificate.
    let chain = world.pki.chain(
        &test_key("registry", 2048).spki_der(),
        &CertificateSpec::seal(),
    );
    let liar = World {
        key: test_key("registry", 2048),
        chain,
        ..World::new()
    };
    for number in 0..100 {
        let id = format!("EU.EORI.NL{number:09}");
        let assertion = liar.with_claims(|claims| {
            claims["iss"] = json!(id);
            claims["sub"] = json!(id);
        });
        let form = TokenForm::of_assertion(assertion).client_id(id);
        for _ in 0..10 {
            assert!(stage.receiver.accept(&form).is_err());
        }
    }
    let asked = stage.switch.take_asked().len();
    assert!(asked < 12, "{asked} requests");
    // Nobody else is kept out by that.
    stage.accept(&world.assertion()).unwrap();
    assert_eq!(CONSUMER, stage.accept(&world.assertion()).unwrap().id());
}

#[test]
fn a_withdrawn_ca_is_noticed_with_the_next_list() {
    let world = World::new();
    let withdrawn = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&withdrawn);
    let config = world.honest().lying(move |draft| {
        let is_withdrawn = flag.load(std::sync::atomic::Ordering::SeqCst);
        if let (true, Some(list)) = (is_withdrawn, draft.claims.get_mut("trusted_list")) {
            list[0]["status"] = json!("withdrawn");
        }
    });
    let policy = CachePolicy::default().refreshed(50 * MS, 60_000 * MS);
    let stage = world.play_with(&ISHARE, config, |builder| builder.cache(policy));
    stage.accept(&world.assertion()).unwrap();
    withdrawn.store(true, std::sync::atomic::Ordering::SeqCst);
    thread::sleep(100 * MS);
    // The list that is known is used while it is got again.
    stage.accept(&world.assertion()).unwrap();
    thread::sleep(500 * MS);
    stage.refuses(&world.assertion(), "chain-trusted", "not granted");
}
