//! Why a provider says nothing that can be believed.

use crate::base::BaseError;
use crate::base::display::sanitize_for_display;
use crate::http::UrlError;
use crate::jose::JoseError;
#[cfg(feature = "jwe")]
use crate::jose::jwe::DecryptError;
#[cfg(feature = "jwe")]
use crate::keys::SignerFailure;
use crate::oauth::OAuthError;

/// Why there is no metadata, no key, or no claim of a provider.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The provider cannot be asked, it refused, or it responded with something else than was asked for.
    #[error("{0}")]
    OAuth(#[from] OAuthError),
    /// What it signed or encrypted is not accepted.
    #[error("{0}")]
    Jose(#[from] JoseError),
    /// What it signed is not accepted, by rules of its scheme.
    #[error("the {what} {fault}")]
    Signature {
        /// Which: `id_token` and the like.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        fault: Box<dyn core::error::Error + Send + Sync>,
    },
    /// Its keys are not published, but in the certificates that it sends.
    #[error("the provider publishes no keys (jwks_uri)")]
    NoKeys,
    /// What would be sent belongs to a login at another provider.
    #[error("the login was begun at another provider, {}", sanitize_for_display(.0, None))]
    OtherProvider(String),
    /// Its metadata lack what this needs.
    #[error("{0} is not in the provider's metadata, so it does not offer this")]
    NotOffered(&'static str),
    /// What its metadata say of this does not fit what would be asked, so no answer could be used.
    #[error("what would be asked does not fit {0} in the provider's metadata")]
    Unfit(&'static str),
    /// What was encrypted to the decryption key for a trial came back as something else, or not at all.
    #[error(
        "the decryption key does not open what is encrypted to it with {0}: its token takes another hash for OAEP, or the \
         key has other rights"
    )]
    DeafKey(&'static str),
    /// An address in its metadata has a parameter that the request sets.
    #[error(
        "an endpoint in the provider's metadata has {0} in its query, which the request sets, too (RFC 6749 section 3.1)"
    )]
    Twice(String),
    /// The clocks differ by so much that a person would be asked for nothing.
    #[error(
        "this machine's clock is {seconds} s {} that of the provider, so neither would believe what the other says",
        if *is_ahead { "ahead of" } else { "behind" }
    )]
    Clock {
        /// By how much.
        seconds: u64,
        /// Whether this machine's is ahead.
        is_ahead: bool,
    },
    /// Nothing can be listened for there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Nothing can be asked below the issuer.
    #[error("the issuer cannot be asked for its metadata: {0}")]
    Issuer(#[source] UrlError),
}

impl OidcError {
    /// The same, in which `secret` is not repeated: of what a server signed that was sent it.
    #[must_use]
    pub(crate) fn without(self, secret: &str) -> Self {
        match self {
            Self::Jose(error) => Self::Jose(error.without(secret)),
            other => other,
        }
    }
}

impl From<BaseError> for OidcError {
    fn from(error: BaseError) -> Self {
        Self::OAuth(error.into())
    }
}

#[cfg(feature = "jwe")]
impl From<DecryptError<SignerFailure>> for OidcError {
    fn from(error: DecryptError<SignerFailure>) -> Self {
        match error {
            DecryptError::Jwe(error) => Self::Jose(error),
            DecryptError::Base(error) => error.into(),
            DecryptError::Unwrapper(error) => Self::OAuth(error.into()),
        }
    }
}
