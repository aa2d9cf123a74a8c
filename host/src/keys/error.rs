//! Why a key cannot be opened or used.

use privyseal_core::{SignerError, SignerErrorKind};
#[cfg(feature = "gateway")]
use privyseal_gateway::DeviceError;
use privyseal_hsm::uri::UriError;

/// Why a key cannot be opened, or its certificates cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key reference is malformed, or of a kind that is not for this.
    #[error("{0}")]
    Uri(#[from] KeyUriError),
    /// The signer, its token or its PIN.
    #[error("{0}")]
    Signer(#[from] SignerFailure),
    /// A gateway: its line, what it refused, or what it said.
    #[cfg(feature = "gateway")]
    #[error("{0}")]
    Device(#[from] DeviceError),
}

/// Why a text is no key reference, or one that cannot be used here. It does not repeat the text, which may hold a
/// PIN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyUriError {
    /// There is no scheme at all.
    #[error(
        "the key's name is no URI; a key is named as in pkcs11:token=T;object=K?module-path=/usr/lib/M.so"
    )]
    NoScheme,
    /// A scheme that this software does not know.
    #[error(
        "the key's URI is of a kind that is not known; known are pkcs11:, yubihsm: and device:"
    )]
    UnknownScheme,
    /// A device, where a signer is needed.
    #[error(
        "the key's URI names a device, which signs nothing but the statements of its schemes, and builds these itself"
    )]
    NoSigner,
    /// A device, where a token is set up.
    #[error(
        "the key's URI names a device, which gets its key and certificates by being provisioned"
    )]
    NotAToken,
    /// A kind of token that never wants the PIN for each signature.
    #[error("a YubiHSM has no keys that want the password for every signature")]
    NoPinPerSignature,
    /// The last try of a PIN is allowed for a key without a PIN.
    #[error("the last try of a PIN is for keys with a PIN, and {0} has none")]
    NoPin(String),
    /// A [`KeyPolicy`](privyseal_hsm::KeyPolicy) is given for a key without the attributes that it is about.
    #[error(
        "a policy for keys is for keys on tokens: it is about attributes that a device's key does not have"
    )]
    NoAttributes,
    /// A URI of a known kind that is malformed.
    #[error(transparent)]
    Uri(UriError),
}

/// What a signer of any kind failed with. The signer's own error is the `source()`, to be downcast.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct SignerFailure {
    kind: SignerErrorKind,
    source: Box<dyn core::error::Error + Send + Sync>,
}

impl SignerFailure {
    /// The failure of a signer of any kind. One that is a `SignerFailure` already stays as it is.
    pub fn new<E: SignerError + Send + Sync + 'static>(error: E) -> Self {
        let kind = error.kind();
        let source: Box<dyn core::error::Error + Send + Sync> = Box::new(error);
        match source.downcast() {
            Ok(failure) => *failure,
            Err(source) => Self { kind, source },
        }
    }

    /// A failure that no backend has an error for.
    pub(crate) fn because(
        kind: SignerErrorKind,
        source: impl Into<Box<dyn core::error::Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self { kind, source }
    }
}

impl SignerError for SignerFailure {
    fn kind(&self) -> SignerErrorKind {
        self.kind
    }
}
