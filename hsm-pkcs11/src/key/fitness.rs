//! Is a key fit to sign assertions, and does the policy allow it?

use std::fmt;

use super::KeyFacts;
use crate::error::KeyError;
use crate::mechanism::{self, Duty};

/// What a key must be, beyond being able to sign at all. The default is what a seal should be made with;
/// each flag gives one thing up, or asks for one more.
///
/// Whether the certificate is in force and for the right use is not asked here: the core refuses to make
/// a credential or an assertion with one that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the policy"
)]
pub struct KeyPolicy {
    /// Accept a key that is there without a login (`CKA_PRIVATE` is false).
    pub allow_public_object: bool,
    /// Accept a key that can be read in clear (`CKA_SENSITIVE` is false).
    pub allow_not_sensitive: bool,
    /// Refuse a key that can leave the token wrapped (`CKA_EXTRACTABLE` is true). Without it, that is a
    /// warning: network HSMs are backed up so.
    pub refuse_extractable: bool,
    /// Accept a key although the certificate with its `CKA_ID` is another key's.
    pub allow_other_certificate: bool,
    /// Refuse a key without a certificate on the token.
    pub require_certificate: bool,
    /// The smallest modulus, in bits. Below 2048 the core signs nothing, whatever stands here.
    pub min_bits: usize,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            allow_public_object: false,
            allow_not_sensitive: false,
            refuse_extractable: false,
            allow_other_certificate: false,
            require_certificate: false,
            min_bits: 2048,
        }
    }
}

/// Which certificate the token has for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldCertificate {
    /// One with the key's modulus.
    Matching,
    /// Only one with its `CKA_ID`, and that is another key's.
    OfAnotherKey,
    /// None.
    None,
}

/// Something to know about a key before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FitnessNote {
    /// The key cannot be used, and why.
    Unfit(KeyError),
    /// `CKA_PRIVATE` is false: the key can be used without a login.
    PublicObject,
    /// `CKA_EXTRACTABLE` is true: the key can leave the token (wrapped).
    Extractable,
    /// `CKA_SENSITIVE` is false: the key can be read in clear.
    NotSensitive,
    /// No certificate on the token has this key.
    NoCertificate,
    /// The certificate with the key's `CKA_ID` is another key's.
    OtherCertificate,
    /// `CKA_ALWAYS_AUTHENTICATE` is true: every signature wants the PIN.
    PinPerSignature,
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
            Self::PublicObject => f.write_str("can be used without a login (CKA_PRIVATE is false)"),
            Self::Extractable => f.write_str("can leave the token (CKA_EXTRACTABLE is true)"),
            Self::NotSensitive => f.write_str("can be read in clear (CKA_SENSITIVE is false)"),
            Self::NoCertificate => f.write_str("has no certificate on the token"),
            Self::OtherCertificate => {
                f.write_str("has the CKA_ID of a certificate that is another key's")
            }
            Self::PinPerSignature => {
                f.write_str("wants the PIN for every signature (CKA_ALWAYS_AUTHENTICATE is true)")
            }
        }
    }
}

/// What keeps the key from its duty, if anything does: first what nothing can change, then the policy.
pub(crate) fn obstacle<D: Duty>(
    key: &KeyFacts,
    offered: &[D],
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Option<KeyError> {
    if !key.is_rsa {
        return Some(KeyError::NotRsa);
    }
    if !D::is_allowed(key) {
        return Some(D::FORBIDDEN);
    }
    let public = match &key.public {
        Ok(public) => public,
        Err(reason) => return Some(*reason),
    };
    if mechanism::choose(offered, &key.allowed).is_none() {
        return Some(D::NO_MECHANISM);
    }
    let rules = [
        (
            public.bits() < policy.min_bits,
            KeyError::TooSmall {
                bits: public.bits(),
                min: policy.min_bits,
            },
        ),
        (
            !policy.allow_public_object && key.private == Some(false),
            KeyError::PublicObject,
        ),
        (
            !policy.allow_not_sensitive && key.sensitive == Some(false),
            KeyError::NotSensitive,
        ),
        (
            policy.refuse_extractable && key.extractable == Some(true),
            KeyError::Extractable,
        ),
        (
            !policy.allow_other_certificate && certificate == HeldCertificate::OfAnotherKey,
            KeyError::OtherCertificate,
        ),
        (
            policy.require_certificate && certificate != HeldCertificate::Matching,
            KeyError::NoCertificate,
        ),
    ];
    let broken = rules.into_iter().find(|(broken, _)| *broken);
    broken.map(|(_, reason)| reason)
}

/// All there is to know, the obstacle first.
pub(crate) fn notes<D: Duty>(
    key: &KeyFacts,
    offered: &[D],
    certificate: HeldCertificate,
    policy: &KeyPolicy,
) -> Vec<FitnessNote> {
    let mut notes = Vec::new();
    notes.extend(obstacle(key, offered, certificate, policy).map(FitnessNote::Unfit));
    notes.extend((key.private == Some(false)).then_some(FitnessNote::PublicObject));
    notes.extend((key.extractable == Some(true)).then_some(FitnessNote::Extractable));
    notes.extend((key.sensitive == Some(false)).then_some(FitnessNote::NotSensitive));
    notes.extend(match certificate {
        HeldCertificate::Matching => None,
        HeldCertificate::OfAnotherKey => Some(FitnessNote::OtherCertificate),
        HeldCertificate::None => Some(FitnessNote::NoCertificate),
    });
    notes.extend(
        key.always_authenticate
            .then_some(FitnessNote::PinPerSignature),
    );
    notes
}
