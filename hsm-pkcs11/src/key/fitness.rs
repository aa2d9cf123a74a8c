//! Is a key fit to sign assertions?

use std::fmt;

use super::KeyFacts;
use crate::error::KeyError;
use crate::mechanism::{self, SigningMechanism};

/// Something to know about a key before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FitnessNote {
    /// The key cannot be used, and why.
    Unfit(KeyError),
    /// `CKA_EXTRACTABLE` is true: the key can leave the token (wrapped).
    Extractable,
    /// `CKA_SENSITIVE` is false: the key can be read in clear.
    NotSensitive,
    /// No certificate on the token has this key.
    NoCertificate,
}

impl FitnessNote {
    /// Whether it keeps the key from signing; the others are warnings.
    pub const fn is_obstacle(&self) -> bool {
        matches!(self, Self::Unfit(_))
    }
}

impl fmt::Display for FitnessNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(reason) => write!(f, "{reason}"),
            Self::Extractable => f.write_str("can leave the token (CKA_EXTRACTABLE is true)"),
            Self::NotSensitive => f.write_str("can be read in clear (CKA_SENSITIVE is false)"),
            Self::NoCertificate => f.write_str("has no certificate on the token"),
        }
    }
}

/// What keeps the key from signing, if anything does.
pub(crate) fn obstacle(key: &KeyFacts, offered: &[SigningMechanism]) -> Option<KeyError> {
    if !key.is_rsa {
        return Some(KeyError::NotRsa);
    }
    if !key.may_sign {
        return Some(KeyError::MayNotSign);
    }
    if let Err(reason) = key.public {
        return Some(reason);
    }
    if mechanism::choose(offered, &key.allowed).is_none() {
        return Some(KeyError::NoMechanism);
    }
    key.always_authenticate
        .then_some(KeyError::AlwaysAuthenticate)
}

/// All there is to know, the obstacle first.
pub(crate) fn notes(
    key: &KeyFacts,
    offered: &[SigningMechanism],
    has_certificate: bool,
) -> Vec<FitnessNote> {
    let mut notes = Vec::new();
    notes.extend(obstacle(key, offered).map(FitnessNote::Unfit));
    notes.extend((key.extractable == Some(true)).then_some(FitnessNote::Extractable));
    notes.extend((key.sensitive == Some(false)).then_some(FitnessNote::NotSensitive));
    notes.extend((!has_certificate).then_some(FitnessNote::NoCertificate));
    notes
}
