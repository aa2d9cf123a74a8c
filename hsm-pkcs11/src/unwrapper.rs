//! The unwrapper: one key behind a module, open and ready to decrypt the keys of JWEs.

use std::fmt;

use privyseal_core::{KeyEncryption, RsaPublicKey, Unwrapper};

use crate::access::{KeyAccess, Pins, Work};
use crate::error::Error;
use crate::key::FitnessNote;
use crate::mechanism::RsaPkcsOaep;
use crate::options::SignerOptions;
use crate::pin::PinProvider;
use crate::slot::TokenInfo;
use crate::uri::Pkcs11Uri;

/// Decrypts content encryption keys (`CKM_RSA_PKCS_OAEP`) with a key that stays behind its PKCS #11 module.
///
/// Sessions, logins and losses are treated as [`crate::Pkcs11Signer`] does. Whether the token knows the
/// hash of an algorithm shows when it is used: SoftHSM knows `RSA-OAEP` and not `RSA-OAEP-256`.
pub struct Pkcs11Unwrapper {
    /// The session that decrypts. None after an error: the next use opens another.
    work: Option<Work>,
    access: Box<KeyAccess<RsaPkcsOaep>>,
}

impl Pkcs11Unwrapper {
    /// Finds the token and the key that `uri` means, logs in (at most one try, see [`crate::LoginPolicy`])
    /// and checks that the key may decrypt and is otherwise what `options` want. As
    /// [`crate::Pkcs11Signer::open_as`].
    pub fn open_as(
        uri: &Pkcs11Uri,
        pins: &mut dyn PinProvider,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, Pins::Guest(pins), options).map(Self::new)
    }

    /// With a PIN provider of its own. As [`crate::Pkcs11Signer::open_with`].
    pub fn open_with(
        uri: &Pkcs11Uri,
        pins: impl PinProvider + Send + 'static,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, Pins::Own(Box::new(pins)), options).map(Self::new)
    }

    fn new(access: KeyAccess<RsaPkcsOaep>) -> Self {
        Self {
            work: None,
            access: Box::new(access),
        }
    }

    /// The key as a URI that names token and key in full, ready to paste.
    pub fn uri(&self) -> &Pkcs11Uri {
        &self.access.uri
    }

    /// The token that the key is on, as it was when the unwrapper was opened.
    pub fn token(&self) -> &TokenInfo {
        &self.access.token
    }

    /// Warnings about the key: it can leave the token, for one.
    pub fn notes(&self) -> &[FitnessNote] {
        &self.access.notes
    }
}

impl Unwrapper for Pkcs11Unwrapper {
    type Error = Error;

    fn public_key(&self) -> &RsaPublicKey {
        &self.access.public
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, Error> {
        self.access
            .decrypt(&mut self.work, algorithm, encrypted, key)
    }
}

impl fmt::Debug for Pkcs11Unwrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Unwrapper")
            .field("uri", &format_args!("{}", self.access.uri))
            .field("public", &self.access.public)
            .finish_non_exhaustive()
    }
}
