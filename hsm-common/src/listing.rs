//! What is on a token: keys and certificates, each with the URI that names it.

use privyseal_core::RsaPublicKey;
use privyseal_core::cert::Certificate;

use crate::fitness::FitnessNote;

/// What a login sees of a token. `U` is the backend's URI.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Listing<U> {
    /// Private keys.
    pub keys: Vec<ListedKey<U>>,
    /// Certificates.
    pub certificates: Vec<ListedCertificate<U>>,
    /// Objects that the token has and does not list.
    pub hidden: usize,
}

/// A private key on a token.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "every backend must state each property"
)]
pub struct ListedKey<U> {
    /// Names it in full, ready to paste.
    pub uri: U,
    /// Its public key, if it is RSA of a supported size and shows it.
    pub public_key: Option<RsaPublicKey>,
    /// The mechanism that would sign, if there is a choice and one fits.
    pub mechanism: Option<&'static str>,
    /// What makes it unfit, and warnings.
    pub notes: Vec<FitnessNote>,
}

/// A certificate on a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedCertificate<U> {
    /// Names it in full, ready to paste.
    pub uri: U,
    /// The certificate, DER as the token holds it.
    pub der: Vec<u8>,
    /// The listed private key that it is for, as a URI.
    pub key: Option<U>,
}

impl<U: Clone> Listing<U> {
    /// These keys, and certificates (DER), each beside the key that it is for.
    pub fn new(
        keys: Vec<ListedKey<U>>,
        certificates: impl IntoIterator<Item = (U, Vec<u8>)>,
    ) -> Self {
        let certificates = certificates.into_iter().map(|(uri, der)| {
            let public = public_key(&der);
            let of = |key: &&ListedKey<U>| public.is_some() && key.public_key == public;
            let key = keys.iter().find(of).map(|key| key.uri.clone());
            ListedCertificate { uri, der, key }
        });
        Self {
            certificates: certificates.collect(),
            keys,
            hidden: 0,
        }
    }
}

impl<U> ListedKey<U> {
    /// Whether it can sign assertions.
    pub fn is_fit(&self) -> bool {
        !self.notes.iter().any(FitnessNote::is_obstacle)
    }
}

/// The public key of a certificate (DER), if it is one that can sign assertions.
pub fn public_key(der: &[u8]) -> Option<RsaPublicKey> {
    Certificate::from_der(der).ok()?.rsa_key().ok()
}
