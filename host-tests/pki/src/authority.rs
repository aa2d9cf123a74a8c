//! Who issues: authorities, and the usual chain of them.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use x509_cert::builder::{Builder as _, CertificateBuilder};
use x509_cert::der::pem::{LineEnding, PemLabel as _};
use x509_cert::der::{Decode as _, DecodePem as _, Encode as _};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::{Certificate, der};

use super::certificate::{CertificateSpec, Profile};
use super::key::{TestKey, test_key};

/// An authority: a key and the certificate that it goes by.
#[derive(Clone, Debug)]
pub struct Authority {
    pub(super) key: TestKey,
    spec: CertificateSpec,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
}

impl Authority {
    /// A self-signed one.
    ///
    /// # Panics
    /// If the spec cannot be encoded.
    pub fn root(key: TestKey, spec: CertificateSpec) -> Self {
        let certificate = sign(&key, &spec, &key.spki_der(), &spec);
        Self {
            key,
            spec,
            certificate,
        }
    }

    /// One below this one.
    ///
    /// # Panics
    /// If the spec cannot be encoded.
    #[must_use]
    pub fn subordinate(&self, key: TestKey, spec: CertificateSpec) -> Self {
        let certificate = self.issue(&key.spki_der(), &spec);
        Self {
            key,
            spec,
            certificate,
        }
    }

    /// A certificate for another authority.
    ///
    /// # Panics
    /// If its spec cannot be encoded.
    pub fn certify(&self, other: &Self) -> Vec<u8> {
        self.issue(&other.key.spki_der(), &other.spec)
    }

    /// Issues a certificate for a public key (`SubjectPublicKeyInfo`, DER); gives DER.
    ///
    /// # Panics
    /// If the spec cannot be encoded or the key is none.
    pub fn issue(&self, spki: &[u8], spec: &CertificateSpec) -> Vec<u8> {
        sign(&self.key, &self.spec, spki, spec)
    }
}

/// What a real one has: root, sub CA, issuing CA.
#[derive(Clone, Debug)]
pub struct TestPki {
    /// Self-signed.
    pub root: Authority,
    /// Below the root.
    pub sub: Authority,
    /// Below the sub CA; issues leaves.
    pub issuing: Authority,
}

impl TestPki {
    /// Three RSA-2048 authorities.
    pub fn new() -> Self {
        Self::with_specs(
            CertificateSpec::authority("Test Root CA", None),
            CertificateSpec::authority("Test Sub CA", Some(1)),
            CertificateSpec::authority("Test Issuing CA", Some(0)),
        )
    }

    /// The same keys with other certificates.
    pub fn with_specs(
        root: CertificateSpec,
        sub: CertificateSpec,
        issuing: CertificateSpec,
    ) -> Self {
        let root = Authority::root(test_key("root", 2048), root);
        let sub = root.subordinate(test_key("sub", 2048), sub);
        let issuing = sub.subordinate(test_key("issuing", 2048), issuing);
        Self { root, sub, issuing }
    }

    /// A leaf for a public key (`SubjectPublicKeyInfo`, DER) and its chain: DER, leaf first, root last.
    pub fn chain(&self, spki: &[u8], leaf: &CertificateSpec) -> Vec<Vec<u8>> {
        let leaf = self.issuing.issue(spki, leaf);
        let authorities = [&self.issuing, &self.sub, &self.root];
        std::iter::once(leaf)
            .chain(authorities.map(|ca| ca.certificate.clone()))
            .collect()
    }

    /// A CA, the usual key, and the chain of its seal.
    pub fn with_seal() -> (Self, TestKey, Vec<Vec<u8>>) {
        let pki = Self::new();
        let key = test_key("seal", 2048);
        let chain = pki.seal_chain(&key);
        (pki, key, chain)
    }

    /// [`TestPki::chain`] with the usual leaf.
    pub fn seal_chain(&self, key: &TestKey) -> Vec<Vec<u8>> {
        self.chain(&key.spki_der(), &CertificateSpec::seal())
    }
}

impl Default for TestPki {
    fn default() -> Self {
        Self::new()
    }
}

/// Certificates as PEM, one after the other.
///
/// # Panics
/// If one is too long for PEM, which none is.
pub fn pem_chain<C: AsRef<[u8]>>(certificates: &[C]) -> String {
    certificates
        .iter()
        .map(|der| {
            der::pem::encode_string(Certificate::PEM_LABEL, LineEnding::LF, der.as_ref())
                .expect("a certificate fits into PEM")
        })
        .collect()
}

/// A public key's PEM (`BEGIN PUBLIC KEY`) as DER.
pub fn spki_from_pem(pem: &[u8]) -> der::Result<Vec<u8>> {
    SubjectPublicKeyInfoOwned::from_pem(pem)?.to_der()
}

fn sign(
    issuer_key: &TestKey,
    issuer: &CertificateSpec,
    spki: &[u8],
    spec: &CertificateSpec,
) -> Vec<u8> {
    let certificate = || -> x509_cert::builder::Result<Vec<u8>> {
        let profile = Profile {
            spec,
            subject: spec.subject_name()?,
            issuer: issuer.subject_name()?,
        };
        let serial = SerialNumber::generate(&mut UnwrapErr(SysRng));
        let spki = SubjectPublicKeyInfoOwned::from_der(spki)?;
        let builder = CertificateBuilder::new(profile, serial, spec.validity.to_x509()?, spki)?;
        let signer = issuer_key.certificate_signer();
        Ok(builder
            .build::<_, rsa::pkcs1v15::Signature>(&signer)?
            .to_der()?)
    };
    certificate().unwrap_or_else(|error| panic!("cannot issue {}: {error}", spec.subject))
}
