//! What a backend may sign.

use privyseal_core::{CertificationRequestInfo, SigningInput};

/// What may be signed: a sealed type of the core, and nothing else.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SealedInput<'a> {
    /// A client assertion, or another statement of its scheme.
    Assertion(&'a SigningInput<'a>),
    /// A certification request for the key itself.
    CertificationRequest(&'a CertificationRequestInfo<'a>),
}

impl SealedInput<'_> {
    /// The DER of the `DigestInfo` of the message's SHA-256 digest (RFC 8017 section 9.2).
    pub fn digest_info(self) -> [u8; 51] {
        match self {
            Self::Assertion(input) => input.digest_info(),
            Self::CertificationRequest(info) => info.digest_info(),
        }
    }

    /// The whole message, for hardware or a library that insists on hashing.
    pub fn message(self) -> Vec<u8> {
        let mut message = Vec::new();
        let Ok(()) = match self {
            Self::Assertion(input) => input.write_to(&mut message),
            Self::CertificationRequest(info) => info.write_to(&mut message),
        };
        message
    }
}

/// Makes a type a signer of the core, of assertions and of certification requests for its own key: where its public key
/// is, and how it signs a [`SealedInput`](crate::SealedInput).
#[macro_export]
macro_rules! sealed_signer {
    ($signer:ty, $error:ty, |$own:ident| $key:expr, |$input:ident, $signature:ident| $sign:expr) => {
        impl ::privyseal_core::Signer for $signer {
            type Error = $error;

            fn public_key(&self) -> &::privyseal_core::RsaPublicKey {
                let $own = self;
                $key
            }

            fn sign(
                &mut self,
                input: &::privyseal_core::SigningInput<'_>,
                $signature: &mut ::privyseal_core::Signature,
            ) -> Result<(), $error> {
                let ($own, $input) = (self, $crate::SealedInput::Assertion(input));
                $sign
            }
        }

        impl ::privyseal_core::CertificationRequestSigner for $signer {
            fn sign_certification_request(
                &mut self,
                info: &::privyseal_core::CertificationRequestInfo<'_>,
                $signature: &mut ::privyseal_core::Signature,
            ) -> Result<(), $error> {
                let ($own, $input) = (self, $crate::SealedInput::CertificationRequest(info));
                $sign
            }
        }
    };
}
