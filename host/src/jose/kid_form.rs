//! Where a `kid` comes from: given, or computed from the key.

use privyseal_core::RsaPublicKey;
use privyseal_core::kid::{Kid, KidBuf};

use crate::error::Error;

/// How a `kid` is computed from a public key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KidForm {
    /// The JWK thumbprint with SHA-256 (RFC 7638), as most tools do.
    #[default]
    Rfc7638,
    /// base64url(SHA-256(SubjectPublicKeyInfo)): what Keycloak derives from an uploaded certificate.
    Keycloak,
}

/// A `kid`: a name that the receiver was given, or one that follows from the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KidChoice {
    /// This text.
    Given(String),
    /// Computed from the key.
    Computed(KidForm),
}

impl KidForm {
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Rfc7638, Self::Keycloak];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc7638 => "rfc7638",
            Self::Keycloak => "keycloak",
        }
    }

    /// The form of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// The `kid` of `key`.
    pub fn of(self, key: &RsaPublicKey) -> KidBuf {
        match self {
            Self::Rfc7638 => KidBuf::thumbprint(key),
            Self::Keycloak => KidBuf::keycloak(key),
        }
    }
}

impl KidChoice {
    /// The `kid` for `key`.
    pub fn text(&self, key: &RsaPublicKey) -> Result<String, Error> {
        Ok(match self {
            Self::Given(text) => Kid::new(text)?.as_str().to_owned(),
            Self::Computed(form) => form.of(key).as_kid().as_str().to_owned(),
        })
    }
}
