//! Identifiers of organisations from which no party id of iSHARE follows: what is there is said, and what would fit.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use privyseal::pki::party_id::derived;
use privyseal::report::{ChainCheckOptions, ChainReport};
use privyseal_core::UnixTime;
use privyseal_core::cert::Chain;
use privyseal_core::scheme::ISHARE;
use privyseal_test_pki::{Authority, CertificateSpec, test_key};

/// What is said of a leaf with that identifier: by who derives a party id, and in the report of its chain.
fn said(identifier: Option<&str>) -> (String, String) {
    let root = Authority::root(
        test_key("root", 2048),
        CertificateSpec::authority("Root", None),
    );
    let mut seal = CertificateSpec::seal();
    seal.subject = identifier.map_or("CN=seal,C=NL".to_owned(), |it| {
        format!("CN=seal,2.5.4.97={it},C=NL")
    });
    let leaf = root.issue(&test_key("leaf", 2048).spki_der(), &seal);
    let chain = Chain::order(&[&leaf, &root.certificate]).unwrap();
    let now = UnixTime::from_secs(1_800_000_000).unwrap();
    let report = ChainReport::new(&chain, ChainCheckOptions::at(now)).to_string();
    let party = report.lines().last().unwrap().to_owned();
    let derived = derived(&ISHARE, &chain);
    (
        derived.map_or_else(|error| error.to_string(), |id| id.to_string()),
        party,
    )
}

#[test]
fn what_is_there_is_said_where_it_does_not_fit() {
    let (derived, party) = said(Some("NTRNL-12345678"));
    assert_eq!(derived, "did:ishare:EU.NL.NTRNL-12345678");
    assert!(party.contains(&derived), "{party}");
    for unfit in [
        "LEIXG-529900T8BM49AURSDO55",
        "VATEL-094014249",
        "NTRUS-12345678",
        "PSDNL-",
        "NL:KVK-12345678",
        "NTRNL-1234 5678",
        "ntrnl-12345678",
    ] {
        let (derived, party) = said(Some(unfit));
        for text in [derived, party] {
            assert!(
                text.contains(unfit) && text.contains("ETSI EN 319 412-1"),
                "{text}"
            );
            assert!(!text.contains("no organizationIdentifier"), "{text}");
        }
    }
    let (derived, party) = said(None);
    assert!(
        derived.contains("has no organizationIdentifier"),
        "{derived}"
    );
    assert!(party.contains("no organizationIdentifier"), "{party}");
}
