//! What a registry says about parties and CAs, and what it then vouches for.

use privyseal::Certificates;
use privyseal::pki::links::HostLinks;
use privyseal::schemes::ishare::{ListFault, PartyFault, PartyQuery};
use privyseal_core::cert::Certificate;
use privyseal_test_judges::decode::to_base64url;
use privyseal_test_pki::{CertificateSpec, TestPki, test_key};
use privyseal_test_servers::ishare_server::{fingerprint, list_entry, party_info};
use serde_json::{Value, json};

use crate::stage::{CLIENT, PARTY, World, said};

/// What the registry then says about the client's own leaf.
fn verdict(world: &World, party: Value) -> Result<(), PartyFault> {
    let stage = world.play(world.registry_of(party));
    let party = stage.party(CLIENT).unwrap();
    party.check_active()?;
    party.check_certificate(&Certificate::from_der(&world.chain[0]).unwrap())
}

#[test]
fn a_party_is_active_or_it_is_not() {
    let world = World::new();
    assert_eq!(
        verdict(&world, party_info(CLIENT, "Active", &world.chain)),
        Ok(())
    );
    for status in ["NotActive", "Pending", "Revoked", "active"] {
        let fault = verdict(&world, party_info(CLIENT, status, &world.chain)).unwrap_err();
        assert_eq!(
            fault.to_string(),
            format!("the registry says that the party is not Active but {status}")
        );
    }
}

#[test]
fn only_a_registered_certificate_is_the_party_s() {
    let world = World::new();
    let good = party_info(CLIENT, "Active", &world.chain);
    let with = |entry: Value| {
        let mut party = good.clone();
        party["certificates"] = json!([entry]);
        party
    };
    let other = world.pki.chain(
        &test_key("registry", 2048).spki_der(),
        &CertificateSpec::seal(),
    );
    let hex = fingerprint(&world.chain[0]);
    let digest: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    for known in [hex.clone(), to_base64url(&digest)] {
        assert_eq!(verdict(&world, with(json!({ "x5t#s256": known }))), Ok(()));
    }
    for (entry, words) in [
        (
            json!({ "x5t#s256": fingerprint(&other[0]) }),
            "none of those",
        ),
        (json!({ "x5t#s256": &hex[2..] }), "no SHA-256 fingerprint"),
        (
            json!({ "subject_name": good["certificates"][0]["subject_name"] }),
            "neither x5c nor x5t#s256",
        ),
        (
            party_info(CLIENT, "Active", &other)["certificates"][0].clone(),
            "none of those",
        ),
        // The CA that issued it is not it.
        (
            json!({ "x5t#s256": fingerprint(&world.chain[1]) }),
            "none of those",
        ),
    ] {
        let fault = verdict(&world, with(entry.clone())).unwrap_err();
        assert!(fault.to_string().contains(words), "{entry}: {fault}");
    }
}

#[test]
fn another_party_than_was_asked_for_is_refused() {
    let world = World::new();
    let config = world.registry().lying(|it| {
        if let Some(info) = it.claims.get_mut("party_info") {
            info["party_id"] = json!([PARTY]);
        }
    });
    let error = world.play(config).party(CLIENT).unwrap_err();
    assert!(said(&error).contains("another party"), "{error}");
    let unknown = world.play(world.registry()).party(PARTY).unwrap_err();
    assert!(said(&unknown).contains("HTTP 404"), "{unknown}");
}

#[test]
fn the_old_form_asks_by_eori_and_subject() {
    let world = World::new();
    let eori = "EU.EORI.NL123456789";
    let party = party_info(eori, "Active", &world.chain);
    let subject = party["certificates"][0]["subject_name"]
        .as_str()
        .unwrap()
        .to_owned();
    let stage = world.play(world.registry_of(party));
    let ask = |eori, subject_name| {
        stage
            .registry()
            .party(PartyQuery::Eori { eori, subject_name })
    };
    for name in [None, Some(subject.as_str())] {
        assert!(ask(eori, name).unwrap().is_active());
    }
    for (eori, name) in [(eori, Some("C=NL, CN=Somebody")), ("EU.EORI.NL1", None)] {
        let error = ask(eori, name).unwrap_err();
        assert!(said(&error).contains("does not know the party"), "{error}");
    }
}

/// A list with one CA, as it is changed, asked about the client's chain.
fn listed(world: &World, ca: usize, change: impl Fn(&mut Value)) -> Result<(), ListFault> {
    let mut config = world.registry();
    let mut entry = list_entry(&world.chain[ca]);
    change(&mut entry);
    config.trusted_list = vec![entry];
    let list = world.play(config).list().unwrap();
    let certificates = Certificates::from(world.chain.clone());
    list.vouches_for(&certificates.chain().unwrap().prove(&HostLinks).unwrap())
}

#[test]
fn a_ca_of_the_chain_must_be_on_the_list_valid_and_granted() {
    let world = World::new();
    for ca in [1, 2, 3] {
        assert_eq!(listed(&world, ca, |_| {}), Ok(()), "{ca}");
        let lower = |entry: &mut Value| {
            let text = entry["certificate_fingerprint"]
                .as_str()
                .unwrap()
                .to_lowercase();
            entry["certificate_fingerprint"] = json!(text);
        };
        assert_eq!(listed(&world, ca, lower), Ok(()));
    }
    // A leaf is no CA, whatever the list says.
    assert_eq!(listed(&world, 0, |_| {}), Err(ListFault::NotListed));
    let validity = "invalid".to_owned();
    assert_eq!(
        listed(&world, 1, |entry| entry["validity"] = json!("invalid")),
        Err(ListFault::NotValid { validity })
    );
    for status in [
        "withdrawn",
        "supervisionceased",
        "undersupervision",
        "grant",
    ] {
        let expected = ListFault::NotGranted {
            status: status.to_owned(),
        };
        assert_eq!(
            listed(&world, 1, |entry| entry["status"] = json!(status)),
            Err(expected)
        );
    }
    assert_eq!(
        listed(&world, 1, |entry| entry["subject"] =
            json!("C=NL, CN=Another CA")),
        Err(ListFault::OtherSubject)
    );
    let base64url = |entry: &mut Value| entry["certificate_fingerprint"] = json!("AQID");
    assert_eq!(listed(&world, 1, base64url), Err(ListFault::NotListed));
}

/// A CA that was withdrawn is not made good by the one above it.
#[test]
fn the_nearest_listed_ca_decides() {
    let world = World::new();
    let mut config = world.registry();
    config.trusted_list[0]["status"] = json!("withdrawn");
    let list = world.play(config).list().unwrap();
    let certificates = Certificates::from(world.chain.clone());
    let chain = certificates.chain().unwrap();
    assert!(matches!(
        list.vouches_for(&chain),
        Err(ListFault::NotGranted { .. })
    ));
}

/// CAs with the right names and other keys are not those on the list.
#[test]
fn a_ca_of_the_same_name_is_not_the_one_on_the_list() {
    let world = World::new();
    let list = world.play(world.registry()).list().unwrap();
    // New certificates of the same authorities: other bytes, other fingerprints.
    let again = TestPki::new().seal_chain(&world.key);
    let certificates = Certificates::from(again);
    let verdict = list.vouches_for(&certificates.chain().unwrap());
    assert_eq!(verdict, Err(ListFault::NotListed));
}
