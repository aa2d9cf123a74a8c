//! One key behind a module, open and ready: to sign, or to decrypt the keys of JWEs.

use privyseal_core::{KeyEncryption, RsaPublicKey, Unwrapper};
use privyseal_hsm::{FitnessNote, LoginPolicy, SecretProvider, SignerOptions, sealed_signer};

use crate::access::{KeyAccess, SignSession};
use crate::error::Error;
use crate::mechanism::{KeyOperation, RsaPkcsOaep, SigningMechanism};
use crate::slot::TokenInfo;
use crate::uri::Pkcs11Uri;

/// A key that stays behind its PKCS #11 module, opened for one kind of operation.
///
/// It can be sent to another thread, but not shared: a PKCS #11 session does one thing at a time. For
/// signatures of many threads there is `Pkcs11Pool`.
pub struct Pkcs11Key<O> {
    /// The session that works. None after an error: the next use opens another.
    session: Option<SignSession>,
    access: Box<KeyAccess<O>>,
}

/// Signs assertions.
pub type Pkcs11Signer = Pkcs11Key<SigningMechanism>;

/// Decrypts content encryption keys (`CKM_RSA_PKCS_OAEP`). Whether the token knows the hash of an algorithm
/// shows when it is used: SoftHSM knows `RSA-OAEP` and not `RSA-OAEP-256`.
pub type Pkcs11Unwrapper = Pkcs11Key<RsaPkcsOaep>;

#[expect(
    private_bounds,
    reason = "which operations there are is for this crate to say"
)]
impl<O: KeyOperation> Pkcs11Key<O> {
    /// Finds the token and the key that `uri` means, logs in (at most one try, see [`LoginPolicy`]) and
    /// checks that the key may be used as `options` want it (see [`KeyPolicy`](privyseal_hsm::KeyPolicy)).
    /// `pins` is asked only if a PIN is needed and may be tried.
    ///
    /// If `options` let the PIN be kept, the key can log in again; the PIN must have been asked for, which
    /// it is not where the process is logged in already. If not, a login that is lost later cannot be
    /// repeated, and a key that wants the PIN for every use is refused.
    ///
    /// # Errors
    /// Module, token or key are not there or not the only ones, the login is refused or would cost too much,
    /// or the key is unfit.
    pub fn open_as(
        uri: &Pkcs11Uri,
        pins: &mut dyn SecretProvider,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, Some(pins), None, options).map(Self::of)
    }

    /// As [`Pkcs11Key::open_as`], with a provider of its own that is asked again when a login is lost and
    /// for each use of a key that wants it (`CKA_ALWAYS_AUTHENTICATE`), or not again if `options` let the
    /// PIN be kept. After a PIN was refused it is not asked any more.
    ///
    /// # Errors
    /// As [`Pkcs11Key::open_as`].
    pub fn open_with(
        uri: &Pkcs11Uri,
        pins: impl SecretProvider + Send + 'static,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, None, Some(Box::new(pins)), options).map(Self::of)
    }

    fn of(access: KeyAccess<O>) -> Self {
        Self {
            session: None,
            access: Box::new(access),
        }
    }

    /// The key as a URI that names token and key in full, ready to paste.
    pub fn uri(&self) -> &Pkcs11Uri {
        &self.access.uri
    }

    /// The token that the key is on, as it was when the key was opened.
    pub fn token(&self) -> &TokenInfo {
        &self.access.token
    }

    /// The mechanism that works.
    pub fn mechanism(&self) -> O {
        self.access.mechanism
    }

    /// Warnings about the key: it can leave the token, or has no certificate there.
    pub fn notes(&self) -> &[FitnessNote] {
        &self.access.notes
    }
}

impl Pkcs11Signer {
    /// As [`Pkcs11Key::open_as`] with default options but for `policy`: the PIN is not kept.
    ///
    /// # Errors
    /// As [`Pkcs11Key::open_as`].
    pub fn open(
        uri: &Pkcs11Uri,
        pins: &mut dyn SecretProvider,
        policy: LoginPolicy,
    ) -> Result<Self, Error> {
        Self::open_as(uri, pins, &SignerOptions::default().login(policy))
    }

    /// The key's certificate and its issuers as far as they are on the token, DER, leaf first; at most
    /// six. Nothing is proved but that the leaf has this key. Of several leaves for this
    /// key the one that ends last comes first, the others with their issuers after it.
    ///
    /// # Errors
    /// No certificate on the token is for this key, the chain is too long, or the token cannot be read.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.access.certificates()
    }
}

sealed_signer!(
    Pkcs11Signer,
    Error,
    |signer| &signer.access.public,
    |input, signature| signer.access.sign(&mut signer.session, input, signature)
);

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
            .decrypt(&mut self.session, algorithm, encrypted, key)
    }
}

privyseal_core::opaque_debug! { [O: KeyOperation] Pkcs11Key<O>: access; }
