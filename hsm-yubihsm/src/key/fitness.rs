//! What makes a key fit or unfit.

use privyseal_hsm::{FitnessNote, KeyUnfit};

use super::{Capabilities, KeyFacts};

/// What keeps the key from signing for a session with `session` capabilities, if anything does.
pub(crate) fn obstacle(
    facts: &KeyFacts,
    session: Option<Capabilities>,
    auth_key: u16,
) -> Option<KeyUnfit> {
    if let Err(reason) = &facts.public_key {
        Some(*reason)
    } else if !facts.capabilities.may_sign() {
        Some(KeyUnfit::NoSignCapability)
    } else if session.is_some_and(|it| !it.may_sign()) {
        Some(KeyUnfit::SessionMayNotSign { auth_key })
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
