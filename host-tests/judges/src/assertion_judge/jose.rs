//! Reads a JWS with `jsonwebtoken`. Its RSA is ring's, behind the trait it has for that.

use std::sync::Once;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The certificates of the header (DER, in its order), after a look at the rest of the header.
pub(super) fn certificates(token: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    let header: Header = jsonwebtoken::decode_header(token)
        .map_err(|error| malformed(format!("the JWS header cannot be read: {error}")))?;
    if header.alg != Algorithm::RS256 {
        return Err(Refusal::invalid_client("alg is not RS256"));
    }
    if header.typ.as_deref() != Some("JWT") {
        return Err(Refusal::invalid_client("typ is not JWT"));
    }
    if header.crit.is_some() {
        return Err(Refusal::invalid_client(
            "crit names an extension that is not understood",
        ));
    }
    let certificates = header
        .x5c_der()
        .map_err(|_| malformed("x5c is not in padded standard base64"))?
        .ok_or_else(|| malformed("x5c is missing"))?;
    let mut members = header_members(token);
    members.sort();
    if members != ["alg", "typ", "x5c"] {
        let why = "the header has not exactly the members alg, typ and x5c";
        return Err(Refusal::invalid_client(why));
    }
    Ok(certificates)
}

/// The names of the header's members; none where it cannot be read.
fn header_members(token: &str) -> Vec<String> {
    let header = token.split('.').next().unwrap_or_default();
    let json = Base64UrlUnpadded::decode_vec(header).unwrap_or_default();
    let members: Map<String, Value> = serde_json::from_slice(&json).unwrap_or_default();
    members.into_iter().map(|(name, _)| name).collect()
}

/// The claims, after the signature was verified with `key` (an `RSAPublicKey`, DER).
pub(super) fn verified_claims(token: &str, key: &[u8]) -> Result<Map<String, Value>, Refusal> {
    install_ring();
    let mut validation = Validation::new(Algorithm::RS256);
    // The claims are judged by the caller, against its own clock.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    validation.validate_aud = false;
    let claims = jsonwebtoken::decode(token, &DecodingKey::from_rsa_der(key), &validation);
    claims
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => Refusal::invalid_client("the signature is wrong"),
            _ => malformed(format!("the JWS cannot be read: {error}")),
        })
}

fn malformed(description: impl Into<String>) -> Refusal {
    Refusal::bad_request("invalid_request", description)
}

fn install_ring() {
    static INSTALL: Once = Once::new();
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::RS256 => Ok(Box::new(Rs256(key.try_get_as_bytes()?.to_vec()))),
            _ => Err(Error::from(ErrorKind::InvalidAlgorithm)),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    INSTALL.call_once(|| {
        RING.install_default()
            .expect("nobody else installs a provider");
    });
}

/// RS256 with an `RSAPublicKey` (DER).
struct Rs256(Vec<u8>);

impl Verifier<Vec<u8>> for Rs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0)
            .verify(message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
