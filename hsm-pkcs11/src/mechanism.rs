//! Which mechanism signs, and which one decrypts.
//!
//! Both that sign give the same bytes (RFC 8017 section 8.2.1). `CKM_RSA_PKCS` is preferred: it is sent 51 bytes
//! instead of the whole message, and more tokens have it.

use std::fmt;
use std::ptr;

use cryptoki_sys::{
    CK_FLAGS, CK_MECHANISM_TYPE, CK_RSA_PKCS_OAEP_PARAMS, CK_SLOT_ID, CKF_DECRYPT, CKF_SIGN,
    CKG_MGF1_SHA1, CKG_MGF1_SHA256, CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_SHA_1, CKM_SHA256,
    CKM_SHA256_RSA_PKCS, CKZ_DATA_SPECIFIED,
};
use privyseal_core::{KeyEncryption, named};
use privyseal_hsm::KeyUnfit;

use crate::error::CallError;
use crate::raw::{KeyUse, RawModule};

impl KeyUse {
    /// What to say of a key that does not permit it, in a list.
    pub(crate) const fn forbidden(self) -> &'static str {
        match self {
            Self::Sign => "may not sign",
            Self::Decrypt => "may not decrypt",
        }
    }
}

/// What a key is opened for: the mechanisms that do it, and what the key must permit.
pub(crate) trait KeyOperation: Copy + fmt::Debug + 'static {
    /// In order of preference.
    const ALL: &'static [Self];
    /// What the key must permit.
    const USE: KeyUse;
    /// What to say of a key that does not.
    const FORBIDDEN: KeyUnfit;
    /// What to say of a key that has no mechanism for it.
    const NO_MECHANISM: KeyUnfit;

    /// The flag of a mechanism that does it on a token.
    const FLAG: CK_FLAGS;

    /// The mechanism's number.
    fn kind(self) -> CK_MECHANISM_TYPE;
}

named! {
    /// A mechanism that makes RS256 signatures, named as in PKCS #11.
    #[non_exhaustive]
    pub enum SigningMechanism {
        /// `CKM_RSA_PKCS`: the core hashes, the token pads and signs the `DigestInfo` (51 bytes).
        RsaPkcs = "CKM_RSA_PKCS",
        /// `CKM_SHA256_RSA_PKCS`: the token hashes the signing input itself.
        Sha256RsaPkcs = "CKM_SHA256_RSA_PKCS",
    }
}

impl KeyOperation for SigningMechanism {
    const ALL: &'static [Self] = &[Self::RsaPkcs, Self::Sha256RsaPkcs];
    const USE: KeyUse = KeyUse::Sign;
    const FORBIDDEN: KeyUnfit = KeyUnfit::MayNotSign;
    const NO_MECHANISM: KeyUnfit = KeyUnfit::NoMechanism;
    const FLAG: CK_FLAGS = CKF_SIGN;

    fn kind(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::RsaPkcs => CKM_RSA_PKCS,
            Self::Sha256RsaPkcs => CKM_SHA256_RSA_PKCS,
        }
    }
}

/// The mechanism that decrypts: `CKM_RSA_PKCS_OAEP`. Which hash it is used with is a parameter, and no list
/// says which ones a token knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RsaPkcsOaep;

impl RsaPkcsOaep {
    /// With the hash of `algorithm`, for the data and for MGF1, and no label (RFC 7518 section 4.3).
    pub(crate) const fn parameters(algorithm: KeyEncryption) -> CK_RSA_PKCS_OAEP_PARAMS {
        let (hash, mgf) = match algorithm {
            KeyEncryption::RsaOaep => (CKM_SHA_1, CKG_MGF1_SHA1),
            KeyEncryption::RsaOaep256 => (CKM_SHA256, CKG_MGF1_SHA256),
        };
        CK_RSA_PKCS_OAEP_PARAMS {
            hashAlg: hash,
            mgf,
            source: CKZ_DATA_SPECIFIED,
            pSourceData: ptr::null_mut(),
            ulSourceDataLen: 0,
        }
    }
}

impl KeyOperation for RsaPkcsOaep {
    const ALL: &'static [Self] = &[Self];
    const USE: KeyUse = KeyUse::Decrypt;
    const FORBIDDEN: KeyUnfit = KeyUnfit::MayNotDecrypt;
    const NO_MECHANISM: KeyUnfit = KeyUnfit::NoOaep;
    const FLAG: CK_FLAGS = CKF_DECRYPT;

    fn kind(self) -> CK_MECHANISM_TYPE {
        CKM_RSA_PKCS_OAEP
    }
}

/// The mechanisms that the slot's token has for this. One whose information cannot be read counts as
/// there: `C_SignInit` or `C_DecryptInit` will tell.
pub(crate) fn offered<O: KeyOperation>(
    module: &RawModule,
    slot: CK_SLOT_ID,
) -> Result<Vec<O>, CallError> {
    let list = module.mechanisms(slot)?;
    let all = O::ALL.iter().copied();
    Ok(all.filter(|it| does(*it, module, slot, &list)).collect())
}

/// The same for one key: the best that it allows, and no more is asked.
pub(crate) fn offered_to<O: KeyOperation>(
    module: &RawModule,
    slot: CK_SLOT_ID,
    allowed: &[CK_MECHANISM_TYPE],
) -> Result<Vec<O>, CallError> {
    let list = module.mechanisms(slot)?;
    let mut candidates = O::ALL.iter().filter(|it| is_allowed(**it, allowed));
    let best = candidates.find(|it| does(**it, module, slot, &list));
    Ok(best.copied().into_iter().collect())
}

fn does<O: KeyOperation>(
    mechanism: O,
    module: &RawModule,
    slot: CK_SLOT_ID,
    list: &[CK_MECHANISM_TYPE],
) -> bool {
    let kind = mechanism.kind();
    let flags = || module.mechanism_flags(slot, kind);
    list.contains(&kind) && flags().map_or(true, |flags| flags & O::FLAG != 0)
}

fn is_allowed<O: KeyOperation>(mechanism: O, allowed: &[CK_MECHANISM_TYPE]) -> bool {
    allowed.is_empty() || allowed.contains(&mechanism.kind())
}

/// The best mechanism that the token offers and the key allows. An empty `CKA_ALLOWED_MECHANISMS`
/// allows all (SoftHSM shows one on every key).
pub(crate) fn choose<O: KeyOperation>(offered: &[O], allowed: &[CK_MECHANISM_TYPE]) -> Option<O> {
    offered.iter().copied().find(|it| is_allowed(*it, allowed))
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
