//! What makes a key fit or unfit.

use privyseal_hsm::{FitnessNote, HeldCertificate, KeyPolicy, KeyProperties, KeyUnfit};

use super::{Capabilities, KeyFacts};

/// Whether the key can sign for a session with `session` capabilities.
fn check(
    facts: &KeyFacts,
    session: Option<Capabilities>,
    auth_key: u16,
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Result<(), KeyUnfit> {
    let properties = facts.properties(certificate)?;
    if !facts.capabilities.may_sign() {
        return Err(KeyUnfit::NoSignCapability);
    }
    if session.is_some_and(|it| !it.may_sign()) {
        return Err(KeyUnfit::SessionMayNotSign { auth_key });
    }
    policy.check(&properties)
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
    let obstacle = check(facts, session, auth_key, certificate, policy).err();
    let signs = yubihsm::Capability::SIGN_PKCS | yubihsm::Capability::EXPORTABLE_UNDER_WRAP;
    let does_more = !signs.contains(facts.capabilities.0);
    let remarks = [
        (facts.capabilities.is_exportable(), FitnessNote::Exportable),
        (!facts.generated, FitnessNote::Imported),
        (does_more, FitnessNote::MayDoMore),
    ];
    let remarks = remarks.into_iter().filter(|(applies, _)| *applies);
    let obstacle = obstacle.into_iter().map(FitnessNote::Unfit);
    obstacle.chain(remarks.map(|(_, note)| note)).collect()
}
