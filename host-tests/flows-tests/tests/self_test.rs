//! The self-test of hosts that run long: it passes a key that signs, and no other.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use privyseal::self_test;
use privyseal_core::csr::CertificationRequestInfo;
use privyseal_core::{CertificationRequestSigner, RsaPublicKey, Signature, Signer, SigningInput};
use privyseal_test_pki::test_key;
use privyseal_test_suite::software_signer::{SoftwareSigner, SoftwareSignerError};

/// What a signer does wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    FlippedBit,
    OtherKey,
    TooShort,
    Zeros,
    Nothing,
}

struct WrongSigner {
    right: SoftwareSigner,
    other: SoftwareSigner,
    wrong: Wrong,
}

impl Signer for WrongSigner {
    type Error = SoftwareSignerError;

    fn public_key(&self) -> &RsaPublicKey {
        self.right.public_key()
    }

    fn sign(
        &mut self,
        input: &SigningInput<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error> {
        self.right.sign(input, signature)
    }
}

impl CertificationRequestSigner for WrongSigner {
    fn sign_certification_request(
        &mut self,
        info: &CertificationRequestInfo<'_>,
        signature: &mut Signature,
    ) -> Result<(), Self::Error> {
        let mut made = Signature::new();
        match self.wrong {
            Wrong::OtherKey => self.other.sign_certification_request(info, &mut made)?,
            _ => self.right.sign_certification_request(info, &mut made)?,
        }
        let mut bytes = made.as_bytes().to_vec();
        match self.wrong {
            Wrong::FlippedBit => bytes[100] ^= 1,
            Wrong::TooShort => bytes.truncate(255),
            Wrong::Zeros => bytes.fill(0),
            Wrong::OtherKey => {}
            Wrong::Nothing => return Ok(()),
        }
        signature.set(&bytes).unwrap();
        Ok(())
    }
}

#[test]
fn a_key_that_signs_passes() {
    for bits in [2048, 3072, 4096] {
        self_test(&mut SoftwareSigner::new(&test_key("seal", bits))).unwrap();
    }
}

#[test]
fn a_signer_that_signs_wrongly_fails() {
    for wrong in [
        Wrong::FlippedBit,
        Wrong::OtherKey,
        Wrong::TooShort,
        Wrong::Zeros,
        Wrong::Nothing,
    ] {
        let mut signer = WrongSigner {
            right: SoftwareSigner::new(&test_key("seal", 2048)),
            other: SoftwareSigner::new(&test_key("registry", 2048)),
            wrong,
        };
        let error = self_test(&mut signer).unwrap_err();
        assert!(
            error.to_string().contains("signature"),
            "{wrong:?}: {error}"
        );
    }
}
