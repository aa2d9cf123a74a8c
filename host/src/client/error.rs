//! Why there is no client.

use privyseal_core::cert::ChainError;
use privyseal_core::field::FieldError;
#[cfg(feature = "gateway")]
use privyseal_gateway::ClientError;

use crate::base::BaseError;
use crate::keys::KeyError;
use crate::pki::PkiError;

/// Why there is no client: its key, or parts that do not fit together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The clock of the machine.
    #[error("{0}")]
    Base(#[from] BaseError),
    /// The key cannot be opened, or its certificates cannot be read.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The chain, or the client id.
    #[error("{0}")]
    Pki(#[from] PkiError),
    /// The core refused: the chain, the `kid`, or the key.
    #[error("{0}")]
    Core(#[from] privyseal_core::Error),
    /// A gateway is another client than was meant.
    #[cfg(feature = "gateway")]
    #[error("{0}")]
    Device(#[from] ClientError),
    /// No key was named.
    #[error("a client needs the reference of a key")]
    NoKey,
    /// The references are of several keys.
    #[error("{uri} is another key than {first}: the references of a client must be of one key")]
    OtherKey {
        /// The reference.
        uri: String,
        /// The first one.
        first: String,
    },
    /// A chain was given, and the scheme sends none.
    #[error("{scheme} names its key by kid and sends no certificate, so a chain cannot be given")]
    NeedlessChain {
        /// The scheme's title.
        scheme: &'static str,
    },
    /// A `kid` was given, and the scheme sends none.
    #[error("{scheme} sends its certificate chain and no kid, so a kid cannot be given")]
    NeedlessKid {
        /// The scheme's title.
        scheme: &'static str,
    },
}

privyseal_hsm::by_way! { privyseal_core::Error => BuildError: FieldError, ChainError; }
