//! openssl, which encrypts as a sender would.

use std::fs;

use privyseal_test_base::scratch::cache_dir;
use privyseal_test_base::tool::{command, output};

/// Encrypts `plain` with RSA-OAEP to the public key (`SubjectPublicKeyInfo`, DER); `digest` is openssl's name of
/// it.
///
/// # Panics
/// If openssl is missing or refuses.
pub fn oaep(spki: &[u8], digest: &str, plain: &[u8]) -> Vec<u8> {
    let key = tempfile::NamedTempFile::new_in(cache_dir("tmp")).expect("target/ can be written");
    fs::write(key.path(), spki).expect("target/ can be written");
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
