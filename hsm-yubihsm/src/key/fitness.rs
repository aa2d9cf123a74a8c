//! What makes a key fit or unfit, in words.

use std::fmt;

use super::{Capabilities, KeyFacts};
use crate::error::KeyError;

/// A remark on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FitnessNote {
    /// It cannot sign assertions.
    Unfit(KeyError),
    /// It has the capability `exportable-under-wrap`: a wrap key can take it off the device.
    Exportable,
    /// It was made elsewhere: other copies may exist.
    Imported,
    /// It may do more than sign with PKCS #1 v1.5.
    MayDoMore,
    /// No certificate on the device is for it.
    NoCertificate,
}

impl FitnessNote {
    /// Whether it keeps the key from signing.
    pub const fn is_obstacle(&self) -> bool {
        matches!(self, Self::Unfit(_))
    }
}

impl fmt::Display for FitnessNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(reason) => reason.fmt(f),
            Self::Exportable => f.write_str("can leave the device under a wrap key"),
            Self::Imported => f.write_str("was made outside of the device"),
            Self::MayDoMore => f.write_str("may do more than sign-pkcs"),
            Self::NoCertificate => f.write_str("no certificate on the device is for it"),
        }
    }
}

/// What keeps the key from signing for a session with `session` capabilities, if anything does.
pub(crate) fn obstacle(
    facts: &KeyFacts,
    session: Option<Capabilities>,
    auth_key: u16,
) -> Option<KeyError> {
    if let Err(reason) = &facts.public_key {
        Some(*reason)
    } else if !facts.capabilities.may_sign() {
        Some(KeyError::MayNotSign)
    } else if session.is_some_and(|it| !it.may_sign()) {
        Some(KeyError::SessionMayNotSign { auth_key })
    } else {
        None
    }
}

/// Everything worth saying about the key, the obstacle first.
pub(crate) fn notes(
    facts: &KeyFacts,
    session: Option<Capabilities>,
    auth_key: u16,
) -> Vec<FitnessNote> {
    let mut notes: Vec<FitnessNote> = obstacle(facts, session, auth_key)
        .map(FitnessNote::Unfit)
        .into_iter()
        .collect();
    if facts.capabilities.is_exportable() {
        notes.push(FitnessNote::Exportable);
    }
    if !facts.generated {
        notes.push(FitnessNote::Imported);
    }
    let more = yubihsm::Capability::SIGN_PKCS | yubihsm::Capability::EXPORTABLE_UNDER_WRAP;
    if !more.contains(facts.capabilities.0) {
        notes.push(FitnessNote::MayDoMore);
    }
    notes
}
