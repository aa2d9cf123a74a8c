//! josekit, with a signer that hashes and has its signature ready.

use josekit::JoseError;
use josekit::jws::alg::rsassa::RsassaJwsAlgorithm;
use josekit::jws::{JwsAlgorithm, JwsHeader, JwsSigner};
use josekit::jwt::{self, JwtPayload};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::subject::{AUDIENCE, CLIENT_ID, JTI, LIFETIME, NOW, SIGNATURE};

pub(crate) struct Library {
    header: JwsHeader,
}

impl Library {
    pub(crate) fn new(chain: &[&[u8]]) -> Self {
        let mut header = JwsHeader::new();
        header.set_token_type("JWT");
        header.set_x509_certificate_chain(&chain.to_vec());
        Self { header }
    }

    pub(crate) fn token(&self) -> String {
        let mut payload = JwtPayload::new();
        // Its own setters of times write some of them as `1795300000.0`.
        let claims: [(&str, Value); 7] = [
            ("aud", AUDIENCE.into()),
            ("exp", (NOW + LIFETIME).into()),
            ("iat", NOW.into()),
            ("iss", CLIENT_ID.into()),
            ("jti", JTI.into()),
            ("nbf", NOW.into()),
            ("sub", CLIENT_ID.into()),
        ];
        for (name, value) in claims {
            payload
                .set_claim(name, Some(value))
                .expect("a claim of the right type");
        }
        jwt::encode_with_signer(&payload, &self.header, &Ready).expect("a token")
    }
}

#[derive(Clone, Debug)]
struct Ready;

impl JwsSigner for Ready {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &RsassaJwsAlgorithm::Rs256
    }

    fn key_id(&self) -> Option<&str> {
        None
    }

    fn signature_len(&self) -> usize {
        SIGNATURE.len()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        std::hint::black_box(Sha256::digest(message));
        Ok(SIGNATURE.to_vec())
    }

    fn box_clone(&self) -> Box<dyn JwsSigner> {
        Box::new(self.clone())
    }
}
