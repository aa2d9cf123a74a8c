//! Which token and which key; what is refused, and what the error lists.

use cryptoki::object::Attribute;
use privyseal_core::signer::{Signer as _, SignerError as _, SignerErrorKind};
use privyseal_hsm::{FitnessNote, KeyPolicy, KeyUnfit};
use privyseal_pkcs11::{Error, Pkcs11Signer, SignerOptions, module_info};

use crate::fixture::{SoftHsm, open, right_pin, softhsm, uri};

pub(crate) fn fill(softhsm: &SoftHsm) {
    softhsm.token("twin").rsa_key("k", &[1], 2048, &[]);
    let twin = softhsm.token("twin");
    twin.skip_key();
    twin.rsa_key("k", &[1], 2048, &[]);
    drop(twin);
    softhsm.token("empty");

    let lone = softhsm.token("lone key");
    lone.rsa_key("signs", &[1], 2048, &[Attribute::Extractable(true)]);
    lone.rsa_key(
        "decrypts",
        &[2],
        2048,
        &[Attribute::Sign(false), Attribute::Decrypt(true)],
    );
    lone.ec_key("curve", &[3]);
    lone.rsa_key("weak", &[4], 1024, &[Attribute::Sign(false)]);

    let several = softhsm.token("several");
    several.rsa_key("same", &[1], 2048, &[]);
    several.rsa_key("same", &[2], 2048, &[]);
    several.rsa_key("weak", &[3], 1024, &[]);
    several.rsa_key(
        "per-use",
        &[4],
        2048,
        &[Attribute::AlwaysAuthenticate(true)],
    );

    let alike = softhsm.token("alike");
    alike.rsa_key("same", &[1], 2048, &[]);
    alike.rsa_key("same", &[1], 2048, &[]);
    drop(alike);

    let lax = softhsm.token("lax");
    lax.rsa_key("readable", &[1], 2048, &[Attribute::Sensitive(false)]);
    lax.rsa_key("public", &[2], 2048, &[Attribute::Private(false)]);
    lax.rsa_key("leaves", &[3], 2048, &[Attribute::Extractable(true)]);
    lax.rsa_key("small", &[4], 2048, &[]);
}

fn refusal(path: &str) -> (SignerErrorKind, String) {
    let error = open(path).unwrap_err();
    (error.kind(), error.to_string())
}

#[track_caller]
fn refused(path: &str, kind: SignerErrorKind, words: &[&str]) {
    let (its_kind, text) = refusal(path);
    assert_eq!(its_kind, kind, "{text}");
    for words in words {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

#[test]
fn no_such_token() {
    // There are more than a message lists.
    let there_is = ["none fits", "there is pkcs11:model=SoftHSM%20v2", " more"];
    refused("token=absent", SignerErrorKind::NotFound, &there_is);
    refused("slot-id=4294967295", SignerErrorKind::NotFound, &there_is);
    refused("token=sign;serial=0", SignerErrorKind::NotFound, &there_is);
    refused(
        "token=sign;slot-description=none",
        SignerErrorKind::NotFound,
        &["none fits"],
    );
    refused(
        "token=sign;library-description=other",
        SignerErrorKind::NotFound,
        &["library"],
    );
}

#[test]
fn twins_are_told_apart_by_serial() {
    let (kind, text) = refusal("token=twin");
    assert_eq!(kind, SignerErrorKind::Ambiguous);
    assert!(text.contains("2 fit the URI"), "{text}");
    let serials: Vec<&str> = text
        .split("serial=")
        .skip(1)
        .filter_map(|rest| rest.split(';').next())
        .collect();
    assert_eq!(serials.len(), 2, "{text}");
    let [one, other] = [serials[0], serials[1]]
        .map(|serial| open(&format!("token=twin;serial={serial}")).unwrap());
    assert_ne!(one.public_key(), other.public_key());
}

/// What `doctor` shows as meant is what opens.
#[test]
fn a_survey_means_what_is_opened() {
    let meant = |path: &str| -> Vec<u64> {
        let slots = module_info(&uri(path)).unwrap().slots;
        let meant = slots.iter().filter(|slot| slot.matches_uri);
        meant.map(|slot| slot.slot_id).collect()
    };
    let twins = meant("token=twin");
    assert_eq!(twins.len(), 2);
    for slot in twins {
        let path = format!("token=twin;slot-description=SoftHSM%20slot%20ID%20{slot:#x}");
        assert_eq!(meant(&path), [slot]);
        assert_eq!(open(&path).unwrap().token().slot_id, slot);
    }
    assert_eq!(meant("token=twin;slot-manufacturer=none"), [0; 0]);
}

#[test]
fn by_slot_number() {
    let slot = softhsm().slot_of("lone key").id();
    let signer = open(&format!("slot-id={slot};object=signs")).unwrap();
    assert_eq!(signer.token().label, "lone key");
}

#[test]
fn library_and_slot_attributes_that_fit() {
    let path = "library-manufacturer=SoftHSM;slot-manufacturer=SoftHSM%20project;token=lone%20key";
    assert!(open(path).is_ok());
}

#[test]
fn the_only_key_that_can_sign() {
    let signer: Pkcs11Signer = open("token=lone%20key").unwrap();
    assert!(signer.uri().to_string().contains("object=signs"));
    assert_eq!(
        signer.notes(),
        [FitnessNote::Extractable, FitnessNote::NoCertificate]
    );
}

#[test]
fn no_such_key() {
    let there_is = [
        "none fits",
        "object=signs",
        "object=decrypts",
        "(may not sign)",
        "(not RSA)",
    ];
    refused(
        "token=lone%20key;object=absent",
        SignerErrorKind::NotFound,
        &there_is,
    );
    refused(
        "token=lone%20key;object=signs;id=%02",
        SignerErrorKind::NotFound,
        &there_is,
    );
    refused(
        "token=empty",
        SignerErrorKind::NotFound,
        &["there is none at all"],
    );
    refused(
        "token=lone%20key;type=data",
        SignerErrorKind::Configuration,
        &["type"],
    );
}

#[test]
fn several_keys() {
    let both = ["id=%01", "id=%02"];
    refused(
        "token=several;object=same",
        SignerErrorKind::Ambiguous,
        &both,
    );
    refused("token=several", SignerErrorKind::Ambiguous, &both);
    assert!(open("token=several;object=same;id=%02").is_ok());
}

#[test]
fn keys_that_look_alike_are_told_apart_by_the_modulus() {
    let (kind, text) = refusal("token=alike");
    assert_eq!(kind, SignerErrorKind::Ambiguous, "{text}");
    let moduli: Vec<&str> = text
        .split("(modulus ")
        .skip(1)
        .map(|it| &it[..16])
        .collect();
    assert!(moduli.len() == 2 && moduli[0] != moduli[1], "{text}");
    assert!(text.contains("give it another label or id"), "{text}");
}

#[test]
fn unfit_keys() {
    for (path, words) in [
        (
            "token=lone%20key;object=decrypts",
            "may not sign (CKA_SIGN is false)",
        ),
        ("token=lone%20key;object=curve", "is not an RSA key"),
        ("token=several;object=weak", "RSA-1024"),
        ("token=several;object=per-use", "CKA_ALWAYS_AUTHENTICATE"),
    ] {
        refused(path, SignerErrorKind::KeyUnfit, &[words]);
    }
    let error = open("token=several;object=per-use").unwrap_err();
    assert!(
        matches!(
            error,
            Error::Key {
                reason: KeyUnfit::AlwaysAuthenticate,
                ..
            }
        ),
        "{error}"
    );
}

/// Each flag of the policy: what it refuses by default, and what it lets pass if it is told to.
#[test]
fn the_policy_decides() {
    let careful = KeyPolicy::default();
    let extractable = careful.refuse_extractable(true);
    let certified = careful.require_certificate(true);
    let large = careful.min_bits(3072);
    let readable = careful.allow_not_sensitive(true);
    let public = careful.allow_public_object(true);
    let too_small = KeyUnfit::TooSmall {
        bits: 2048,
        min: 3072,
    };
    for (object, policy, refusal) in [
        ("readable", careful, Some(KeyUnfit::NotSensitive)),
        ("readable", readable, None),
        ("public", careful, Some(KeyUnfit::PublicObject)),
        ("public", public, None),
        ("leaves", careful, None),
        ("leaves", extractable, Some(KeyUnfit::Extractable)),
        ("small", careful, None),
        ("small", large, Some(too_small)),
        ("small", certified, Some(KeyUnfit::NoCertificate)),
    ] {
        let options = SignerOptions::default().key(policy);
        let uri = uri(&format!("token=lax;object={object}"));
        let reason = match Pkcs11Signer::open_with(&uri, right_pin, &options) {
            Ok(_) => None,
            Err(Error::Key { reason, .. }) => Some(reason),
            Err(other) => panic!("{object}: {other}"),
        };
        assert_eq!(reason, refusal, "{object} {policy:?}");
    }
}
