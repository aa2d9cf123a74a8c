//! RSA keys for tests: generated on this machine, kept below `target/`, never committed.
//!
//! Generating takes up to a second; a run needs a dozen. So a key is generated once under its name and
//! found again. Two processes that race for a name end up with the same key.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::sha2::Sha256;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use privyseal_test_base::scratch::cache_dir;

/// An RSA key of a test. `Debug` shows its size only.
#[derive(Clone)]
pub struct TestKey(RsaPrivateKey);

/// The key that goes by `name`, of `bits` bits.
///
/// # Panics
/// If the cache below `target/` cannot be read or written.
pub fn test_key(name: &str, bits: usize) -> TestKey {
    let dir = cache_dir("test-keys");
    let path = dir.join(format!("{name}-{bits}.pk8"));
    if !path.exists() {
        keep_first(&dir, &path, TestKey::generate(bits).pkcs8_der().as_slice());
    }
    let der = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let key = RsaPrivateKey::from_pkcs8_der(&der).unwrap_or_else(|error| {
        panic!("{} is damaged ({error}): delete it", path.display());
    });
    TestKey(key)
}

/// Writes `path` unless another process has done so meanwhile; never shows a half-written file.
fn keep_first(dir: &Path, path: &Path, contents: &[u8]) {
    let mut file = tempfile::NamedTempFile::new_in(dir).expect("target/ can be written");
    file.write_all(contents).expect("target/ can be written");
    if let Err(error) = file.persist_noclobber(path) {
        assert!(path.exists(), "cannot write {}: {error}", path.display());
    }
}

impl TestKey {
    /// A new key.
    ///
    /// # Panics
    /// If `bits` is no possible size.
    pub fn generate(bits: usize) -> Self {
        // The crate refuses to make keys below 1024 bits; tests do not need smaller ones.
        Self(RsaPrivateKey::new(&mut UnwrapErr(SysRng), bits).expect("a key of that size"))
    }

    /// The key with these primes and this public exponent, big-endian: for published vectors.
    ///
    /// # Panics
    /// If they make no key.
    pub fn from_primes(p: &[u8], q: &[u8], e: &[u8]) -> Self {
        let number = rsa::BoxedUint::from_be_slice_vartime;
        let key = RsaPrivateKey::from_p_q(number(p), number(q), number(e));
        Self(key.expect("two primes and an exponent"))
    }

    /// The key itself.
    pub fn private_key(&self) -> &RsaPrivateKey {
        &self.0
    }

    /// Signs what a certificate authority signs.
    pub(super) fn certificate_signer(&self) -> rsa::pkcs1v15::SigningKey<Sha256> {
        rsa::pkcs1v15::SigningKey::new(self.0.clone())
    }

    /// PKCS#8, DER.
    ///
    /// # Panics
    /// Never: the key was made here.
    pub fn pkcs8_der(&self) -> Vec<u8> {
        self.0
            .to_pkcs8_der()
            .expect("a key can be encoded")
            .as_bytes()
            .to_vec()
    }

    /// Modulus and primes, big-endian, one after the other.
    pub fn numbers(&self) -> Vec<u8> {
        let primes = self.0.primes().iter().map(|prime| prime.to_be_bytes());
        let numbers = std::iter::once(self.0.n_bytes()).chain(primes);
        numbers.flat_map(<[u8]>::into_vec).collect()
    }

    /// PKCS#8, PEM.
    ///
    /// # Panics
    /// Never: the key was made here.
    pub fn pkcs8_pem(&self) -> String {
        self.0
            .to_pkcs8_pem(LineEnding::LF)
            .expect("a key can be encoded")
            .to_string()
    }

    /// `SubjectPublicKeyInfo`, DER.
    ///
    /// # Panics
    /// Never: the key was made here.
    pub fn spki_der(&self) -> Vec<u8> {
        self.0
            .to_public_key()
            .to_public_key_der()
            .expect("a key can be encoded")
            .into_vec()
    }

    /// `SubjectPublicKeyInfo`, PEM.
    ///
    /// # Panics
    /// Never: the key was made here.
    pub fn spki_pem(&self) -> String {
        self.0
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .expect("a key can be encoded")
    }

    /// The public key as the core has it.
    ///
    /// # Panics
    /// If the core supports no key of this size.
    pub fn public_key(&self) -> privyseal_core::rsa::RsaPublicKey {
        privyseal_core::rsa::RsaPublicKey::from_components(&self.0.n_bytes(), &self.0.e_bytes())
            .expect("a key that the core supports")
    }
}

impl std::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TestKey({} bytes)", self.0.size())
    }
}
