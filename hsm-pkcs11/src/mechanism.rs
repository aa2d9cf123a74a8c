//! Which mechanism signs.
//!
//! Both give the same bytes (RFC 8017 section 8.2.1). `CKM_RSA_PKCS` is preferred: it is sent 51 bytes
//! instead of the whole message, and more tokens have it.

use std::fmt;

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::slot::Slot;
use cryptoki_sys::{CK_MECHANISM_TYPE, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS};

use crate::error::CallError;

/// A mechanism that makes RS256 signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningMechanism {
    /// `CKM_RSA_PKCS`: the core hashes, the token pads and signs the `DigestInfo` (51 bytes).
    RsaPkcs,
    /// `CKM_SHA256_RSA_PKCS`: the token hashes the signing input itself.
    Sha256RsaPkcs,
}

impl SigningMechanism {
    /// In order of preference.
    const ALL: [Self; 2] = [Self::RsaPkcs, Self::Sha256RsaPkcs];

    /// The name in PKCS #11.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs => "CKM_RSA_PKCS",
            Self::Sha256RsaPkcs => "CKM_SHA256_RSA_PKCS",
        }
    }

    pub(crate) const fn mechanism(self) -> Mechanism<'static> {
        match self {
            Self::RsaPkcs => Mechanism::RsaPkcs,
            Self::Sha256RsaPkcs => Mechanism::Sha256RsaPkcs,
        }
    }

    const fn number(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::RsaPkcs => CKM_RSA_PKCS,
            Self::Sha256RsaPkcs => CKM_SHA256_RSA_PKCS,
        }
    }

    const fn kind(self) -> MechanismType {
        match self {
            Self::RsaPkcs => MechanismType::RSA_PKCS,
            Self::Sha256RsaPkcs => MechanismType::SHA256_RSA_PKCS,
        }
    }
}

impl fmt::Display for SigningMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The mechanisms that the slot's token signs with. One whose information cannot be read counts as
/// signing: `C_SignInit` will tell.
pub(crate) fn offered(context: &Pkcs11, slot: Slot) -> Result<Vec<SigningMechanism>, CallError> {
    let list = context
        .get_mechanism_list(slot)
        .map_err(|error| CallError::new("C_GetMechanismList", &error))?;
    let signs = |mechanism: &SigningMechanism| {
        let kind = mechanism.kind();
        list.contains(&kind)
            && context
                .get_mechanism_info(slot, kind)
                .map_or(true, |info| info.sign())
    };
    Ok(SigningMechanism::ALL.into_iter().filter(signs).collect())
}

/// The best mechanism that the token offers and the key allows. An empty `CKA_ALLOWED_MECHANISMS`
/// allows all (SoftHSM shows one on every key).
pub(crate) fn choose(
    offered: &[SigningMechanism],
    allowed: &[CK_MECHANISM_TYPE],
) -> Option<SigningMechanism> {
    let fits =
        |mechanism: &&SigningMechanism| allowed.is_empty() || allowed.contains(&mechanism.number());
    offered.iter().find(fits).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use SigningMechanism::{RsaPkcs, Sha256RsaPkcs};

    #[test]
    fn the_digest_info_is_preferred_and_the_keys_list_obeyed() {
        let (plain, hashing) = (CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS);
        let (pss, vendors) = (cryptoki_sys::CKM_SHA256_RSA_PKCS_PSS, 0x8765_4321);
        for (offered, allowed, chosen) in [
            (&[RsaPkcs, Sha256RsaPkcs][..], &[][..], Some(RsaPkcs)),
            (&[RsaPkcs], &[], Some(RsaPkcs)),
            (&[Sha256RsaPkcs], &[], Some(Sha256RsaPkcs)),
            (&[], &[], None),
            (&[RsaPkcs, Sha256RsaPkcs], &[hashing, plain], Some(RsaPkcs)),
            (&[RsaPkcs, Sha256RsaPkcs], &[hashing], Some(Sha256RsaPkcs)),
            (&[RsaPkcs, Sha256RsaPkcs], &[pss], None),
            (&[RsaPkcs], &[hashing], None),
            (&[RsaPkcs], &[vendors, plain], Some(RsaPkcs)),
            (&[RsaPkcs], &[vendors], None),
        ] {
            assert_eq!(choose(offered, allowed), chosen, "{offered:?} {allowed:?}");
        }
    }
}
