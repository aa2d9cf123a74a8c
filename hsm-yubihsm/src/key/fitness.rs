//! What makes a key fit or unfit.

use privyseal_hsm::{FitnessNote, HeldCertificate, KeyPolicy, KeyProperties, KeyUnfit};

use super::{Capabilities, KeyFacts};

/// What keeps the key from signing for a session with `session` capabilities, if anything does.
fn obstacle(
    facts: &KeyFacts,
    session: Option<Capabilities>,
    auth_key: u16,
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Option<KeyUnfit> {
    let properties = match facts.properties(certificate) {
        Ok(properties) => properties,
        Err(reason) => return Some(reason),
    };
    if !facts.capabilities.may_sign() {
        return Some(KeyUnfit::NoSignCapability);
    }
    if session.is_some_and(|it| !it.may_sign()) {
        return Some(KeyUnfit::SessionMayNotSign { auth_key });
    }
    policy.obstacle(&properties)
}

impl KeyFacts {
    /// What a policy judges.
    pub(crate) fn properties(
        &self,
        certificate: HeldCertificate,
    ) -> Result<KeyProperties, KeyUnfit> {
        Ok(KeyProperties {
            bits: self.public_key.as_ref().map_err(|reason| *reason)?.bits(),
            // Nothing is done without a session, and no key is read in clear.
            private: Some(true),
            sensitive: Some(true),
            extractable: Some(self.capabilities.is_exportable()),
            certificate,
        })
    }
}

/// Everything worth saying about the key, the obstacle first.
pub(crate) fn notes(
    facts: &KeyFacts,
    session: Option<Capabilities>,
    auth_key: u16,
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Vec<FitnessNote> {
    let mut notes: Vec<FitnessNote> = obstacle(facts, session, auth_key, certificate, policy)
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
