//! Is a key fit for an operation, and does the policy allow it?

use privyseal_hsm::{FitnessNote, HeldCertificate, KeyPolicy, KeyProperties, KeyUnfit};

use super::KeyFacts;
use crate::mechanism::{self, KeyOperation};

/// What keeps the key from the operation, if anything does: first what nothing can change, then the policy.
pub(crate) fn obstacle<O: KeyOperation>(
    key: &KeyFacts,
    offered: &[O],
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Option<KeyUnfit> {
    if !key.is_rsa {
        return Some(KeyUnfit::NotRsa);
    }
    if !key.permits(O::USE) {
        return Some(O::FORBIDDEN);
    }
    let public = match &key.public {
        Ok(public) => public,
        Err(reason) => return Some(*reason),
    };
    if mechanism::choose(offered, &key.allowed).is_none() {
        return Some(O::NO_MECHANISM);
    }
    policy.obstacle(&KeyProperties {
        bits: public.bits(),
        private: key.private,
        sensitive: key.sensitive,
        extractable: key.extractable,
        certificate,
    })
}

/// All there is to know, the obstacle first.
pub(crate) fn notes<O: KeyOperation>(
    key: &KeyFacts,
    offered: &[O],
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Vec<FitnessNote> {
    let obstacle = obstacle(key, offered, certificate, policy).map(FitnessNote::Unfit);
    let remarks = [
        (key.private == Some(false), FitnessNote::PublicObject),
        (key.extractable == Some(true), FitnessNote::Extractable),
        (key.sensitive == Some(false), FitnessNote::NotSensitive),
        (
            certificate == HeldCertificate::OfAnotherKey,
            FitnessNote::OtherCertificate,
        ),
        (
            certificate == HeldCertificate::None,
            FitnessNote::NoCertificate,
        ),
        (key.always_authenticate, FitnessNote::PinPerSignature),
    ];
    let remarks = remarks.into_iter().filter(|(applies, _)| *applies);
    obstacle
        .into_iter()
        .chain(remarks.map(|(_, note)| note))
        .collect()
}
