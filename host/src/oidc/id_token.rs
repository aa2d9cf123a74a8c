//! What the claims of an id_token, and of the UserInfo response beside it, must say before they count.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::UnixTime;
use privyseal_core::payload::AcrValues;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::base::display::sanitize_for_display;
use crate::jose::JoseError;
use crate::jose::jws;
use crate::jose::jws::{ClaimRules, VerifiedJws};
use crate::oauth::AuthenticationOptions;
use crate::oidc::provider::CLOCK_LEEWAY;

/// The claim that binds an id_token to an authentication request (CIBA Core section 10.3.1).
const AUTH_REQ_ID: &str = "urn:openid:params:jwt:claim:auth_req_id";

const ACR: &str = "acr";

/// What errors call an id_token.
pub(super) const ID_TOKEN: &str = "id_token";

/// What an id_token must fit.
#[derive(Clone, Copy, Default)]
pub(super) struct IdTokenRules<'a> {
    /// This client.
    pub client_id: &'a str,
    /// When it can have been made at the earliest.
    pub not_before: Option<u64>,
    /// The access token that came with it.
    pub access_token: &'a str,
    /// The request of CIBA that it answers, if it answers one.
    pub auth_req_id: Option<&'a str>,
    /// The nonce that was sent, if one was.
    pub nonce: Option<&'a str>,
    /// How the person was to prove who they are.
    pub acr: AskedAcr,
    /// Keys that are out of reach are waited for: nobody can be asked again for nothing.
    pub waits: bool,
}

/// The claims of an id_token whose signature was verified, if they obey OpenID Connect Core section
/// 3.1.3.7 and CIBA Core section 10.3.1.
pub(super) fn judge(
    verified: &VerifiedJws,
    issuer: &str,
    now: UnixTime,
    rules: &IdTokenRules<'_>,
) -> Result<Map<String, Value>, JoseError> {
    let claims = verified.judged(&ClaimRules {
        issuer,
        audience: Some(rules.client_id),
        now,
        leeway: CLOCK_LEEWAY,
    })?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    jws::check_subject(&claims, "OpenID Connect Core section 2")?;
    let iat = jws::moment(&claims, "iat")?
        .ok_or_else(|| JoseError::claim("iat", "is missing (OpenID Connect Core section 2)"))?;
    let early = rules.not_before.map_or(0, |it| it.saturating_sub(iat));
    if early > 0 {
        let what = format!("is {early} s before the request that it should answer");
        return Err(JoseError::claim("iat", what));
    }
    authorized_party(&claims, rules.client_id)?;
    let refused = |name, what: &str| Err(JoseError::claim(name, what));
    let is_other = |name, due| claims.contains_key(name) && text(name) != due;
    let hash = at_hash(rules.access_token);
    if is_other("at_hash", Some(&hash)) {
        let what = "is not that of the access token that came with it (OpenID Connect Core section 3.1.3.8)";
        return refused("at_hash", what);
    }
    if is_other(AUTH_REQ_ID, rules.auth_req_id) {
        let what = "is not that of the request (CIBA Core section 10.3.1)";
        return refused(AUTH_REQ_ID, what);
    }
    if rules.nonce.is_some() && text("nonce") != rules.nonce {
        let what = "is not the one that was sent (OpenID Connect Core section 3.1.3.7, point 11)";
        return refused("nonce", what);
    }
    rules.acr.judge(&claims)?;
    Ok(claims)
}

/// The claims of a UserInfo response are of the same person (OpenID Connect Core section 5.3.2). Without an id_token,
/// nobody says how the person proved who they are.
pub(super) fn judge_person(
    claims: &Map<String, Value>,
    id_token: Option<&Map<String, Value>>,
    acr: AskedAcr,
) -> Result<(), JoseError> {
    let Some(id_token) = id_token else {
        return acr.judge(&Map::new());
    };
    if id_token.get("sub") == claims.get("sub") {
        return Ok(());
    }
    let what = "is another than that of the id_token (OpenID Connect Core section 5.3.2)";
    Err(JoseError::claim("sub", what))
}

/// The left half of the SHA-256 of an access token, for RS256 (OpenID Connect Core section 3.1.3.6).
fn at_hash(access_token: &str) -> String {
    let hash = Sha256::digest(access_token.as_bytes());
    Base64UrlUnpadded::encode_string(hash.get(..16).unwrap_or_default())
}

/// Point 3: others in `aud` are not trusted by this client. Points 4 and 5: `azp`.
fn authorized_party(claims: &Map<String, Value>, client_id: &str) -> Result<(), JoseError> {
    const SOURCE: &str = "OpenID Connect Core section 3.1.3.7, points 3 to 5";
    let aud = claims.get("aud").and_then(Value::as_array);
    if aud.is_some_and(|aud| aud.iter().any(|it| *it != *client_id)) {
        let what = format!("names others beside this client, who are not trusted ({SOURCE})");
        return Err(JoseError::claim("aud", what));
    }
    let Some(azp) = claims.get("azp").filter(|azp| **azp != client_id) else {
        return Ok(());
    };
    let azp = sanitize_for_display(azp.as_str().unwrap_or("no string"), None);
    let what = format!("is {azp}, not this client ({SOURCE})");
    Err(JoseError::claim("azp", what))
}

/// What was asked for. By default nothing was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AskedAcr {
    /// `acr_values` of the request.
    pub value: Option<AcrValues>,
    /// The claim `acr` was asked for, too: then it must be in the id_token.
    pub must_be_said: bool,
}

impl AskedAcr {
    /// What a request asks for.
    pub(super) fn of(asked: &AuthenticationOptions) -> Self {
        Self {
            value: asked.acr_values,
            must_be_said: asked.id_token_claims.iter().any(|name| name == ACR),
        }
    }

    /// What is good for who asked for that. For itsme, basic is "either fingerprint usage or itsme code" and advanced is
    /// the code: who asked for basic has it with advanced, not the other way round.
    pub(super) fn good(asked: AcrValues) -> [AcrValues; 2] {
        [asked, AcrValues::Advanced]
    }

    /// Judges the claims of an id_token (OpenID Connect Core section 3.1.3.7, point 12).
    fn judge(self, claims: &Map<String, Value>) -> Result<(), JoseError> {
        const SOURCE: &str = "OpenID Connect Core section 3.1.3.7, point 12";
        let Some(asked) = self.value else {
            return Ok(());
        };
        let wanted = asked.name();
        let good = |acr: &Value| Self::good(asked).iter().any(|good| acr == good.name());
        let found = match claims.get(ACR) {
            Some(acr) if good(acr) => return Ok(()),
            None if !self.must_be_said => return Ok(()),
            Some(acr) => {
                let acr = sanitize_for_display(acr.as_str().unwrap_or("no string"), None);
                format!("is {acr}")
            }
            None => "is missing".to_owned(),
        };
        let what = format!("{found}, and {wanted} was asked for ({SOURCE})");
        Err(JoseError::claim(ACR, what))
    }
}

#[cfg(test)]
mod tests;
