//! Is a key fit for an operation, and does the policy allow it?

use privyseal_hsm::{FitnessNote, HeldCertificate, KeyPolicy, KeyProperties, KeyUnfit};

use super::KeyFacts;
use crate::mechanism::{self, KeyOperation};

/// The mechanism that the operation has with this key, or what keeps the key from it: first what nothing can change, then
/// the policy.
pub(crate) fn check<O: KeyOperation>(
    key: &KeyFacts,
    offered: &[O],
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Result<O, KeyUnfit> {
    if !key.is_rsa {
        return Err(KeyUnfit::NotRsa);
    }
    if !key.permits(O::USE) {
        return Err(O::FORBIDDEN);
    }
    let public = key.public.as_ref().map_err(|reason| *reason)?;
    let mechanism = mechanism::choose(offered, &key.allowed).ok_or(O::NO_MECHANISM)?;
    let properties = KeyProperties {
        bits: public.bits(),
        private: key.private,
        sensitive: key.sensitive,
        extractable: key.extractable,
        certificate,
    };
    policy.check(&properties).map(|()| mechanism)
}

/// All there is to know, the obstacle first.
pub(crate) fn notes<O: KeyOperation>(
    key: &KeyFacts,
    offered: &[O],
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Vec<FitnessNote> {
    let obstacle = check(key, offered, certificate, policy).err();
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
    let obstacle = obstacle.into_iter().map(FitnessNote::Unfit);
    obstacle.chain(remarks.map(|(_, note)| note)).collect()
}
