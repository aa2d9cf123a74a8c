//! The signer: one key behind a module, open and ready.

use std::fmt;

use privyseal_core::{
    CertificationRequestInfo, CertificationRequestSigner, RsaPublicKey, Signature, Signer,
    SigningInput,
};

use crate::access::{KeyAccess, Pins, Work};
use crate::error::Error;
use crate::key::FitnessNote;
use crate::login::LoginPolicy;
use crate::mechanism::SigningMechanism;
use crate::operation::ToSign;
use crate::options::SignerOptions;
use crate::pin::PinProvider;
use crate::slot::TokenInfo;
use crate::uri::Pkcs11Uri;

/// Signs assertions with a key that stays behind its PKCS #11 module.
///
/// It can be sent to another thread, but not shared: a PKCS #11 session does one thing at a time. For many
/// threads there is [`crate::Pkcs11Pool`].
pub struct Pkcs11Signer {
    /// The session that signs. None after an error: the next signature opens another.
    work: Option<Work>,
    access: Box<KeyAccess<SigningMechanism>>,
}

impl Pkcs11Signer {
    /// Finds the token and the key that `uri` means, logs in (at most one try, see [`LoginPolicy`]) and
    /// checks that the key may be used (see [`crate::KeyPolicy`]). `pins` is asked only if a PIN is needed
    /// and may be tried.
    ///
    /// The PIN is not kept: a login that is lost later cannot be repeated, and a key that wants the PIN
    /// for every signature is refused. [`Pkcs11Signer::open_with`] can do both.
    pub fn open(
        uri: &Pkcs11Uri,
        pins: &mut dyn PinProvider,
        policy: LoginPolicy,
    ) -> Result<Self, Error> {
        let options = SignerOptions {
            login: policy,
            ..SignerOptions::default()
        };
        Self::open_as(uri, pins, &options)
    }

    /// As [`Pkcs11Signer::open`], as `options` say. If they let the PIN be kept, the signer can log in
    /// again; the PIN must have been asked for, which it is not where the process is logged in already.
    pub fn open_as(
        uri: &Pkcs11Uri,
        pins: &mut dyn PinProvider,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, Pins::Guest(pins), options).map(Self::new)
    }

    /// As [`Pkcs11Signer::open`], with a PIN provider of its own that is asked again when a login is lost
    /// and for each signature with a key that wants it (`CKA_ALWAYS_AUTHENTICATE`), or not again if
    /// `options` let the PIN be kept. After a PIN was refused it is not asked any more.
    pub fn open_with(
        uri: &Pkcs11Uri,
        pins: impl PinProvider + Send + 'static,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, Pins::Own(Box::new(pins)), options).map(Self::new)
    }

    fn new(access: KeyAccess<SigningMechanism>) -> Self {
        Self {
            work: None,
            access: Box::new(access),
        }
    }

    /// The key as a URI that names token and key in full, ready to paste.
    pub fn uri(&self) -> &Pkcs11Uri {
        &self.access.uri
    }

    /// The token that the key is on, as it was when the signer was opened.
    pub fn token(&self) -> &TokenInfo {
        &self.access.token
    }

    /// The mechanism that signs.
    pub fn mechanism(&self) -> SigningMechanism {
        self.access.mechanism
    }

    /// Warnings about the key: it can leave the token, or has no certificate there.
    pub fn notes(&self) -> &[FitnessNote] {
        &self.access.notes
    }

    /// The key's certificate and its issuers as far as they are on the token, DER, leaf first; at most
    /// [`crate::limits::MAX_CERTIFICATES`]. Nothing is proved but that the leaf has this key.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.access.certificates()
    }
}

impl Signer for Pkcs11Signer {
    type Error = Error;

    fn public_key(&self) -> &RsaPublicKey {
        &self.access.public
    }

    fn sign(&mut self, input: &SigningInput<'_>, signature: &mut Signature) -> Result<(), Error> {
        let input = ToSign::Assertion(input);
        self.access.sign(&mut self.work, input, signature)
    }
}

impl CertificationRequestSigner for Pkcs11Signer {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        let info = ToSign::CertificationRequest(info);
        self.access.sign(&mut self.work, info, signature)
    }
}

impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Signer")
            .field("uri", &format_args!("{}", self.access.uri))
            .field("mechanism", &self.access.mechanism)
            .field("public", &self.access.public)
            .finish_non_exhaustive()
    }
}
