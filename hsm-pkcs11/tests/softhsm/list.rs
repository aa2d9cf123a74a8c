//! What `privyseal keys` shows.

use privyseal_core::signer::Signer as _;
use privyseal_hsm::{FitnessNote, KeyUnfit, ListedCertificate, ListedKey};
use privyseal_pkcs11::{LoginPolicy, Pkcs11Signer, Pkcs11Uri, SignerOptions, list};

use crate::fixture::{right_pin, uri};

type Key = ListedKey<Pkcs11Uri>;

fn listed(path: &str) -> (Vec<Key>, Vec<ListedCertificate<Pkcs11Uri>>) {
    let mut listing = list(&uri(path), &mut right_pin, &SignerOptions::default()).unwrap();
    listing
        .keys
        .sort_by_key(|it| it.uri.id().map(<[u8]>::to_vec));
    (listing.keys, listing.certificates)
}

#[test]
fn keys_with_what_makes_them_fit_or_not() {
    let (keys, certificates) = listed("token=lone%20key");
    let labels: Vec<&str> = keys.iter().filter_map(|key| key.uri.object()).collect();
    assert_eq!(labels, ["signs", "decrypts", "curve", "weak"]);
    assert!(certificates.is_empty());
    assert_eq!(
        keys[0].notes,
        [FitnessNote::Extractable, FitnessNote::NoCertificate]
    );
    assert_eq!(keys[0].mechanism, Some("CKM_RSA_PKCS"));
    assert_eq!(keys[1].notes[0], FitnessNote::Unfit(KeyUnfit::MayNotSign));
    assert_eq!(keys[2].notes[0], FitnessNote::Unfit(KeyUnfit::NotRsa));
    let fit: Vec<bool> = keys.iter().map(Key::is_fit).collect();
    assert_eq!(fit, [true, false, false, false]);
}

#[test]
fn every_uri_can_be_pasted() {
    let (keys, certificates) = listed("token=sign");
    assert_eq!((keys.len(), certificates.len()), (4, 4));
    for key in keys.iter().filter(|key| key.is_fit()) {
        let text = key.uri.to_string();
        let pasted = text.parse().unwrap();
        let signer = Pkcs11Signer::open(&pasted, &mut right_pin, LoginPolicy::default()).unwrap();
        assert_eq!(Some(signer.public_key()), key.public_key.as_ref(), "{text}");
    }
    let leaf = certificates
        .iter()
        .find(|it| it.uri.object() == Some("plain"))
        .unwrap();
    assert!(
        leaf.key
            .as_ref()
            .unwrap()
            .to_string()
            .contains("object=plain;type=private")
    );
    assert!(leaf.uri.to_string().contains("object=plain;type=cert"));
    let root = certificates
        .iter()
        .find(|it| it.uri.object() == Some("root"))
        .unwrap();
    assert_eq!(root.key, None);
}

#[test]
fn the_uri_narrows_the_list() {
    let (keys, certificates) = listed("token=sign;object=plain");
    assert_eq!((keys.len(), certificates.len()), (1, 1));
    assert_eq!(keys[0].notes, []);
    let (keys, certificates) = listed("token=sign;type=cert");
    assert_eq!((keys.len(), certificates.len()), (0, 4));
    let (keys, certificates) = listed("token=sign;id=%04");
    assert_eq!((keys.len(), certificates.len()), (1, 0));
    assert_eq!(keys[0].notes, [FitnessNote::NoCertificate]);
}
