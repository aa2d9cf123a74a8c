//! What every unwrapper must do, written once. What they decrypt is encrypted by OpenSSL.

use std::fmt::Debug;

use privyseal_core::{KeyEncryption, SignerError as _, SignerErrorKind, Unwrapper};
use privyseal_test_judges::openssl;

/// Keys that are encrypted.
pub const KEYS: [&[u8]; 4] = [
    &[7; 24],
    &[0; 16],
    b"thirty-two bytes, as A256GCM has",
    &[0xff; 64],
];

/// `plain` encrypted to the key (DER of its SubjectPublicKeyInfo), by OpenSSL.
pub fn oaep(spki: &[u8], algorithm: KeyEncryption, plain: &[u8]) -> Vec<u8> {
    let digest = match algorithm {
        KeyEncryption::RsaOaep => "sha1",
        KeyEncryption::RsaOaep256 => "sha256",
    };
    openssl::oaep(spki, digest, plain)
}

/// What every unwrapper must do with an algorithm that it knows.
///
/// # Panics
/// If it does not.
pub fn run<U: Unwrapper>(unwrapper: &mut U, algorithm: KeyEncryption)
where
    U::Error: Debug,
{
    let spki = crate::spki(unwrapper.public_key());
    for key in KEYS {
        let encrypted = oaep(&spki, algorithm, key);
        let mut room = [0xaa; 64];
        let len = unwrapper
            .unwrap_key(algorithm, &encrypted, &mut room)
            .expect("it decrypts");
        assert_eq!(&room[..len], key, "{algorithm}");
        // The next one is not disturbed by one that fails.
        let mut changed = encrypted.clone();
        changed[encrypted.len() / 2] ^= 1;
        for bad in [
            &changed[..],
            &encrypted[1..],
            &[],
            &vec![0xff; encrypted.len()],
        ] {
            refuses(unwrapper, algorithm, bad, &mut room);
        }
        refuses(unwrapper, algorithm, &encrypted, &mut room[..key.len() - 1]);
    }
}

fn refuses<U: Unwrapper>(unwrapper: &mut U, algorithm: KeyEncryption, bad: &[u8], room: &mut [u8])
where
    U::Error: Debug,
{
    let error = unwrapper
        .unwrap_key(algorithm, bad, room)
        .expect_err("it is refused");
    assert_eq!(error.kind(), SignerErrorKind::Undecipherable, "{error:?}");
}

/// What is encrypted in one way is not decrypted in the other.
///
/// # Panics
/// If it is.
pub fn ways_are_kept_apart<U: Unwrapper>(unwrapper: &mut U)
where
    U::Error: Debug,
{
    use KeyEncryption::{RsaOaep, RsaOaep256};
    let spki = crate::spki(unwrapper.public_key());
    for (one, other) in [(RsaOaep, RsaOaep256), (RsaOaep256, RsaOaep)] {
        let encrypted = oaep(&spki, one, KEYS[2]);
        refuses(unwrapper, other, &encrypted, &mut [0; 64]);
    }
}
