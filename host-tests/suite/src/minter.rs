//! Makes FIAM tokens with any signer, and judges them without the core: what the tests of signers that
//! break, and their measurement, have in common.

use privyseal_test_base::clock;
use std::collections::BTreeSet;

use privyseal_core::limits::MAX_COMPACT_JWS;
use privyseal_core::{Credential, RsaPublicKey, SignError, Signer};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::{self as suite, Case};
use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::{CertificateSpec, TestPki};

/// A credential for one key, with a chain of the test PKI.
#[derive(Debug)]
pub struct Minter {
    credential: Credential<Vec<u8>>,
    key: RsaPublicKey,
    case: Case<'static>,
}

impl Minter {
    /// For the key of a signer.
    ///
    /// # Panics
    /// If the clock shows a time before 1970.
    pub fn new(key: &RsaPublicKey) -> Self {
        let chain = TestPki::new().chain(&suite::spki(key), &CertificateSpec::seal());
        let case = suite::cases(clock::now())[0];
        Self {
            credential: suite::credential(&case, &chain, key).expect("a chain for this key"),
            key: key.clone(),
            case,
        }
    }

    /// The whole pipeline once.
    ///
    /// # Panics
    /// If `jti` is none.
    pub fn mint<S: Signer>(
        &self,
        signer: &mut S,
        jti: &str,
    ) -> Result<String, SignError<S::Error>> {
        let case = Case { jti, ..self.case };
        let request = suite::request(&case).expect("the fields of a test");
        let input = self
            .credential
            .prepare(&request)
            .map_err(SignError::Token)?;
        let mut buffer = [0; MAX_COMPACT_JWS];
        Ok(input.sign(signer, &mut buffer)?.as_str().to_owned())
    }

    /// Whether `token` is whole and has a good signature, in ring's judgement; gives its `jti`.
    pub fn judge(&self, token: &str) -> Result<String, String> {
        let parts = Parts::of(token);
        let exponent = self.key.exponent().to_be_bytes();
        let zeros = exponent.iter().take_while(|byte| **byte == 0).count();
        let key = RsaPublicKeyComponents {
            n: self.key.modulus(),
            e: &exponent[zeros..],
        };
        key.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            parts.signing_input.as_bytes(),
            &parts.signature,
        )
        .map_err(|_| format!("a token that does not verify: {token}"))?;
        let claims = parts.claims();
        let jti = claims["jti"].as_str().ok_or("a token without jti")?;
        Ok(jti.to_owned())
    }

    /// Judges many; no `jti` may repeat.
    ///
    /// # Panics
    /// If one is bad.
    pub fn judge_all<'t>(&self, tokens: impl IntoIterator<Item = &'t String>) -> usize {
        let mut seen = BTreeSet::new();
        for token in tokens {
            let jti = self
                .judge(token)
                .unwrap_or_else(|reason| panic!("{reason}"));
            assert!(seen.insert(jti.clone()), "jti {jti} twice");
        }
        seen.len()
    }
}
