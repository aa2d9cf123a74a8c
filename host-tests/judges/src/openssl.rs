//! openssl, which encrypts as a sender would.

use std::fs;

use privyseal_core::KeyEncryption;

use crate::scratch::cache_dir;
use crate::tool::{command, output};

/// Encrypts `plain` to the public key (`SubjectPublicKeyInfo`, DER).
///
/// # Panics
/// If openssl is missing or refuses.
pub fn oaep(spki: &[u8], algorithm: KeyEncryption, plain: &[u8]) -> Vec<u8> {
    let key = tempfile::NamedTempFile::new_in(cache_dir("tmp")).expect("target/ can be written");
    fs::write(key.path(), spki).expect("target/ can be written");
    let digest = match algorithm {
        KeyEncryption::RsaOaep => "sha1",
        KeyEncryption::RsaOaep256 => "sha256",
    };
    let mut openssl = command(
        "openssl",
        ["pkeyutl", "-encrypt", "-pubin", "-keyform", "DER"],
    );
    openssl
        .arg("-inkey")
        .arg(key.path())
        .args(["-pkeyopt", "rsa_padding_mode:oaep"])
        .args(["-pkeyopt", &format!("rsa_oaep_md:{digest}")])
        .args(["-pkeyopt", &format!("rsa_mgf1_md:{digest}")]);
    let made = output(&mut openssl, plain);
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "openssl pkeyutl: {said}");
    made.stdout
}
