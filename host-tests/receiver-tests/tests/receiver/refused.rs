//! Each sentence of the pages on authentication, broken alone.

use std::sync::Arc;

use privyseal_core::scheme::ISHARE;
use privyseal_receiver::replay::MemoryStore;
use privyseal_receiver::{Revocation, TokenForm};
use privyseal_test_pki::der::element;
use privyseal_test_pki::{CertificateSpec, TestPki, Usage, test_key};
use privyseal_test_servers::ishare_server::party_info;
use serde_json::{Value, json};

use crate::stage::{CONSUMER, Stage, World, sign};

const OTHER: &str = "did:ishare:EU.NL.NTRNL-20000002";

fn stage() -> (World, Stage) {
    let world = World::new();
    let stage = world.play(world.honest());
    (world, stage)
}

/// The same world, whose consumer has another seal.
fn sealed(spec: &CertificateSpec) -> World {
    let world = World::new();
    let chain = world.pki.chain(&world.key.spki_der(), spec);
    World { chain, ..world }
}

/// "The client_id MUST contain the valid iSHARE identifier of the client."
#[test]
fn the_client_id_must_be_the_party_that_signed() {
    let (world, stage) = stage();
    let form = |client_id| TokenForm::of_assertion(world.assertion()).client_id(client_id);
    let refused = stage.receiver.accept(&form("did:ishare:EU.NL.NTRNL-1"));
    assert_eq!(refused.unwrap_err().rule().name(), "client-id");
    let missing = TokenForm::of_assertion(world.assertion());
    let refused = stage.receiver.accept(&missing).unwrap_err();
    assert_eq!(refused.oauth_error(), "invalid_request");
    assert_eq!(refused.text(), "client_id is missing");
    for (claim, value, rule) in [
        (
            "iss",
            json!("did:ishare:EU.NL.NTRNL-20000002"),
            "iss-equals-sub",
        ),
        (
            "sub",
            json!("did:ishare:EU.NL.NTRNL-20000002"),
            "iss-equals-sub",
        ),
        ("iss", Value::Null, "claim-iss"),
        ("sub", json!(7), "claim-sub"),
    ] {
        let assertion = world.with_claims(|claims| claims[claim] = value.clone());
        stage.refuses(&assertion, rule, "");
    }
}

/// "aud MUST contain only the server's party identifier", "MUST be set to expire in 30 seconds", "MUST always contain the
/// iat claim", and what RFC 7523 section 3 demands of the rest.
#[test]
fn each_claim_that_is_wrong_is_named() {
    let (world, stage) = stage();
    let now = crate::stage::now().as_secs();
    let cases: &[(&str, &dyn Fn(&mut Value))] = &[
        ("claim-aud", &|it| it["aud"] = json!("EU.EORI.NL000000009")),
        ("claim-aud", &|it| it["aud"] = json!([it["aud"]])),
        ("claim-aud", &|it| it["aud"] = Value::Null),
        ("lifetime", &|it| {
            it["exp"] = json!(it["iat"].as_u64().unwrap() + 31)
        }),
        ("claim-exp", &|it| it["exp"] = json!("soon")),
        ("claim-iat", &|it| it["iat"] = json!(1.5)),
        ("claim-jti", &|it| it["jti"] = json!("")),
        ("claim-jti", &|it| it["jti"] = json!("x".repeat(256))),
        ("claim-jti", &|it| it["jti"] = json!("\u{e9}".repeat(256))),
        ("claim-nbf", &|it| {
            it["nbf"] = json!(it["iat"].as_u64().unwrap() - 1)
        }),
        ("time-not-future", &|it| {
            it["iat"] = json!(now + 60);
            it["exp"] = json!(now + 90);
        }),
        ("time-not-expired", &|it| {
            it["iat"] = json!(now - 60);
            it["exp"] = json!(now - 30);
        }),
    ];
    for (rule, change) in cases {
        stage.refuses(&world.with_claims(change), rule, "");
    }
    assert_eq!(
        stage.switch.take_asked(),
        [""; 0],
        "nothing of it is the registry's business"
    );
    // "Containing maximum 255 characters", which may have more bytes.
    let jti = "\u{e9}".repeat(255);
    let verified = stage.accept(&world.with_claims(|claims| claims["jti"] = json!(jti)));
    assert_eq!(verified.unwrap().jti(), jti);
}

/// "An assertion counts once."
#[test]
fn of_two_presentations_one_is_accepted() {
    let (world, stage) = stage();
    let assertion = world.assertion();
    stage.accept(&assertion).unwrap();
    stage.refuses(&assertion, "replay", "accepted before");
    // Another signature over the same jti is the same assertion.
    let again = world.with_claims(|claims| {
        claims["jti"] = json!("twice");
    });
    stage.accept(&again).unwrap();
    let other = world.with_claims(|claims| {
        claims["jti"] = json!("twice");
        claims["nbf"] = claims["iat"].clone();
    });
    stage.refuses(&other, "replay", "accepted before");
    // At once, from many threads.
    let assertion = world.assertion();
    let accepted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| stage.accept(&assertion)))
            .collect();
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
        outcomes.flatten().count()
    });
    assert_eq!(accepted, 1);
}

/// A refusal must not use up the jti of an assertion that is good.
#[test]
fn a_forgery_uses_up_no_jti() {
    let (world, stage) = stage();
    let assertion = world.assertion();
    let forged = format!("{}AAAA", &assertion[..assertion.len() - 4]);
    stage.refuses(&forged, "signature", "");
    stage.accept(&assertion).unwrap();
    // And of a header that is known by now.
    let assertion = world.assertion();
    let forged = format!("{}AAAA", &assertion[..assertion.len() - 4]);
    stage.refuses(&forged, "signature", "");
    stage.accept(&assertion).unwrap();
}

/// A known header of another party does not make its holder somebody else.
#[test]
fn nobody_signs_for_another_party() {
    let (world, stage) = stage();
    stage.accept(&world.assertion()).unwrap();
    let assertion = world.with_claims(|claims| {
        claims["iss"] = json!(OTHER);
        claims["sub"] = json!(OTHER);
    });
    let form = TokenForm::of_assertion(assertion).client_id(OTHER);
    let refused = stage.receiver.accept(&form).unwrap_err();
    assert_eq!(refused.rule().name(), "client-id-in-leaf");
    // With the header of the party, and the key of another.
    let thief = test_key("registry", 2048);
    let stolen = sign(&thief, &world.header(), &world.claims());
    stage.refuses(&stolen, "signature", "");
}

/// "x5c contains the complete chain, and no other header member."
#[test]
fn each_part_of_the_header_that_is_wrong_is_named() {
    let (world, stage) = stage();
    let cases: &[(&str, &dyn Fn(&mut Value))] = &[
        ("header-alg", &|it| it["alg"] = json!("none")),
        ("header-alg", &|it| it["alg"] = json!("HS256")),
        ("header-alg", &|it| it["alg"] = json!("PS256")),
        ("header-typ", &|it| it["typ"] = json!("at+jwt")),
        ("header-members", &|it| it["kid"] = json!("a")),
        ("header-members", &|it| it["crit"] = json!(["exp"])),
        ("header-x5c", &|it| it["x5c"] = Value::Null),
        ("x5c-root", &|it| {
            it["x5c"].as_array_mut().unwrap().pop();
        }),
        ("x5c-order", &|it| {
            it["x5c"].as_array_mut().unwrap().reverse()
        }),
    ];
    for (rule, change) in cases {
        let mut header = world.header();
        change(&mut header);
        stage.refuses(&world.sign(&header, &world.claims()), rule, "");
    }
    for bad in ["", "a.b", "a.b.c.d", "a.b=.c", &"a".repeat(100_000)] {
        stage.refuses(bad, "jws-form", "");
    }
    assert_eq!(stage.switch.take_asked(), [""; 0]);
}

/// "A request in iSHARE must always be signed by a certificate that is issued by a certificate authority on the trusted
/// list of iSHARE."
#[test]
fn a_seal_of_a_ca_that_is_not_on_the_trusted_list_is_refused() {
    let (world, stage) = stage();
    // The same names, other keys' certificates: nobody listed them.
    let stranger = World {
        chain: TestPki::new().seal_chain(&world.key),
        ..World::new()
    };
    stage.refuses(
        &stranger.assertion(),
        "chain-trusted",
        "none of the chain's CAs",
    );
    assert_eq!(stage.switch.take_asked(), ["list"], "nobody was looked up");
    for (member, value, words) in [
        ("validity", "invalid", "not valid"),
        ("status", "withdrawn", "not granted"),
    ] {
        let mut config = world.honest();
        config.trusted_list[0][member] = json!(value);
        world
            .play(config)
            .refuses(&world.assertion(), "chain-trusted", words);
    }
}

/// "For eIDAS eSEALs it is: Is the Key Usage (2.5.29.15) equal to Non-Repudiation."
#[test]
fn a_certificate_that_is_no_seal_or_not_valid_is_refused() {
    let now = crate::stage::now().as_secs();
    for (spec, rule) in [
        (
            CertificateSpec::seal().usage(&[Usage::DigitalSignature]),
            "leaf-key-usage",
        ),
        (
            CertificateSpec::seal().usage(&[Usage::KeyEncipherment]),
            "leaf-key-usage",
        ),
        (
            CertificateSpec::seal().valid(now - 7200, now - 3600),
            "x5c-dates",
        ),
        (
            CertificateSpec::seal().valid(now + 3600, now + 7200),
            "x5c-dates",
        ),
    ] {
        let world = sealed(&spec);
        world
            .play(world.honest())
            .refuses(&world.assertion(), rule, "");
    }
}

/// RFC 5280 section 4.2.1.10: names that a CA may give, and those that it may not; here all.
#[test]
fn a_name_that_its_ca_may_not_give_is_refused() {
    let world = World::new();
    for (subtrees, expected) in [(0xa0, Ok(())), (0xa1, Err("x5c-chain"))] {
        let any = [0xa4, 0x30, subtrees, 0x30]
            .iter()
            .fold(element(0x30, &[]), |inner, tag| element(*tag, &inner));
        let authority = |name| CertificateSpec::authority(name, None);
        let mut issuing = authority("Issuing");
        issuing.special.push(("2.5.29.30", any));
        let pki = TestPki::with_specs(authority("Root"), authority("Sub"), issuing);
        let world = World {
            chain: pki.seal_chain(&world.key),
            pki,
            key: world.key.clone(),
        };
        let accepted = world.play(world.honest()).accept(&world.assertion());
        let accepted = accepted.map(|_| ());
        assert_eq!(accepted.map_err(|it| it.rule().name()), expected);
    }
}

/// "Any other best practices for validating certificates (such as a check on revocation lists) still apply."
#[test]
fn a_revoked_seal_is_refused_and_so_is_one_of_which_it_cannot_be_told() {
    let world = World::new();
    let good = || Revocation::by_lists(world.lists(&[]));
    let bad = world.lists(&[&world.chain[0]]);
    let unknown = || Revocation::by_lists(world.lists_above());
    let play = |revocation| {
        world.play_with(&ISHARE, world.honest(), |builder| {
            builder.revocation(revocation)
        })
    };
    let stage = play(good());
    stage.accept(&world.assertion()).unwrap();
    // A new list counts at once, for those who are known, too.
    stage.receiver.set_lists(bad);
    stage.refuses(&world.assertion(), "revocation", "was revoked");
    play(unknown()).refuses(&world.assertion(), "revocation", "cannot be told");
    play(unknown().allow_unknown(true))
        .accept(&world.assertion())
        .unwrap();
}

/// "In the information, the status of the party is listed under 'status' and should be equal to 'Active'."
#[test]
fn a_party_that_is_not_active_or_not_known_is_refused() {
    let world = World::new();
    for status in ["NotActive", "Pending", "Revoked", "active"] {
        let stage = world.play(world.registry_of(party_info(CONSUMER, status, &world.chain)));
        stage.refuses(
            &world.assertion(),
            "party-status",
            &format!("not Active but {status}"),
        );
    }
    let stage = world.play(world.registry_of(party_info("EU.EORI.NL1", "Active", &world.chain)));
    stage.refuses(
        &world.assertion(),
        "party-status",
        "does not know the party",
    );
}

/// "One of these certificates should be matching the certificate used for signing the JWT (client assertion)."
#[test]
fn a_certificate_that_the_party_did_not_register_is_refused() {
    let world = World::new();
    let other = world.pki.seal_chain(&test_key("registry", 2048));
    let stage = world.play(world.registry_of(party_info(CONSUMER, "Active", &other)));
    stage.refuses(
        &world.assertion(),
        "party-status",
        "none of those that the party registered",
    );
    // Nor does a record vouch that has none, but for those of version 1.
    let mut party = party_info(CONSUMER, "Active", &world.chain);
    party["certificates"] = json!([]);
    let stage = world.play(world.registry_of(party));
    stage.refuses(&world.assertion(), "party-status", "");
}

/// "Decode the parties_token received and check the signature."
#[test]
fn a_registry_that_is_not_believed_lets_nobody_in() {
    let world = World::new();
    let stage = world.play(world.honest().lying(|it| it.changed_later = true));
    let rejection = stage.accept(&world.assertion()).unwrap_err();
    assert!(rejection.is_temporary(), "{rejection}");
    assert_eq!(
        (rejection.status(), rejection.oauth_error()),
        (503, "temporarily_unavailable")
    );
    assert!(rejection.to_string().contains("was changed"), "{rejection}");
}

/// RFC 7523 section 3, point 7: what cannot be remembered could be replayed.
#[test]
fn a_memory_without_room_lets_nobody_in_and_says_so() {
    let world = World::new();
    let stage = world.play_with(&ISHARE, world.honest(), |it| {
        it.replay(Arc::new(MemoryStore::new(0)))
    });
    stage.refuses(
        &world.assertion(),
        "unavailable",
        "the replay store: it has no room",
    );
}

/// The same answer, whatever was wrong: who asks learns nothing about parties and certificates.
#[test]
fn the_wire_does_not_say_which_rule_it_was() {
    let world = World::new();
    let stage = world.play(world.registry_of(party_info("EU.EORI.NL1", "Active", &world.chain)));
    let unknown = stage.accept(&world.assertion()).unwrap_err();
    let forged = stage.accept("a.b.c").unwrap_err();
    let wire = |it: &privyseal_receiver::Rejection| (it.status(), it.oauth_error());
    assert_eq!(wire(&unknown), (400, "invalid_client"));
    assert_eq!(wire(&unknown), wire(&forged));
}
