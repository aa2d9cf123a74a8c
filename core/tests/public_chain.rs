//! The public iSHARE test chain: four real certificates, RSA-2048 under three RSA-4096 CAs.

#![allow(clippy::unwrap_used)]
#![allow(clippy::large_stack_arrays)] // headers, in a test

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::cert::{
    Certificate, CertificateError, Chain, ChainError, KeyUsage, LinkError, RsaLinks,
};
use privyseal_core::credential::{KeyName, Profile, encode_header};
use privyseal_core::encoding::sink::SliceSink;
use privyseal_core::error::{AttachError, Error};
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::payload::Payload;
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::{AssertionRequest, Audience, ClientId, Credential, Jti, UnixTime, scheme};
use sha2::{Digest as _, Sha256};

const LEAF: &[u8] = include_bytes!("../../host-tests/fixtures/ishare-test-chain/0-leaf.der");
const ISSUING: &[u8] =
    include_bytes!("../../host-tests/fixtures/ishare-test-chain/1-issuing-ca.der");
const SUB: &[u8] = include_bytes!("../../host-tests/fixtures/ishare-test-chain/2-sub-ca.der");
const ROOT: &[u8] = include_bytes!("../../host-tests/fixtures/ishare-test-chain/3-root-ca.der");
const IN_ORDER: [&[u8]; 4] = [LEAF, ISSUING, SUB, ROOT];

/// 2026-06-01, inside every certificate's dates.
const NOW: u64 = 1_780_272_000;

fn credential(scheme: &'static scheme::Scheme, id: &str) -> Credential<[u8; MAX_HEADER]> {
    let chain = Chain::order(&IN_ORDER).unwrap().prove(&RsaLinks).unwrap();
    let key = chain.leaf().unwrap().rsa_key().unwrap();
    let client_id = ClientId::new(id).unwrap();
    Credential::new(scheme, client_id, &chain, &key, [0; MAX_HEADER]).unwrap()
}

fn request(jti: &str) -> AssertionRequest<'_> {
    AssertionRequest {
        audience: Some(Audience::new("EU.EORI.NL000000001").unwrap()),
        ..AssertionRequest::new(UnixTime::from_secs(NOW).unwrap(), Jti::new(jti).unwrap())
    }
}

#[test]
fn any_order_given_becomes_leaf_to_root() {
    let orders: [[usize; 4]; 5] = [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [1, 0, 3, 2],
        [2, 3, 0, 1],
        [0, 3, 2, 1],
    ];
    for order in orders {
        let given = order.map(|index| IN_ORDER[index]);
        let chain = Chain::order(&given).unwrap();
        let got: Vec<_> = chain
            .certificates()
            .iter()
            .map(Certificate::as_der)
            .collect();
        assert_eq!(got, IN_ORDER, "{order:?}");
        assert!(chain.has_root());
    }
}

#[test]
fn the_leaf_says_what_the_seed_says() {
    let leaf = Certificate::from_der(LEAF).unwrap();
    assert_eq!(
        leaf.subject().organization_identifier(),
        Some("NTRNL-10000001")
    );
    assert_eq!(leaf.subject().common_name(), Some("Test Service Consumer"));
    let usages: Vec<_> = leaf.key_usages().unwrap().iter().collect();
    assert_eq!(usages, [KeyUsage::NonRepudiation]);
    assert!(!leaf.is_ca());
    assert_eq!(leaf.rsa_key().unwrap().bits(), 2048);
    assert_eq!(leaf.not_before().to_string(), "2024-11-06T14:45:41Z");
    assert_eq!(leaf.not_after().to_string(), "2027-11-06T14:45:40Z");
    assert_eq!(leaf.extended_key_usages().count(), 2);
}

/// What a scheme takes of the leaf, and the party that it names.
#[test]
fn a_leaf_is_for_its_organisation_and_for_seals() {
    let [leaf, issuing] = [LEAF, ISSUING].map(|der| Certificate::from_der(der).unwrap());
    let ishare = scheme::ISHARE.rules();
    let own = ishare.client_id_of_leaf(&leaf).unwrap();
    assert_eq!(own.as_str(), "did:ishare:EU.NL.NTRNL-10000001");
    assert_eq!(own.to_string(), own.as_str());
    assert_eq!(scheme::ITSME.client_id_of_leaf(&leaf), None);
    let test = ishare.client_id_of_leaf(&issuing).unwrap();
    assert_eq!(test.as_str(), "did:ishare:EU.NL.NTRNL-iSHARETEST");
    for (id, expected) in [
        (own.as_str(), Some(true)),
        ("did:ishare:EU.NL.NTRNL-10000002", Some(false)),
        ("EU.EORI.NL123456789", None),
    ] {
        let id = ClientId::new(id).unwrap();
        assert_eq!(ishare.is_client_id_in_leaf(&id, &leaf), expected, "{id}");
        assert_eq!(ishare.check_client_id(&id), Ok(()));
    }
    let id = ClientId::new("my-client").unwrap();
    assert!(ishare.check_client_id(&id).is_err());
    assert_eq!(ishare.check_leaf_key_usage(Some(&leaf)), Ok(()));
    for wrong in [Some(&issuing), None] {
        let refused = ishare.check_leaf_key_usage(wrong);
        assert!(matches!(refused, Err(ChainError::LeafKeyUsage { .. })));
    }
    assert_eq!(ishare.check_leaf_purpose(Some(&leaf)), Ok(()));
    assert_eq!(ishare.built_in(), Some(&scheme::ISHARE));
}

#[test]
fn the_chain_is_proved_link_by_link() {
    let chain = Chain::order(&IN_ORDER).unwrap();
    let issuing = &chain.certificates()[1];
    assert_eq!(issuing.basic_constraints().unwrap().path_len, Some(1));
    assert_eq!(chain.validity().first_to_end, 0);
    chain.prove(&RsaLinks).unwrap();
}

#[test]
fn one_changed_byte_breaks_the_proof_or_the_parser() {
    // The last byte belongs to the signature, an early one to the signed part.
    let mut changed = SUB.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    let error = Chain::order(&[LEAF, ISSUING, &changed, ROOT])
        .unwrap()
        .prove(&RsaLinks);
    assert_eq!(
        error.unwrap_err(),
        ChainError::Link {
            position: 2,
            error: LinkError::BadSignature
        }
    );
    for at in 0..LEAF.len() {
        let mut changed = LEAF.to_vec();
        changed[at] ^= 0x20;
        let proved =
            Chain::order(&[&changed, ISSUING, SUB, ROOT]).and_then(|chain| chain.prove(&RsaLinks));
        assert!(proved.is_err(), "byte {at}");
    }
}

#[test]
fn what_is_no_chain() {
    assert_eq!(Chain::order(&[]).unwrap_err(), ChainError::Empty);
    assert_eq!(
        Chain::order(&[LEAF, LEAF]).unwrap_err(),
        ChainError::Duplicate { position: 1 }
    );
    assert_eq!(
        Chain::order(&[LEAF, SUB, ROOT]).unwrap_err(),
        ChainError::Unrelated { position: 1 },
        "the issuing CA is missing"
    );
    assert_eq!(
        Chain::order(&[LEAF, &LEAF[..100]]).unwrap_err(),
        ChainError::Certificate {
            position: 1,
            error: CertificateError::Malformed { offset: Some(100) }
        }
    );
    let mut trailing = LEAF.to_vec();
    trailing.push(0);
    assert!(matches!(
        Chain::order(&[&trailing]),
        Err(ChainError::Certificate { .. })
    ));
    let ca_alone = Chain::order(&[ISSUING, SUB, ROOT])
        .unwrap()
        .prove(&RsaLinks);
    assert_eq!(ca_alone.unwrap_err(), ChainError::LeafIsCa);
}

#[test]
fn truncation_at_every_byte_is_an_error() {
    for len in 0..LEAF.len() {
        assert!(Certificate::from_der(&LEAF[..len]).is_err(), "{len}");
    }
}

#[test]
fn a_scheme_wants_the_root() {
    let chain = Chain::order(&[LEAF, ISSUING, SUB])
        .unwrap()
        .prove(&RsaLinks)
        .unwrap();
    let key = chain.leaf().unwrap().rsa_key().unwrap();
    let client_id = ClientId::new("EU.EORI.NL123456789").unwrap();
    let error = Credential::new(&scheme::FIAM, client_id, &chain, &key, [0; MAX_HEADER]);
    assert_eq!(error.unwrap_err(), Error::Chain(ChainError::MissingRoot));
}

#[test]
fn another_key_than_the_leafs_is_refused() {
    let chain = Chain::order(&IN_ORDER).unwrap().prove(&RsaLinks).unwrap();
    let key = chain.certificates()[1].rsa_key().unwrap();
    let client_id = ClientId::new("EU.EORI.NL123456789").unwrap();
    let error = Credential::new(&scheme::FIAM, client_id, &chain, &key, [0; MAX_HEADER]);
    assert_eq!(error.unwrap_err(), Error::KeyMismatch);
}

/// `schemes.md`: header JSON 8,059 bytes, 173 blocks of SHA-256, 167 of them constant.
#[test]
fn the_sizes_are_those_measured_elsewhere() {
    let credential = credential(&scheme::ISHARE, "did:ishare:EU.NL.NTRNL-10000001");
    assert_eq!(credential.header().len(), (8059_usize * 4).div_ceil(3));
    const { assert!(8059 * 4 / 3 < MAX_HEADER) };
    assert_eq!((credential.header().len() + 1) / 64, 167);
}

#[test]
fn a_buffer_of_exactly_the_header_works_and_one_less_is_named() {
    let len = credential(&scheme::FIAM, "EU.EORI.NL123456789")
        .header()
        .len();
    let chain = Chain::order(&IN_ORDER).unwrap().prove(&RsaLinks).unwrap();
    let key = chain.leaf().unwrap().rsa_key().unwrap();
    let make = |len| {
        let client_id = ClientId::new("EU.EORI.NL123456789").unwrap();
        let mut buffer = vec![0; len];
        Credential::new(
            &scheme::FIAM,
            client_id,
            &chain,
            &key,
            buffer.as_mut_slice(),
        )
        .map(|_| ())
    };
    assert!(make(len).is_ok());
    let message = make(len - 1).unwrap_err().to_string();
    assert!(message.starts_with("header is "), "{message}");
}

#[test]
fn the_clock_is_checked() {
    let credential = credential(&scheme::FIAM, "EU.EORI.NL123456789");
    let at = |now| {
        let now = UnixTime::from_secs(now).unwrap();
        credential
            .prepare(&AssertionRequest {
                now,
                audience: None,
                ..request("j")
            })
            .map(|_| ())
    };
    assert_eq!(at(NOW), Ok(()));
    let not_after = 1_825_512_340; // 2027-11-06T14:45:40Z
    assert_eq!(at(not_after), Ok(()));
    let message = at(not_after + 1).unwrap_err().to_string();
    assert!(
        message.contains("expired at 2027-11-06T14:45:40Z"),
        "{message}"
    );
    let message = at(0).unwrap_err().to_string();
    assert!(message.contains("the clock was never set"), "{message}");
}

#[test]
fn claims_follow_the_rules() {
    let credential = credential(&scheme::FIAM, "EU.EORI.NL123456789");
    let input = credential
        .prepare(&AssertionRequest {
            audience: None,
            backdate: 3,
            ..request("one")
        })
        .unwrap();
    let Payload::Assertion(claims) = input.payload() else {
        panic!("an assertion")
    };
    assert_eq!(claims.audience().as_str(), "EU.EORI.NLKPNFIAMPROD");
    assert_eq!(claims.issued_at().as_secs(), NOW - 3);
    assert_eq!(claims.not_before(), Some(claims.issued_at()));
    assert_eq!(claims.expires_at().as_secs(), NOW - 3 + 30);
    let too_far = credential.prepare(&AssertionRequest {
        backdate: 6,
        ..request("two")
    });
    assert!(
        too_far
            .unwrap_err()
            .to_string()
            .starts_with("backdate is 6")
    );
}

#[test]
fn ishare_has_no_default_audience_and_wants_party_ids() {
    let credential = credential(&scheme::ISHARE, "did:ishare:EU.NL.NTRNL-10000001");
    let none = credential.prepare(&AssertionRequest {
        audience: None,
        ..request("j")
    });
    assert!(none.unwrap_err().to_string().starts_with("aud is missing"));
    let url = Audience::new("https://example.com").unwrap();
    let url = credential.prepare(&AssertionRequest {
        audience: Some(url),
        ..request("j")
    });
    assert!(
        url.unwrap_err()
            .to_string()
            .starts_with("aud is not did:ishare:EU.")
    );
}

#[test]
fn a_wrong_signature_releases_nothing() {
    let credential = credential(&scheme::FIAM, "EU.EORI.NL123456789");
    let input = credential
        .prepare(&AssertionRequest {
            audience: None,
            ..request("j")
        })
        .unwrap();
    for len in [0, 1, 255, 256, 257, 512] {
        let mut buffer = vec![0; 20_000];
        let error = input.attach(&vec![1; len], &mut buffer).unwrap_err();
        assert!(matches!(error, Error::Signature(_)), "{len}: {error}");
        assert!(buffer.iter().all(|&byte| byte == 0), "{len}");
    }
}

/// A credential in parts: the header is compared with what would be encoded now, and only its own key fits.
#[test]
fn a_profile_takes_its_own_header_and_key_only() {
    let chain = Chain::order(&IN_ORDER).unwrap().prove(&RsaLinks).unwrap();
    let key = chain.leaf().unwrap().rsa_key().unwrap();
    let name = KeyName::chain(&chain);
    assert!(name.is_chain() && !KeyName::digest(chain.leaf().unwrap()).is_chain());
    let mut kept = vec![0; MAX_HEADER];
    let mut sink = SliceSink::new(&mut kept);
    let len = encode_header(name, &mut sink).unwrap();
    let whole = credential(&scheme::FIAM, "EU.EORI.NL123456789");
    assert_eq!(
        (&kept[..len], &kept[len..]),
        (whole.header(), &vec![0; MAX_HEADER - len][..])
    );
    let profile = |kept: &[u8]| {
        let client_id = ClientId::new("EU.EORI.NL123456789").unwrap();
        Profile::new(&scheme::FIAM, client_id, name, &key, kept).map(|it| it.header().len())
    };
    assert_eq!(profile(&kept), Ok(len));
    assert!(profile(&kept[..len - 1]).is_err());
    for at in [0, len / 2, len - 1] {
        let mut changed = kept.clone();
        changed[at] ^= 1;
        assert!(profile(&changed).is_err(), "{at}");
    }
    let client_id = ClientId::new("EU.EORI.NL123456789").unwrap();
    let profile = Profile::new(&scheme::FIAM, client_id, name, &key, &kept[..]).unwrap();
    assert_eq!(profile.validity(), Some(&chain.validity()));
    let at = |now| profile.check_clock(UnixTime::from_secs(now).unwrap());
    assert_eq!(at(NOW), Ok(()));
    assert!(at(chain.validity().not_after.as_secs() + 1).is_err() && at(1).is_err());
    let other = chain.certificates()[1].rsa_key().unwrap();
    let [own, other] = [key.clone(), other].map(|key| VerifyingKey::new(key).unwrap());
    let bound = profile.bind(&own).unwrap();
    for shown in [
        format!("{profile:?}"),
        format!("{bound:?}"),
        format!("{whole:?}"),
    ] {
        assert!(
            shown.contains("fiam") && shown.contains("NL123456789"),
            "{shown}"
        );
    }
    assert_eq!(profile.bind(&other).unwrap_err(), Error::KeyMismatch);
}

/// The digest is that of what is written, which begins with the header; its length and that of the token are told before.
#[test]
fn what_is_signed_is_what_is_written() {
    let fiam = credential(&scheme::FIAM, "EU.EORI.NL123456789");
    let ishare = credential(&scheme::ISHARE, "did:ishare:EU.NL.NTRNL-10000001");
    let party = Audience::new("EU.EORI.NL000000001").unwrap();
    for (credential, audience) in [(&fiam, None), (&ishare, Some(party))] {
        for jti in ["j", &"x".repeat(255)] {
            let asked = AssertionRequest {
                audience,
                ..request(jti)
            };
            let input = credential.prepare(&asked).unwrap();
            let mut buffer = vec![0; 20_000];
            let mut sink = SliceSink::new(&mut buffer);
            input.write_to(&mut sink).unwrap();
            let written = sink.finish().unwrap().to_vec();
            assert_eq!((input.len(), input.is_empty()), (written.len(), false));
            // A dot, and 256 bytes of a signature.
            assert_eq!(input.token_len(), written.len() + 1 + 342);
            assert!(written.starts_with(credential.header()));
            let (_, payload) = written.split_at(credential.header().len() + 1);
            let payload = Base64UrlUnpadded::decode_vec(str::from_utf8(payload).unwrap()).unwrap();
            let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(payload["jti"], jti);
            assert_eq!(written[credential.header().len()], b'.');
            let digest: [u8; 32] = Sha256::digest(&written).into();
            assert_eq!(*input.digest(), digest);
            let info = input.digest_info();
            assert_eq!(
                info[..19],
                *b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            );
            assert_eq!(info[19..], digest);
            buffer.fill(0);
            let streamed = input.attach_to(&[1; 256], &mut SliceSink::new(&mut buffer));
            assert!(matches!(streamed, Err(AttachError::Token(_))));
            assert!(
                buffer.iter().all(|&byte| byte == 0),
                "before the first byte"
            );
        }
    }
}

/// OpenSSL's signatures with the two longer hashes.
#[test]
fn cas_may_sign_with_longer_hashes() {
    const ROOT: &[u8] = include_bytes!("../../host-tests/fixtures/rsa-hashes/root.der");
    for leaf in [
        &include_bytes!("../../host-tests/fixtures/rsa-hashes/sha384.der")[..],
        include_bytes!("../../host-tests/fixtures/rsa-hashes/sha512.der"),
    ] {
        let prove = |leaf: &[u8]| {
            Chain::order(&[leaf, ROOT])
                .unwrap()
                .prove(&RsaLinks)
                .is_ok()
        };
        assert!(prove(leaf));
        let mut changed = leaf.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        assert!(!prove(&changed));
    }
}

/// RSAEP of a signature is the padded digest (RFC 8017 section 9.2).
#[test]
fn the_exponent_is_applied() {
    let chain = Chain::order(&IN_ORDER).unwrap();
    let [leaf, issuing, ..] = chain.certificates() else {
        panic!("a chain")
    };
    let key = issuing.rsa_key().unwrap();
    let shown = format!("{key:?}");
    assert!(
        shown.starts_with("RsaPublicKey(4096 bits, n = 0x"),
        "{shown}"
    );
    let key = VerifyingKey::new(key).unwrap();
    let mut padded = [0; 512];
    key.encrypt_raw(leaf.signature(), &mut padded).unwrap();
    let digest: [u8; 32] = Sha256::digest(leaf.tbs()).into();
    assert_eq!(padded[..2], [0, 1]);
    assert!(padded[2..460].iter().all(|&byte| byte == 0xff));
    assert_eq!(padded[480..], digest);
    assert!(
        key.encrypt_raw(&[0xff; 512], &mut padded).is_err(),
        "not below the modulus"
    );
    let modulus = issuing.rsa_key().unwrap().modulus().to_vec();
    assert!(
        key.encrypt_raw(&modulus, &mut padded).is_err(),
        "the modulus"
    );
    assert!(key.encrypt_raw(&[0; 511], &mut padded).is_err());
    assert!(key.encrypt_raw(&[0; 512], &mut padded[1..]).is_err());
}
