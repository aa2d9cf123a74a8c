//! The host's error: one enum over the errors of its parts, and what kind of trouble each is.

mod kind;

use privyseal_core::cert::ChainError;
use privyseal_core::field::{Fault, FieldError};
use privyseal_core::{SignError, SignerError, SignerErrorKind};

use crate::base::BaseError;
use crate::client::BuildError;
use crate::http::retry::{FailedTry, GaveUp, Retryable};
use crate::http::{HttpError, Url, UrlError};
use crate::jose::JoseError;
use crate::jose::jwk::JwkError;
use crate::keys::key::KeyUriError;
use crate::oauth::{OAuthError, Refusal};
use crate::oidc::OidcError;
#[cfg(feature = "ciba")]
use crate::oidc::ciba::CibaError;
use crate::pki::PkiError;
use crate::schemes::fiam::FiamError;
use crate::schemes::ishare::IshareError;
#[cfg(feature = "gateway")]
use privyseal_gateway::{ClientError, DeviceError};

pub use kind::ErrorKind;

/// Why there is no assertion, no access token or no report.
///
/// `Display` is one line and names the cause; what stands below it is in `source()`. No variant
/// holds a PIN, an assertion or an access token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key reference is malformed, or of a kind that is not built in.
    #[error(transparent)]
    KeyUri(#[from] KeyUriError),
    /// The core refused: a field, the clock, the chain, the key or a signature.
    #[error(transparent)]
    Core(#[from] privyseal_core::Error),
    /// The signer, its token or its PIN.
    #[error("{source}")]
    Signer {
        /// What kind of trouble.
        kind: SignerErrorKind,
        /// The signer's own error.
        source: Box<dyn core::error::Error + Send + Sync>,
    },
    /// A gateway: its line, what it refused, or what it said.
    #[cfg(feature = "gateway")]
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A gateway is another client than was meant.
    #[cfg(feature = "gateway")]
    #[error(transparent)]
    DeviceClient(ClientError),
    /// The machine: its clock, its randomness, a file.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// Certificates, revocation lists, or the name of a party.
    #[error(transparent)]
    Pki(PkiError),
    /// A JWK Set.
    #[error(transparent)]
    Jwk(JwkError),
    /// No usable answer came from a server.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A server answered with success and something else than what was asked for.
    #[error("{url}: {reason}")]
    Response {
        /// Where.
        url: Url,
        /// What is wrong with the answer.
        reason: String,
    },
    /// Why else a provider says nothing that can be believed.
    #[error(transparent)]
    Oidc(OidcError),
    /// Why else a person was not authenticated.
    #[cfg(feature = "ciba")]
    #[error(transparent)]
    Ciba(CibaError),
    /// What a server signed or encrypted is not accepted.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// A server answered, and refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The parts of a client do not fit together.
    #[error(transparent)]
    Client(#[from] BuildError),
    /// Why else there is no assertion or access token.
    #[error(transparent)]
    OAuth(OAuthError),
    /// It was tried more than once, or is not tried again, and why.
    #[error("{last} ({why})")]
    GaveUp {
        /// Why there is no further try.
        why: GaveUp,
        /// How the last try ended.
        #[source]
        last: Box<Self>,
    },
    /// An iSHARE registry answered, and what it says breaks a rule or vouches for nobody.
    #[error(transparent)]
    Ishare(IshareError),
    /// FIAM's list is not one that can be read to its end.
    #[error(transparent)]
    Fiam(FiamError),
}

impl Error {
    /// The error of a signer of any kind.
    pub fn from_signer<E: SignerError + Send + Sync + 'static>(error: E) -> Self {
        Self::Signer {
            kind: error.kind(),
            source: Box::new(error),
        }
    }

    /// The error of signing, which is the signer's or the core's.
    pub fn from_sign<E: SignerError + Send + Sync + 'static>(error: SignError<E>) -> Self {
        match error {
            SignError::Signer(error) => Self::from_signer(error),
            SignError::Token(error) => Self::Core(error),
        }
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::KeyUri(_)
            | Self::Client(_)
            | Self::Base(
                BaseError::Read { .. } | BaseError::TooLarge { .. } | BaseError::NotText { .. },
            )
            | Self::Pki(_)
            | Self::Oidc(_)
            | Self::Jwk(_)
            | Self::Core(privyseal_core::Error::Field(FieldError {
                fault: Fault::Missing,
                ..
            }))
            | Self::Signer {
                kind: SignerErrorKind::Configuration,
                ..
            } => ErrorKind::Input,
            Self::Core(_) | Self::Jose(_) | Self::Ishare(_) | Self::Base(BaseError::Clock) => {
                ErrorKind::Refused
            }
            #[cfg(feature = "ciba")]
            Self::Ciba(CibaError::Listen { .. }) => ErrorKind::Server,
            #[cfg(feature = "ciba")]
            Self::Ciba(CibaError::QrCode(_)) => ErrorKind::Input,
            #[cfg(feature = "ciba")]
            Self::Ciba(_) => ErrorKind::Refused,
            #[cfg(feature = "gateway")]
            Self::DeviceClient(_) => ErrorKind::Input,
            #[cfg(feature = "gateway")]
            Self::Device(error) if error.is_policy() => ErrorKind::Refused,
            #[cfg(feature = "gateway")]
            Self::Device(_) => ErrorKind::Key,
            Self::Signer { .. } | Self::Base(_) => ErrorKind::Key,
            Self::Http(_) | Self::Fiam(_) | Self::Response { .. } => ErrorKind::Server,
            Self::Refused(refusal) => refusal_kind(refusal),
            Self::OAuth(error) => oauth_kind(error),
            Self::GaveUp { last, .. } => last.kind(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Core(error.into())
    }
}

impl From<ChainError> for Error {
    fn from(error: ChainError) -> Self {
        Self::Core(error.into())
    }
}

impl From<PkiError> for Error {
    fn from(error: PkiError) -> Self {
        match error {
            PkiError::File(error) => error.into(),
            PkiError::Core(error) => error.into(),
            error => Self::Pki(error),
        }
    }
}

impl From<JwkError> for Error {
    fn from(error: JwkError) -> Self {
        match error {
            JwkError::File(error) => error.into(),
            JwkError::Core(error) => error.into(),
            error => Self::Jwk(error),
        }
    }
}

impl From<OidcError> for Error {
    fn from(error: OidcError) -> Self {
        match error {
            OidcError::OAuth(error) => error.into(),
            OidcError::Jose(error) => error.into(),
            error => Self::Oidc(error),
        }
    }
}

#[cfg(feature = "ciba")]
impl From<CibaError> for Error {
    fn from(error: CibaError) -> Self {
        match error {
            CibaError::Oidc(error) => error.into(),
            error => Self::Ciba(error),
        }
    }
}

impl From<IshareError> for Error {
    fn from(error: IshareError) -> Self {
        match error {
            IshareError::OAuth(error) => error.into(),
            error => Self::Ishare(error),
        }
    }
}

impl From<FiamError> for Error {
    fn from(error: FiamError) -> Self {
        match error {
            FiamError::OAuth(error) => error.into(),
            error => Self::Fiam(error),
        }
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::OAuth(error.into())
    }
}

impl From<OAuthError> for Error {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::Base(error) => Self::Base(error),
            OAuthError::Core(error) => Self::Core(error),
            #[cfg(feature = "gateway")]
            OAuthError::Signer { kind, source } => match source.downcast::<DeviceError>() {
                Ok(error) => Self::Device(*error),
                Err(source) => Self::Signer { kind, source },
            },
            #[cfg(not(feature = "gateway"))]
            OAuthError::Signer { kind, source } => Self::Signer { kind, source },
            OAuthError::Http(error) => Self::Http(error),
            OAuthError::Refused(refusal) => Self::Refused(refusal),
            OAuthError::Response { url, reason } => Self::Response { url, reason },
            OAuthError::GaveUp { why, last } => Self::GaveUp {
                why,
                last: Box::new((*last).into()),
            },
            other => Self::OAuth(other),
        }
    }
}

impl Retryable for Error {
    fn failed_try(&self) -> FailedTry {
        match self {
            Self::Http(error) => error.failed_try(),
            Self::Refused(refusal) => refusal.failed_try(),
            Self::OAuth(error) => error.failed_try(),
            _ => FailedTry::Final,
        }
    }

    fn given_up(self, why: GaveUp) -> Self {
        let last = Box::new(self);
        Self::GaveUp { why, last }
    }
}

fn oauth_kind(error: &OAuthError) -> ErrorKind {
    match error {
        OAuthError::Base(_) | OAuthError::Signer { .. } => ErrorKind::Key,
        OAuthError::Core(_) => ErrorKind::Refused,
        OAuthError::Refused(refusal) => refusal_kind(refusal),
        OAuthError::Http(_) | OAuthError::Response { .. } => ErrorKind::Server,
        OAuthError::GaveUp { last, .. } => oauth_kind(last),
        OAuthError::Shared(error) => oauth_kind(error),
        _ => ErrorKind::Input,
    }
}

/// About the assertion or the token, or about the server.
fn refusal_kind(refusal: &Refusal) -> ErrorKind {
    if refusal.diagnosis().is_servers() {
        ErrorKind::Server
    } else {
        ErrorKind::Refused
    }
}
