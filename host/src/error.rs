//! One error over those of all parts, and what kind of trouble each is.

use privyseal_core::cert::ChainError;
use privyseal_core::field::{Fault, FieldError};
use privyseal_core::{SignError, SignerError, SignerErrorKind};

use crate::base::BaseError;
use crate::client::BuildError;
use crate::http::{HttpError, UrlError};
use crate::jose::JoseError;
use crate::jose::jwk::JwkError;
use crate::keys::{KeyError, KeyUriError, SignerFailure};
use crate::oauth::{OAuthError, Refusal};
use crate::oidc::OidcError;
#[cfg(feature = "ciba")]
use crate::oidc::ciba::CibaError;
#[cfg(feature = "login")]
use crate::oidc::login::LoginError;
use crate::pki::PkiError;
#[cfg(feature = "profile")]
use crate::profile::ProfileError;
use crate::schemes::fiam::FiamError;
use crate::schemes::ishare::IshareError;
#[cfg(feature = "profile")]
use crate::schemes::own::SchemeFileError;
#[cfg(feature = "gateway")]
use privyseal_gateway::{ClientError, DeviceError};

/// Why there is no assertion, no access token or no report: for an application that does not tell the parts of this
/// library apart.
///
/// `Display` is one line and names the cause; what stands below it is in `source()`, and [`Error::find`] finds it
/// there. No variant holds a PIN, an assertion or an access token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine: its clock, its randomness, a file.
    #[error("{0}")]
    Base(#[from] BaseError),
    /// The core refused: a field, the clock, the chain, the key or a signature.
    #[error("{0}")]
    Core(#[from] privyseal_core::Error),
    /// Certificates, revocation lists, or the name of a party.
    #[error("{0}")]
    Pki(#[from] PkiError),
    /// A key cannot be opened, or its certificates cannot be read.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// A JWK Set.
    #[error("{0}")]
    Jwk(#[from] JwkError),
    /// There is no client.
    #[error("{0}")]
    Client(#[from] BuildError),
    /// A profile cannot be read, or makes no client.
    #[cfg(feature = "profile")]
    #[error("{0}")]
    Profile(#[from] ProfileError),
    /// There is no assertion, or no access token.
    #[error("{0}")]
    OAuth(#[from] OAuthError),
    /// A provider says nothing that can be believed.
    #[error("{0}")]
    Oidc(#[from] OidcError),
    /// A person was not authenticated.
    #[cfg(feature = "ciba")]
    #[error("{0}")]
    Ciba(#[from] CibaError),
    /// A person was not logged in, or their session cannot go on.
    #[cfg(feature = "login")]
    #[error("{0}")]
    Login(#[from] LoginError),
    /// An iSHARE registry answered, and what it says breaks a rule or vouches for nobody.
    #[error("{0}")]
    Ishare(#[from] IshareError),
    #[cfg(feature = "profile")]
    /// A file defines no scheme.
    #[error("{0}")]
    Scheme(#[from] SchemeFileError),
    /// FIAM's list is not one that can be read to its end.
    #[error("{0}")]
    Fiam(#[from] FiamError),
    /// A gateway is another client than was meant, or gives no assertion.
    #[cfg(feature = "gateway")]
    #[error("{0}")]
    Device(#[from] ClientError),
}

/// What went wrong, so far as a program may want to tell: whose business it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum ErrorKind {
    /// A rule is broken (of a scheme, a certificate chain, a claim), or a token was refused.
    Refused = 1,
    /// What was given cannot be used as it is: a value, or a file.
    Input = 2,
    /// Trouble with the key, its token or device, or the PIN.
    Key = 3,
    /// Trouble with the server or the network.
    Server = 4,
}

impl ErrorKind {
    /// Its number, for programs in other languages; it stays what it is.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl Error {
    /// The error of this type, if it is this one or stands below it.
    pub fn find<E: core::error::Error + 'static>(&self) -> Option<&E> {
        let this: &(dyn core::error::Error + 'static) = self;
        core::iter::successors(Some(this), |error| error.source())
            .find_map(|error| error.downcast_ref())
    }

    /// The refusal of a server, if that is the cause.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.find::<Box<Refusal>>().map(|refusal| &**refusal)
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        if let Some(PkiError::Path(_)) = self.find() {
            return ErrorKind::Refused;
        }
        #[cfg(feature = "gateway")]
        if let Some(error) = self.find::<DeviceError>() {
            return if error.is_policy() {
                ErrorKind::Refused
            } else {
                ErrorKind::Key
            };
        }
        if let Some(failure) = self.find::<SignerFailure>() {
            return match failure.kind() {
                SignerErrorKind::Configuration => ErrorKind::Input,
                _ => ErrorKind::Key,
            };
        }
        if let Some(refusal) = self.refusal() {
            // About the assertion or the token, or about the server.
            return if refusal.diagnosis().is_servers() {
                ErrorKind::Server
            } else {
                ErrorKind::Refused
            };
        }
        if let Some(error) = self.find::<BaseError>() {
            return match error {
                BaseError::Clock => ErrorKind::Refused,
                BaseError::Entropy(_) => ErrorKind::Key,
                _ => ErrorKind::Input,
            };
        }
        if let Some(error) = self.find::<privyseal_core::Error>() {
            return match error {
                privyseal_core::Error::Field(FieldError {
                    fault: Fault::Missing,
                    ..
                }) => ErrorKind::Input,
                // The hardware made it.
                privyseal_core::Error::Signature(_) => ErrorKind::Key,
                _ => ErrorKind::Refused,
            };
        }
        if self.find::<HttpError>().is_some() {
            return ErrorKind::Server;
        }
        if self.find::<JoseError>().is_some() {
            return ErrorKind::Refused;
        }
        match self.find() {
            Some(OidcError::DeafKey(_)) => return ErrorKind::Key,
            Some(OidcError::Signature { .. } | OidcError::Clock { .. }) => {
                return ErrorKind::Refused;
            }
            Some(
                OidcError::Unfit(_)
                | OidcError::NotOffered(_)
                | OidcError::Twice(_)
                | OidcError::Listen { .. },
            ) => {
                return ErrorKind::Server;
            }
            _ => {}
        }
        match self {
            Self::Ishare(IshareError::OAuth(error)) | Self::Fiam(FiamError::OAuth(error)) => {
                kind_of_request(error)
            }
            Self::Ishare(_) => ErrorKind::Refused,
            Self::Fiam(_) => ErrorKind::Server,
            #[cfg(feature = "ciba")]
            Self::Ciba(CibaError::TimedOut { .. }) => ErrorKind::Refused,
            #[cfg(feature = "login")]
            Self::Login(LoginError::NoPkce) => ErrorKind::Server,
            #[cfg(feature = "login")]
            Self::Login(
                LoginError::Callback(_) | LoginError::Expired { .. } | LoginError::NoRefreshToken,
            ) => ErrorKind::Refused,
            _ => self
                .find::<OAuthError>()
                .map_or(ErrorKind::Input, kind_of_request),
        }
    }
}

/// Without what stands below it.
fn kind_of_request(error: &OAuthError) -> ErrorKind {
    match error {
        OAuthError::Response { .. } => ErrorKind::Server,
        OAuthError::GaveUp { last, .. } => kind_of_request(last),
        OAuthError::Shared(error) => kind_of_request(error),
        _ => ErrorKind::Input,
    }
}

impl<E: SignerError + Send + Sync + 'static> From<SignError<E>> for Error {
    fn from(error: SignError<E>) -> Self {
        OAuthError::from(error).into()
    }
}

privyseal_hsm::by_way! {
    privyseal_core::Error => Error: FieldError, ChainError;
    KeyError => Error: SignerFailure, KeyUriError;
    OAuthError => Error: HttpError, UrlError;
}
#[cfg(feature = "gateway")]
privyseal_hsm::by_way! { KeyError => Error: DeviceError; }
