//! Names of keys, and keys as SubjectPublicKeyInfo, against published values.

#![allow(clippy::unwrap_used)]

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::RsaPublicKey;
use privyseal_core::cert::Certificate;
use privyseal_core::encoding::sink::SliceSink;
use privyseal_core::kid::{Kid, KidForm};
use privyseal_core::limits::MAX_KID;
use privyseal_core::rsa::spki::write_spki;

const CERTIFICATES: [&[u8]; 2] = [
    include_bytes!("../../host-tests/fixtures/ishare-test-chain/0-leaf.der"),
    include_bytes!("../../host-tests/fixtures/ishare-test-chain/3-root-ca.der"),
];

/// RFC 7638 section 3.1.
#[test]
fn the_thumbprint_of_rfc7638() {
    let modulus = Base64UrlUnpadded::decode_vec(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP\
         ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY\
         368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f\
         M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    )
    .unwrap();
    let key = RsaPublicKey::from_components(&modulus, &[1, 0, 1]).unwrap();
    let thumbprint = KidForm::Rfc7638.of(&key);
    assert_eq!(
        thumbprint.as_kid().as_str(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn a_key_becomes_the_spki_that_its_certificate_has() {
    for der in CERTIFICATES {
        let certificate = Certificate::from_der(der).unwrap();
        let key = certificate.rsa_key().unwrap();
        let mut buffer = [0; 600];
        let mut sink = SliceSink::new(&mut buffer);
        write_spki(&key, &mut sink).unwrap();
        let spki = sink.finish().unwrap();
        assert_eq!(spki, certificate.spki());
    }
}

/// Made with `openssl x509 -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary`.
#[test]
fn keycloaks_kid() {
    let key = Certificate::from_der(CERTIFICATES[0])
        .unwrap()
        .rsa_key()
        .unwrap();
    assert_eq!(
        KidForm::Keycloak.of(&key).as_kid().as_str(),
        "sUWy6CVDf8NmEqsmVlVA7khuvwKGEgw5PPYg7NUMOsQ"
    );
}

#[test]
fn bounds() {
    assert!(Kid::new(&"k".repeat(MAX_KID)).is_ok());
    for bad in ["", "a b", &"k".repeat(MAX_KID + 1)] {
        assert!(Kid::new(bad).is_err(), "{bad:?}");
    }
}
