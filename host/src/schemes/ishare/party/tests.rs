use super::*;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::json;
use sha2::{Digest, Sha256};

/// The leaf of iSHARE's public test chain, as printed in the developer portal.
const LEAF: &[u8] =
    include_bytes!("../../../../../host-tests/fixtures/ishare-test-chain/0-leaf.der");

const ROOT: &[u8] =
    include_bytes!("../../../../../host-tests/fixtures/ishare-test-chain/3-root-ca.der");

/// The fingerprint of the leaf, and the one that the portal prints beside it, which is that of nothing there.
const FINGERPRINT: &str = "4670551451113b19425f8d63c3d6ce444b58de60831101748e9fb97b3e8766f8";
const PRINTED: &str = "893aad639bf8b0958edbcf7d719023077d15828701a0a6fcc6d54a0684ce940d";

fn party(certificate: &Value) -> Party {
    let claims = json!({ "party_info": {
        "party_id": ["did:ishare:EU.NL.NTRNL-10000001"],
        "adherence": { "status": "Active" },
        "certificates": [certificate],
    }});
    Party::from_claims(claims.as_object().unwrap()).unwrap()
}

fn judged(certificate: &Value) -> Result<(), PartyFault> {
    party(certificate).check_certificate(&Certificate::from_der(LEAF).unwrap())
}

#[test]
fn a_certificate_is_known_however_registries_write_it() {
    let x5c = Base64::encode_string(LEAF);
    let root = Base64::encode_string(ROOT);
    let lines = x5c.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\r\n");
    let pem = |der: &[u8]| crate::pki::pem::encode("CERTIFICATE", der);
    let base64url = Base64UrlUnpadded::encode_string(&Sha256::digest(LEAF));
    let colons = FINGERPRINT
        .as_bytes()
        .chunks(2)
        .map(String::from_utf8_lossy);
    let colons = colons.collect::<Vec<_>>().join(":");
    for entry in [
        json!({ "x5c": [lines] }),
        json!({ "x5c": [root, x5c] }),
        json!({ "x5c": [pem(LEAF), pem(ROOT)] }),
        json!({ "x5c": pem(ROOT) + "\n" + &pem(LEAF) }),
        json!({ "x5t#s256": colons.to_uppercase() }),
        json!({ "x5t#s256": base64url }),
        json!({ "x5t#S256": base64url + "=" }),
        json!({ "x5c": [x5c] }),
        json!({ "x5c": x5c }),
        json!({ "x5c": format!("[\n \"{x5c}\",\n \"MAA=\" ]") }),
        json!({ "x5t#s256": FINGERPRINT }),
        json!({ "x5t#s256": FINGERPRINT.to_uppercase() }),
        json!({ "x5c": null, "x5t#s256": FINGERPRINT }),
        // The portal's own example.
        json!({ "x5c": [x5c], "x5t#s256": PRINTED }),
    ] {
        assert_eq!(judged(&entry), Ok(()), "{entry}");
    }
}

#[test]
fn what_does_not_match_says_why() {
    let base64url = Base64UrlUnpadded::encode_string(&Sha256::digest(LEAF));
    let other = Base64::encode_string(&[0x30, 0]);
    for (entry, words) in [
        (json!({ "x5t#s256": PRINTED }), "none of those"),
        (
            json!({ "x5t#s256": &base64url[1..] }),
            "no SHA-256 fingerprint",
        ),
        (
            json!({ "x5t#s256": &FINGERPRINT[2..] }),
            "no SHA-256 fingerprint",
        ),
        (
            json!({ "x5c": [Base64::encode_string(ROOT)] }),
            "none of those",
        ),
        (json!({ "x5c": [other] }), "none of those"),
        // A whole certificate counts for more than a fingerprint.
        (
            json!({ "x5c": [other], "x5t#s256": FINGERPRINT }),
            "none of those",
        ),
        (json!({ "x5c": [] }), "x5c that is not"),
        (json!({ "x5c": ["%"] }), "x5c that is not"),
        (json!({}), "neither"),
    ] {
        let fault = judged(&entry).unwrap_err();
        assert!(fault.to_string().contains(words), "{entry}: {fault}");
    }
}

#[test]
fn the_portal_asks_for_one_id_and_prints_another() {
    let party = party(&json!({}));
    assert_eq!(party.check_id("did:ishare:EU.NL.NTRNL-10000001"), Ok(()));
    let asked = "did:ishare:EU.NL.NTRLNL-10000001";
    assert_eq!(party.check_id(asked), Err(PartyFault::OtherParty));
}

#[test]
fn active_is_one_word() {
    for (status, active) in [
        ("Active", true),
        ("active", false),
        ("NotActive", false),
        ("Revoked", false),
        ("", false),
    ] {
        let claims = json!({ "partyInfo": { "partyId": "a", "adherence": { "status": status } } });
        let party = Party::from_claims(claims.as_object().unwrap()).unwrap();
        assert_eq!(party.check_active().is_ok(), active, "{status}");
    }
}

#[test]
fn a_search_must_find_one() {
    let one = json!({ "party_id": "a", "adherence": { "status": "Active" } });
    for (data, expected) in [
        (json!([one]), None),
        (json!([]), Some(PartyFault::Unknown)),
        (json!([one, one]), Some(PartyFault::Several)),
    ] {
        let claims = json!({ "parties_info": { "count": 1, "data": data } });
        let read = Party::from_claims(claims.as_object().unwrap());
        assert_eq!(read.err(), expected);
    }
    for claims in [
        json!({}),
        json!({ "party_info": 1 }),
        json!({ "party_info": { "party_id": "a" } }),
        json!({ "party_info": { "party_id": [], "adherence": { "status": "Active" } } }),
    ] {
        let read = Party::from_claims(claims.as_object().unwrap());
        assert!(matches!(read, Err(PartyFault::Response(_))), "{claims}");
    }
}
