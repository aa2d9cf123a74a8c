//! What providers send: encrypted and signed tokens. The key that unwraps is another one than they were encrypted to, so
//! nothing is ever decrypted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privyseal::jose::jwe::Jwe;
use privyseal::jose::jws::Jws;
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::{KeyEncryption, RsaPublicKey, SignerError, SignerErrorKind, Unwrapper};

/// Gives a content key, of the length that it is told, whatever was encrypted.
struct Wrong {
    key: RsaPublicKey,
    len: usize,
}

#[derive(Debug)]
struct NoError;

impl core::fmt::Display for NoError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("none")
    }
}

impl core::error::Error for NoError {}

impl SignerError for NoError {
    fn kind(&self) -> SignerErrorKind {
        SignerErrorKind::Undecipherable
    }
}

impl Unwrapper for Wrong {
    type Error = NoError;

    fn public_key(&self) -> &RsaPublicKey {
        &self.key
    }

    fn unwrap_key(&mut self, _: KeyEncryption, _: &[u8], key: &mut [u8]) -> Result<usize, NoError> {
        let key = key.get_mut(..self.len).ok_or(NoError)?;
        key.fill(0x5a);
        Ok(key.len())
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut modulus = [0xd3; 256];
    modulus[255] |= 1;
    let key = RsaPublicKey::from_components(&modulus, &[1, 0, 1]).expect("a key");
    if let Ok(jwe) = Jwe::parse(&text) {
        let _ = jwe.kid();
        for len in [0, 16, 24, 32, 48, 64] {
            let mut unwrapper = Wrong {
                key: key.clone(),
                len,
            };
            assert!(
                jwe.decrypt(&mut unwrapper).is_err(),
                "another key decrypts nothing"
            );
        }
    }
    if let Ok(jws) = Jws::parse(&text) {
        let header = jws.header();
        let _ = (header.kid(), header.typ(), header.certificates().is_ok());
        for claim in ["iss", "sub", "aud"] {
            let _ = jws.unverified_claim(claim);
        }
        let key = VerifyingKey::new(key).expect("a key");
        assert!(jws.verify(&key).is_err(), "nobody has this key");
    }
});
