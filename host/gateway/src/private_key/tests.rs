use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use super::*;

fn key(bits: usize) -> rsa::RsaPrivateKey {
    let mut generator = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    rsa::RsaPrivateKey::new(&mut generator, bits).unwrap()
}

#[test]
fn der_and_pem_are_the_same_key() {
    let key = key(2048);
    let der = key.to_pkcs8_der().unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let read = PrivateKey::from_bytes(der.as_bytes()).unwrap();
    assert_eq!(read.public_key().modulus(), &*key.n_bytes());
    let primes = key.primes().iter().map(|prime| prime.to_be_bytes());
    let primes: Vec<_> = primes.map(|prime| prime.to_vec()).collect();
    assert_eq!(read.numbers(), [&key.n_bytes(), &*primes.concat()].concat());
    for text in [pem.replace('\n', "\r\n"), pem.to_string()] {
        let from_pem = PrivateKey::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(from_pem.numbers(), read.numbers());
    }
    assert!(!format!("{read:?}").contains("numbers"), "{read:?}");

    for len in [0, 1, 20, der.as_bytes().len() - 1] {
        let cut = &der.as_bytes()[..len];
        assert_eq!(
            PrivateKey::from_bytes(cut).unwrap_err(),
            PrivateKeyError::Malformed
        );
    }
    let pkcs1 = key.to_pkcs1_der().unwrap();
    let pkcs1_pem = key.to_pkcs1_pem(LineEnding::LF).unwrap();
    for bytes in [pkcs1.as_bytes(), pkcs1_pem.as_bytes()] {
        assert_eq!(
            PrivateKey::from_bytes(bytes).unwrap_err(),
            PrivateKeyError::NotPkcs8
        );
    }
    let encrypted = pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert_eq!(
        PrivateKey::from_bytes(encrypted.as_bytes()).unwrap_err(),
        PrivateKeyError::Encrypted
    );
    let public = pem.replace("PRIVATE KEY", "PUBLIC KEY");
    assert_eq!(
        PrivateKey::from_bytes(public.as_bytes()).unwrap_err(),
        PrivateKeyError::Malformed
    );
}

#[test]
fn other_keys_are_refused() {
    let small = key(1024);
    assert_eq!(
        PrivateKey::from_bytes(small.to_pkcs8_der().unwrap().as_bytes()).unwrap_err(),
        PrivateKeyError::Key(KeyError::Size { bits: 1024 })
    );
    let larger = key(3072).to_pkcs8_der().unwrap();
    assert!(PrivateKey::from_bytes(larger.as_bytes()).is_ok());
    let long = [larger.as_bytes(), &[0; MAX_DER]].concat();
    assert_eq!(
        PrivateKey::from_bytes(&long).unwrap_err(),
        PrivateKeyError::TooLong
    );
    // id-ecPublicKey, and nothing more of it is read.
    let mut other = key(2048).to_pkcs8_der().unwrap().as_bytes().to_vec();
    let place = other
        .windows(9)
        .position(|window| window == b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
    other[place.unwrap() + 8] = 0x0a;
    assert_eq!(
        PrivateKey::from_bytes(&other).unwrap_err(),
        PrivateKeyError::NotRsa
    );
}
