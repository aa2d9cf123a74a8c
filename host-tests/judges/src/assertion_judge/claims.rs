//! The claims: what FIAM (step 1 of its documentation) and iSHARE both demand.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// `exp - iat`, in seconds: "The JWT MUST be set to expire in 30 seconds".
const LIFETIME: u64 = 30;

/// Who asserted, and what makes the assertion unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// `iss` and `sub`.
    pub party: String,
    /// `jti`.
    pub jti: String,
    /// `exp`, seconds since the epoch.
    pub expires_at: u64,
    /// The certificate of the key that signed, DER.
    pub leaf: Vec<u8>,
}

pub(super) fn judge(
    claims: &Map<String, Value>,
    audience: &str,
    now: u64,
) -> Result<Assertion, Refusal> {
    let party = text(claims, "iss")?;
    if text(claims, "sub")? != party {
        return Err(Refusal::invalid_client("sub is not iss"));
    }
    if text(claims, "aud")? != audience {
        return Err(Refusal::invalid_client(format!("aud is not {audience}")));
    }
    let (issued_at, expires_at) = (seconds(claims, "iat")?, seconds(claims, "exp")?);
    if expires_at != issued_at.saturating_add(LIFETIME) {
        return Err(Refusal::invalid_client("exp is not iat + 30"));
    }
    if claims.contains_key("nbf") && seconds(claims, "nbf")? != issued_at {
        return Err(Refusal::invalid_client("nbf is not iat"));
    }
    if issued_at > now {
        return Err(Refusal::invalid_client("iat is in the future"));
    }
    if now >= expires_at {
        return Err(Refusal::invalid_client("the assertion has expired"));
    }
    Ok(Assertion {
        party: party.into(),
        jti: text(claims, "jti")?.into(),
        expires_at,
        leaf: Vec::new(),
    })
}

/// A claim that must be a string with something in it.
fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let text = claims
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    text.ok_or_else(|| Refusal::invalid_client(format!("{name} is missing or not one string")))
}

/// A claim that must be a JSON integer.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<u64, Refusal> {
    // as_u64 refuses strings and fractions, also 1.0.
    claims.get(name).and_then(Value::as_u64).ok_or_else(|| {
        Refusal::invalid_client(format!("{name} is missing or not an integer of seconds"))
    })
}
