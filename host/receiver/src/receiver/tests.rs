//! Who stays a client while the lists change, and who proves a header again.

use std::sync::atomic::AtomicBool;

use privyseal::jose::jwk::KeySet;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::scheme::EHEALTH;
use serde_json::json;

use super::*;
use crate::shares::Holder;

/// One key, whose modulus begins with that digit.
fn keys(digit: char) -> KeySet {
    let modulus = format!("{digit}{}w", "_".repeat(340));
    let key = json!({ "kty": "RSA", "use": "sig", "kid": "a", "e": "AQAB", "n": modulus });
    KeySet::from_bytes(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
}

fn key(digit: char) -> VerifyingKey {
    let keys = keys(digit);
    VerifyingKey::new(keys.known_keys().remove(0).key.unwrap()).unwrap()
}

#[test]
fn who_is_taken_out_holds_no_token_and_a_key_is_of_its_client_alone() {
    let one = RegisteredClients::default().keys("one", keys('_'));
    let both = one.clone().keys("two", keys('-'));
    let receiver = Receiver::builder(&EHEALTH).audience("https://idp.example/auth/realms/M2M");
    let receiver = receiver.clients(both.clone()).build().unwrap();
    let knows = |id, digit| receiver.still_knows(id, key(digit).spki_digest());
    assert!(knows("one", '_') && knows("two", '-'));
    assert!(!knows("one", '-') && !knows("two", '_') && !knows("three", '_'));
    receiver.set_clients(one);
    assert!(knows("one", '_') && !knows("two", '-'));
    receiver.set_clients(both.keys("one", keys('-')));
    assert!(!knows("one", '_') && knows("one", '-') && knows("two", '-'));
}

#[test]
fn one_caller_proves_a_header_again_from_its_moment_on() {
    let at = |seconds| UnixTime::from_secs(seconds).unwrap();
    let header = ProvenHeader {
        client_id: String::new(),
        leaf: None,
        holder: Holder::default(),
        key: key('_'),
        algorithm: Algorithm::Rs256,
        until: at(300),
        refresh_from: at(240),
        is_refreshed: AtomicBool::default(),
        generation: 1,
        list: None,
    };
    let begins = [239, 240, 241].map(|now| header.begins_refresh(at(now)));
    assert_eq!(begins, [false, true, false]);
}
