//! Schemes without a registry: FIAM, as a provider whose customers have the same seals, and those that name keys by `kid`.

use std::sync::Arc;

use privyseal::jose::jwk::KeySet;
use privyseal::schemes::own;
use privyseal::{Certificates, UnixTime};
use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, ITSME};
use privyseal_receiver::replay::{MemoryStore, Presented, ReplayStore, Seen, StoreError};
use privyseal_receiver::{BuildError, Receiver, RegisteredClients, Revocation, TokenForm};
use privyseal_test_judges::decode::to_base64url;
use privyseal_test_pki::{Authority, CertificateSpec, TestKey, test_key};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::stage::{World, jti, now, sign};

const CUSTOMER: &str = "EU.EORI.NL123456789";
const FIAM_PROVIDER: &str = "EU.EORI.NLKPNFIAMPROD";

fn claims(id: &str, audience: &str) -> Value {
    let now = now().as_secs();
    json!({ "iss": id, "sub": id, "aud": audience, "iat": now, "exp": now + 30, "jti": jti() })
}

fn rule(receiver: &Receiver, assertion: &str) -> Result<String, &'static str> {
    let accepted = receiver.accept(&TokenForm::of_assertion(assertion));
    accepted
        .map(|party| party.id().to_owned())
        .map_err(|rejection| rejection.rule().name())
}

/// What was made before a receiver began may have been presented to another process.
#[test]
fn the_memory_of_a_receiver_begins_when_it_is_made() {
    let world = World::new();
    let set = keys(&[jwk(&world.key, "a")]);
    let receiver = Receiver::builder(&EHEALTH).audience("https://idp.example/auth/realms/M2M");
    let receiver = receiver.clients(RegisteredClients::default().keys("one", set));
    let receiver = receiver.build().unwrap();
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
    let accept = |made: UnixTime| {
        let mut claims = claims("one", receiver.audience());
        claims["iat"] = json!(made.as_secs());
        claims["exp"] = json!(made.as_secs() + 30);
        let assertion = world.sign(&header, &claims);
        receiver.accept_at(&TokenForm::of_assertion(assertion), made)
    };
    let before = accept(now().saturating_sub(1)).unwrap_err();
    let words = "unavailable: the replay store: it was made before the memory";
    assert!(before.to_string().starts_with(words), "{before}");
    accept(now().saturating_add(60)).unwrap();
}

/// RFC 7515 section 4.1.8, for a scheme of one's own: the key of a certificate counts while that is valid.
#[test]
fn a_certificate_that_is_named_by_its_thumbprint_counts_while_it_is_valid() {
    let audience = "https://as.example/token";
    let acme =
        format!("[scheme.acme]\nkey = \"x5t#S256\"\naudience = \"{audience}\"\nlifetime = 60\n");
    let acme = own::rules(&own::from_toml(&acme).unwrap(), "acme").unwrap();
    let (begin, end) = (now(), now().saturating_add(600));
    let seal = CertificateSpec::seal().valid(begin.as_secs(), end.as_secs());
    let world = World::new().sealed_as("NTRNL-12345678", seal);
    let clients = RegisteredClients::default().certificate("one", &world.chain[0]);
    let receiver = Receiver::builder(acme).audience(audience).clients(clients);
    let receiver = receiver.replay(Arc::new(MemoryStore::new(1000)));
    let receiver = receiver.build().unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &world.chain[0]);
    let header = json!({ "alg": "RS256", "x5t#S256": to_base64url(digest.as_ref()) });
    let accept = |at: UnixTime| {
        let mut claims = claims("one", audience);
        claims["iat"] = json!(at.as_secs());
        claims["exp"] = json!(at.as_secs() + 30);
        let form = TokenForm::of_assertion(world.sign(&header, &claims));
        let accepted = receiver.accept_at(&form, at).map(|_| ());
        accepted.map_err(|rejection| rejection.rule().name())
    };
    assert_eq!(accept(begin.saturating_sub(1)), Err("key-known"));
    assert_eq!([accept(begin), accept(end)], [Ok(()); 2]);
    assert_eq!(accept(end.saturating_add(1)), Err("key-known"));
}

#[test]
fn a_provider_of_fiam_refuses_a_seal_that_was_revoked() {
    let world = World::new();
    let clients = RegisteredClients::default().certificate(CUSTOMER, &world.chain[0]);
    let lists = world.lists(&[&world.chain[0]]);
    let receiver = Receiver::builder(&FIAM).audience(FIAM_PROVIDER);
    let receiver = receiver.revocation(Revocation::by_lists(lists));
    let receiver = receiver.trust(world.root()).clients(clients);
    let receiver = receiver.build().unwrap();
    let assertion = world.sign(&world.header(), &claims(CUSTOMER, FIAM_PROVIDER));
    assert_eq!(rule(&receiver, &assertion), Err("revocation"));
}

/// A store that is a server is asked at the end, and not before.
#[derive(Debug)]
struct Distant;

impl ReplayStore for Distant {
    fn remember(&self, _: &Presented) -> Result<Seen, StoreError> {
        Ok(Seen::First)
    }
}

#[test]
fn a_store_that_cannot_tell_without_a_server_keeps_nobody_out() {
    let world = World::new();
    let set = keys(&[jwk(&world.key, "a")]);
    let audience = "https://idp.example/auth/realms/M2M";
    let receiver = Receiver::builder(&EHEALTH).audience(audience);
    let receiver = receiver.replay(Arc::new(Distant));
    let receiver = receiver.clients(RegisteredClients::default().keys("one", set));
    let receiver = receiver.build().unwrap();
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
    let assertion = world.sign(&header, &claims("one", audience));
    assert_eq!(rule(&receiver, &assertion), Ok("one".to_owned()));
}

#[test]
fn a_provider_of_fiam_accepts_the_seals_that_its_customers_registered() {
    let world = World::new();
    let clients = RegisteredClients::default().certificate(CUSTOMER, &world.chain[0]);
    let receiver = Receiver::builder(&FIAM)
        .replay(Arc::new(MemoryStore::new(1000)))
        .audience(FIAM_PROVIDER)
        .trust(world.root())
        .clients(clients)
        .build()
        .unwrap();
    let good = || world.sign(&world.header(), &claims(CUSTOMER, FIAM_PROVIDER));
    let assertion = good();
    assert_eq!(rule(&receiver, &assertion), Ok(CUSTOMER.to_owned()));
    assert_eq!(rule(&receiver, &assertion), Err("replay"));
    assert_eq!(rule(&receiver, &good()), Ok(CUSTOMER.to_owned()));
    // A seal of the same CA is not the customer's, and a customer is no other one.
    let key = test_key("registry", 2048);
    let other = World {
        chain: world.pki.seal_chain(&key),
        key,
        ..World::new()
    };
    let stolen = other.sign(&other.header(), &claims(CUSTOMER, FIAM_PROVIDER));
    assert_eq!(rule(&receiver, &stolen), Err("party-status"));
    let nobody = world.sign(
        &world.header(),
        &claims("EU.EORI.NL987654321", FIAM_PROVIDER),
    );
    assert_eq!(rule(&receiver, &nobody), Err("party-status"));
    // Nobody trusts the root of this one.
    let root = CertificateSpec::authority("Another Root", None);
    let root = Authority::root(test_key("stranger", 2048), root);
    let stranger = World {
        chain: vec![
            root.issue(&world.key.spki_der(), &CertificateSpec::seal()),
            root.certificate,
        ],
        ..World::new()
    };
    let stranger = stranger.sign(&stranger.header(), &claims(CUSTOMER, FIAM_PROVIDER));
    assert_eq!(rule(&receiver, &stranger), Err("chain-trusted"));
}

pub(crate) fn jwk(key: &TestKey, kid: &str) -> Value {
    let public = key.private_key().to_public_key();
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "e": "AQAB",
        "n": to_base64url(&public.n_bytes()),
    })
}

pub(crate) fn keys(keys: &[Value]) -> KeySet {
    KeySet::from_bytes(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

#[test]
fn a_client_of_a_kid_scheme_signs_with_a_key_of_its_own_set() {
    let (one, other) = (test_key("seal", 2048), test_key("registry", 2048));
    for (scheme, audience) in [
        (&EHEALTH, "https://idp.example/auth/realms/M2M"),
        (&ITSME, "https://idp.e2e.itsme.services/v2/token"),
    ] {
        let clients = RegisteredClients::default()
            .keys("one", keys(&[jwk(&one, "a"), jwk(&other, "b")]))
            .keys("two", keys(&[jwk(&other, "a")]));
        let receiver = Receiver::builder(scheme)
            .replay(Arc::new(MemoryStore::new(1000)))
            .audience(audience)
            .clients(clients);
        let receiver = receiver.build().unwrap();
        let header = |kid: &str| json!({ "alg": "RS256", "typ": "JWT", "kid": kid });
        let signed = |key: &TestKey, kid: &str, id: &str| {
            rule(&receiver, &sign(key, &header(kid), &claims(id, audience)))
        };
        for _ in 0..2 {
            assert_eq!(
                signed(&one, "a", "one"),
                Ok("one".to_owned()),
                "{}",
                scheme.name()
            );
            assert_eq!(signed(&other, "b", "one"), Ok("one".to_owned()));
            assert_eq!(signed(&other, "a", "two"), Ok("two".to_owned()));
            // The header is the same for both clients, and the key is not.
            assert_eq!(signed(&one, "a", "two"), Err("signature"));
            assert_eq!(signed(&other, "a", "one"), Err("signature"));
            assert_eq!(signed(&one, "c", "one"), Err("key-known"));
            assert_eq!(signed(&one, "a", "nobody"), Err("key-known"));
        }
    }
}

/// RFC 7515 section 4.1.4: "The kid value MUST be a case-sensitive string"; eHealth's Keycloak finds a key by nothing else.
#[test]
fn each_way_not_to_name_a_key_is_refused_and_a_key_that_is_taken_back_signs_no_more() {
    let key = test_key("seal", 2048);
    let audience = "https://idp.example/auth/realms/M2M";
    let clients = |kid| RegisteredClients::default().keys("one", keys(&[jwk(&key, kid)]));
    let receiver = Receiver::builder(&EHEALTH)
        .replay(Arc::new(MemoryStore::new(1000)))
        .audience(audience)
        .clients(clients("a"));
    let receiver = receiver.build().unwrap();
    let signed = |header: Value| rule(&receiver, &sign(&key, &header, &claims("one", audience)));
    for (header, broken) in [
        (json!({ "alg": "RS256", "typ": "JWT" }), "header-kid"),
        (json!({ "alg": "RS256", "kid": "" }), "header-kid"),
        (json!({ "alg": "RS256", "kid": ["a"] }), "header-kid"),
        (json!({ "alg": "RS256", "kid": "A" }), "key-known"),
        (json!({ "alg": "none", "kid": "a" }), "header-alg"),
        (json!({ "alg": "HS256", "kid": "a" }), "header-alg"),
        (
            json!({ "alg": "RS256", "kid": "a", "crit": ["x"], "x": 1 }),
            "header-members",
        ),
    ] {
        assert_eq!(signed(header.clone()), Err(broken), "{header}");
    }
    let header = || json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
    assert_eq!(signed(header()), Ok("one".to_owned()));
    // It was proved a moment ago, and is taken back.
    receiver.set_clients(clients("b"));
    assert_eq!(signed(header()), Err("key-known"));
    receiver.set_clients(RegisteredClients::default());
    assert_eq!(signed(header()), Err("key-known"));
    receiver.set_clients(clients("a"));
    assert_eq!(signed(header()), Ok("one".to_owned()));
    // Another key of the same name counts at once, and the one that was proved no more.
    let other = test_key("registry", 2048);
    let renewed = RegisteredClients::default().keys("one", keys(&[jwk(&other, "a")]));
    receiver.set_clients(renewed);
    assert_eq!(signed(header()), Err("signature"));
    let by_other = sign(&other, &header(), &claims("one", audience));
    assert_eq!(rule(&receiver, &by_other), Ok("one".to_owned()));
    assert_eq!(signed(header()), Err("signature"));
}

/// eHealth demands no `iat`: then `exp` is bounded by the clock, also where the key is known already.
#[test]
fn an_assertion_without_iat_lives_no_longer_than_the_scheme_says() {
    let key = test_key("seal", 2048);
    let audience = "https://idp.example/auth/realms/M2M";
    let clients = RegisteredClients::default().keys("one", keys(&[jwk(&key, "a")]));
    let receiver = Receiver::builder(&EHEALTH)
        .replay(Arc::new(MemoryStore::new(1000)))
        .audience(audience)
        .clients(clients);
    let receiver = receiver.build().unwrap();
    let longest = EHEALTH.lifetime().value().max();
    let signed = |exp: u64, nbf: Option<u64>| {
        let mut claims = claims("one", audience);
        claims.as_object_mut().unwrap().remove("iat");
        claims["exp"] = json!(now().as_secs() + exp);
        if let Some(nbf) = nbf {
            claims["nbf"] = json!(now().as_secs() + nbf);
        }
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
        rule(&receiver, &sign(&key, &header, &claims))
    };
    for _ in 0..2 {
        assert_eq!(signed(longest + 3600, None), Err("lifetime"));
        assert_eq!(signed(longest, Some(60)), Err("time-not-future"));
        assert_eq!(signed(longest, None), Ok("one".to_owned()));
    }
}

#[test]
fn parts_that_make_no_receiver_are_named() {
    let built = |builder: privyseal_receiver::ReceiverBuilder| builder.build().map(|_| ());
    let scheme = ISHARE.title();
    let ishare = || Receiver::builder(&ISHARE).audience(CUSTOMER);
    assert_eq!(
        built(Receiver::builder(&ISHARE)),
        Err(BuildError::NoAudience)
    );
    assert_eq!(built(ishare()), Err(BuildError::NoRegistry(scheme)));
    let scheme = FIAM.title();
    let fiam = || Receiver::builder(&FIAM).audience(FIAM_PROVIDER);
    assert_eq!(built(fiam()), Err(BuildError::NoClients(scheme)));
    let clients = RegisteredClients::default().certificate(CUSTOMER, b"");
    assert_eq!(
        built(fiam().clients(clients)),
        Err(BuildError::NoTrust(scheme))
    );
    let trusting = fiam().trust(Certificates::default()).leeway(61);
    assert_eq!(built(trusting), Err(BuildError::Leeway(61)));
    assert_ne!(built(fiam().leeway(60)), Err(BuildError::Leeway(60)));
    let error = built(Receiver::builder(&ISHARE).audience("x")).unwrap_err();
    assert!(error.to_string().contains("audience"), "{error}");
}

#[test]
fn a_receiver_is_shared_by_threads() {
    fn shared<T: Send + Sync + std::fmt::Debug>() {}
    shared::<Receiver>();
}
