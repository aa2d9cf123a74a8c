//! What is accepted, and what is then known.

use privyseal::UnixTime;
use privyseal::http::{HttpOptions, RevocationFetcher};
use privyseal_core::scheme::{ISHARE, ISHARE_1};
use privyseal_receiver::{Revocation, TokenForm};
use privyseal_test_judges::decode::to_hex;
use privyseal_test_pki::der::element;
use privyseal_test_pki::{CertificateSpec, Validity};
use privyseal_test_servers::ishare_server::{fingerprint, party_info};
use serde_json::json;

use crate::stage::{CONSUMER, Stage, World, now};

#[test]
fn an_active_party_is_verified_and_its_claims_certificate_and_roles_are_known() {
    let world = World::new();
    let mut party = party_info(CONSUMER, "Active", &world.chain);
    party["roles"] = json!([{ "role": "ServiceConsumer" }, { "role": "EntitledParty" }]);
    let stage = world.play(world.registry_of(party));
    let assertion = world.with_claims(|claims| claims["jti"] = json!("the-jti"));
    let verified = stage.accept(&assertion).unwrap();
    assert_eq!(verified.id(), CONSUMER);
    assert_eq!(verified.jti(), "the-jti");
    assert_eq!(verified.claims()["aud"], stage.receiver.audience());
    assert!(verified.exp() > now());
    assert_eq!(verified.leaf(), Some(&*world.chain[0]));
    let digest = fingerprint(&world.key.spki_der());
    assert_eq!(to_hex(verified.key_digest()), digest);
    assert_eq!(verified.record().unwrap()["party_id"], CONSUMER);
    assert_eq!(verified.roles(), ["ServiceConsumer", "EntitledParty"]);
}

/// "Clients MUST NOT be pre registered. A look-up in the iSHARE adherence registry is sufficient."
#[test]
fn a_client_that_nobody_registered_is_looked_up_once() {
    let world = World::new();
    let stage = world.play(world.honest());
    for _ in 0..3 {
        stage.accept(&world.assertion()).unwrap();
    }
    let party = "/parties/did%3Aishare%3AEU.NL.NTRNL-12345678";
    assert_eq!(stage.switch.take_asked(), ["list", party]);
}

#[test]
fn clocks_may_differ_by_the_leeway_and_no_more() {
    let world = World::new();
    let stage = world.play_with(&ISHARE, world.honest(), |builder| builder.leeway(5));
    let now = now();
    let at = |iat: u64| {
        let assertion = world.with_claims(|claims| {
            claims["iat"] = json!(iat);
            claims["exp"] = json!(iat + 30);
        });
        let form = TokenForm::of_assertion(assertion).client_id(CONSUMER);
        stage.receiver.accept_at(&form, now).map(|_| ())
    };
    let rule = |iat| at(iat).map_err(|rejection| rejection.rule().name());
    let now = now.as_secs();
    assert_eq!(rule(now + 5), Ok(()));
    assert_eq!(rule(now + 6), Err("time-not-future"));
    assert_eq!(rule(now - 34), Ok(()));
    assert_eq!(rule(now - 35), Err("time-not-expired"));
}

/// Whether a good assertion that is made then is accepted then.
fn accept_at(world: &World, stage: &Stage, at: UnixTime) -> Result<(), &'static str> {
    let assertion = world.with_claims(|claims| {
        claims["iat"] = json!(at.as_secs());
        claims["exp"] = json!(at.as_secs() + 30);
    });
    let form = TokenForm::of_assertion(assertion).client_id(CONSUMER);
    let accepted = stage.receiver.accept_at(&form, at).map(|_| ());
    accepted.map_err(|rejection| rejection.rule().name())
}

/// What was proved of a header counts no longer than its certificates.
#[test]
fn a_certificate_that_ends_after_it_was_proved_is_refused() {
    let (now, end) = (now(), now().saturating_add(60));
    let seal = CertificateSpec::seal().valid(now.as_secs() - 3600, end.as_secs());
    let world = World::new().sealed_as("NTRNL-12345678", seal);
    let stage = world.play(world.honest());
    for at in [now, end] {
        assert_eq!(accept_at(&world, &stage, at), Ok(()));
    }
    let late = accept_at(&world, &stage, end.saturating_add(1));
    assert_eq!(late, Err("x5c-dates"));
}

/// A list that does not say when the next one comes is believed for a week.
#[test]
fn a_chain_is_proved_again_after_four_fifths_of_its_time_and_not_before() {
    let world = World::new();
    let begins = Validity::years_from_now(1).not_before;
    let revocation = Revocation::by_lists(world.lists_with(&world.pki.issuing.passing_list()));
    let stage = world.play_with(&ISHARE, world.honest(), |it| it.revocation(revocation));
    let proved = UnixTime::from_secs(begins + 7 * 24 * 3600 - 100).unwrap();
    let accept = |later| accept_at(&world, &stage, proved.saturating_add(later));
    assert_eq!([0, 239].map(accept), [Ok(()); 2]);
    assert_eq!(accept(240), Err("revocation"));
}

/// What was proved counts on while no CA can be asked, and nobody else gets in.
#[test]
fn lists_that_are_taken_away_keep_nobody_out_who_was_proved() {
    let place = b"http://127.0.0.1:1/list";
    let place = [0xa0, 0xa0, 0x30, 0x30]
        .iter()
        .fold(element(0x86, place), |inner, tag| element(*tag, &inner));
    let mut leaf = CertificateSpec::seal();
    leaf.special.push(("2.5.29.31", place));
    let world = World::new().sealed_as("NTRNL-12345678", leaf.clone());
    let online = RevocationFetcher::new(&HttpOptions::default());
    let revocation = Revocation::by_lists(world.lists(&[])).online(online);
    let stage = world.play_with(&ISHARE, world.honest(), |it| it.revocation(revocation));
    stage.accept(&world.assertion()).unwrap();
    stage.receiver.set_lists(Vec::new());
    stage.accept(&world.assertion()).unwrap();
    let other = world.sealed_as("NTRNL-12345678", leaf);
    stage.refuses(&other.assertion(), "unavailable", "what CAs say");
    stage.receiver.set_lists(world.lists(&[&world.chain[0]]));
    stage.refuses(&world.assertion(), "revocation", "was revoked");
}

/// iSHARE 1.x, as its page prints a record: no certificates, found by the whole subject name.
#[test]
fn a_record_of_version_1_without_certificates_is_found_by_the_subject_name() {
    const EORI: &str = "EU.EORI.NL123456789";
    let world = World::new();
    let mut party = party_info(EORI, "Active", &world.chain);
    party["certificates"][0]["subject_name"] = json!(
        "C=NL, O=Privyseal Test Organization, organizationIdentifier=NTRNL-12345678, CN=Test eSeal"
    );
    // The test registry compares the subject there; the record that goes out has no certificate.
    let config = world.registry_of(party.clone()).lying(|draft| {
        if let Some(found) = draft.claims.pointer_mut("/parties_info/data/0") {
            found.as_object_mut().unwrap().remove("certificates");
        }
    });
    let play = |config| {
        world.play_with(&ISHARE_1, config, |builder| {
            builder.audience("EU.EORI.NL000000001")
        })
    };
    let assertion = || {
        world.with_claims(|claims| {
            claims["iss"] = json!(EORI);
            claims["sub"] = json!(EORI);
            claims["aud"] = json!("EU.EORI.NL000000001");
        })
    };
    let accept = |stage: &Stage| {
        let form = TokenForm::of_assertion(assertion()).client_id(EORI);
        let accepted = stage.receiver.accept(&form);
        accepted.map_err(|rejection| rejection.to_string())
    };
    accept(&play(config)).unwrap();
    // "if at least one attribute is missing validation fails"
    party["certificates"][0]["subject_name"] = json!("C=NL, CN=Test eSeal");
    let refused = accept(&play(world.registry_of(party))).unwrap_err();
    assert!(refused.contains("does not know the party"), "{refused}");
}
