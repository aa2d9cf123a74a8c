//! What the claims of a verified token must say before they count (RFC 7519 section 4.1, OpenID Connect
//! Core section 3.1.3.7).

use privyseal_core::UnixTime;
use serde_json::{Map, Value};

#[cfg(doc)]
use super::JwsFault;
use super::VerifiedJws;
use crate::base::display::sanitize_for_display;
use crate::jose::JoseError;

/// What is demanded of every token. What else a kind of token needs (a nonce, a hash) is for its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimRules<'a> {
    /// `iss`, exactly: the issuer of the provider's metadata.
    pub issuer: &'a str,
    /// Who must be in `aud`; `None` where the token is for somebody else, as an access token is.
    pub audience: Option<&'a str>,
    /// The time.
    pub now: UnixTime,
    /// Seconds by which the clocks may differ, for `exp`, `nbf` and `iat`.
    pub leeway: u64,
}

impl VerifiedJws {
    /// The claims, if they obey `rules`: the issuer, the audience, not expired, not of the future.
    ///
    /// # Errors
    ///
    /// [`JwsFault::Claims`] and [`JwsFault::Claim`], which names the claim.
    pub fn judged(&self, rules: &ClaimRules<'_>) -> Result<Map<String, Value>, JoseError> {
        let claims = self.claims()?;
        for (_, outcome) in rules.judge(&claims) {
            outcome?;
        }
        Ok(claims)
    }

    /// Whether the header says that it is a JWT of a kind of its own, such as `at+jwt` (RFC 8725 section 3.11).
    ///
    /// # Errors
    ///
    /// [`JwsFault::Claim`].
    pub(crate) fn judge_type(&self) -> Result<(), JoseError> {
        let is_other = |typ: &&str| typ.to_ascii_lowercase().ends_with("+jwt");
        self.typ().filter(is_other).map_or(Ok(()), |typ| {
            let typ = sanitize_for_display(typ, None);
            let what = format!("is {typ}, another kind of token (RFC 8725 section 3.11)");
            Err(JoseError::claim("typ", what))
        })
    }
}

impl<'a> ClaimRules<'a> {
    /// From `issuer` for anybody, at `now`, by clocks that differ by 10 s at most.
    pub const fn new(issuer: &'a str, now: UnixTime) -> Self {
        Self {
            issuer,
            audience: None,
            now,
            leeway: 10,
        }
    }

    /// How each rule comes out, by the name of its claim, in the order in which they count.
    pub fn judge(&self, claims: &Map<String, Value>) -> Vec<(&'static str, Result<(), JoseError>)> {
        let mut outcomes = vec![("iss", issuer(claims, self.issuer))];
        if let Some(audience) = self.audience {
            outcomes.push(("aud", is_for(claims, audience)));
        }
        outcomes.push(("exp", self.is_not_expired(claims)));
        for name in ["nbf", "iat"] {
            outcomes.push((name, self.is_not_ahead(claims, name)));
        }
        outcomes
    }

    fn is_not_expired(&self, claims: &Map<String, Value>) -> Result<(), JoseError> {
        let exp = moment(claims, "exp")?.ok_or_else(|| JoseError::claim("exp", "is missing"))?;
        let now = self.now.as_secs();
        if exp.saturating_add(self.leeway) > now {
            return Ok(());
        }
        let ago = now.saturating_sub(exp);
        let what = format!("says that it expired {ago} s ago");
        Err(JoseError::claim("exp", what))
    }

    fn is_not_ahead(
        &self,
        claims: &Map<String, Value>,
        name: &'static str,
    ) -> Result<(), JoseError> {
        let now = self.now.as_secs();
        let ahead = moment(claims, name)?.map_or(0, |moment| moment.saturating_sub(now));
        if ahead <= self.leeway {
            return Ok(());
        }
        let what = format!("is {ahead} s ahead of the clock here");
        Err(JoseError::claim(name, what))
    }
}

/// Whether nothing says that it is another kind of token than an access token: Keycloak has `typ` in the payload, others in
/// the header (RFC 9068 section 2.1).
///
/// # Errors
///
/// [`JwsFault::Claim`].
pub fn judge_access_token_type(
    claims: &Map<String, Value>,
    header_typ: Option<&str>,
) -> Result<(), JoseError> {
    const PAYLOAD: [&str; 3] = ["Bearer", "DPoP", "access_token"];
    const HEADER: [&str; 4] = ["JWT", "at+jwt", "application/jwt", "application/at+jwt"];
    let is = |typ: &str, kinds: &[&str]| kinds.iter().any(|kind| typ.eq_ignore_ascii_case(kind));
    // The second is of an introspection response (RFC 7662 section 2.2).
    let kinds = ["typ", "token_type"].map(|name| claims.get(name));
    let mut kinds = kinds.into_iter().flatten().map(Value::as_str);
    let is_access = kinds.all(|typ| typ.is_some_and(|typ| is(typ, &PAYLOAD)))
        && header_typ.is_none_or(|typ| is(typ, &HEADER));
    let what = "says that it is another kind of token than an access token";
    is_access
        .then_some(())
        .ok_or_else(|| JoseError::claim("typ", what))
}

/// Judges claims of the UserInfo endpoint, which need not expire: about somebody, of this issuer and for this client, where
/// they say so, and `always` where they must (OpenID Connect Core section 5.3.2).
///
/// # Errors
///
/// [`JwsFault::Claim`], which names the claim.
pub(crate) fn judge_userinfo(
    claims: &Map<String, Value>,
    expected_issuer: &str,
    client_id: &str,
    always: bool,
) -> Result<(), JoseError> {
    check_subject(claims, "OpenID Connect Core section 5.3.2")?;
    if always || claims.contains_key("iss") {
        issuer(claims, expected_issuer)?;
    }
    if always || claims.contains_key("aud") {
        is_for(claims, client_id)?;
    }
    Ok(())
}

/// Judges a token that need not expire: `exp`, `nbf` and `iat` where they are there (RFC 7519 section 4.1).
///
/// # Errors
///
/// [`JwsFault::Claim`], which names the claim.
pub(crate) fn judge_times(
    claims: &Map<String, Value>,
    now: UnixTime,
    leeway: u64,
) -> Result<(), JoseError> {
    let rules = ClaimRules {
        leeway,
        ..ClaimRules::new("", now)
    };
    if claims.contains_key("exp") {
        rules.is_not_expired(claims)?;
    }
    rules.is_not_ahead(claims, "nbf")?;
    rules.is_not_ahead(claims, "iat")
}

/// Who a token is about: `sub`, as `source` (a document and section) and OpenID Connect Core section 2 have it.
///
/// # Errors
/// It is missing, or not 1 to 255 ASCII characters.
pub fn check_subject<'c>(
    claims: &'c Map<String, Value>,
    source: &str,
) -> Result<&'c str, JoseError> {
    let sub = claims.get("sub").and_then(Value::as_str);
    let fits = |sub: &&str| !sub.is_empty() && sub.len() <= 255 && sub.is_ascii();
    sub.filter(fits).ok_or_else(|| {
        JoseError::claim(
            "sub",
            format!("is not 1 to 255 ASCII characters ({source})"),
        )
    })
}

fn issuer(claims: &Map<String, Value>, expected: &str) -> Result<(), JoseError> {
    let what = match claims.get("iss").and_then(Value::as_str) {
        Some(found) if found == expected => return Ok(()),
        Some(found) => format!("is {}, not {expected}", sanitize_for_display(found, None)),
        None => "is missing".to_owned(),
    };
    Err(JoseError::claim("iss", what))
}

fn is_for(claims: &Map<String, Value>, audience: &str) -> Result<(), JoseError> {
    let what = match claims.get("aud") {
        Some(Value::Array(list)) if list.iter().any(|item| item == audience) => return Ok(()),
        Some(one) if one == audience => return Ok(()),
        Some(_) => format!("does not name {}", sanitize_for_display(audience, None)),
        None => "is missing".to_owned(),
    };
    Err(JoseError::claim("aud", what))
}

/// Whole seconds of a `NumericDate`, which may have a fraction.
pub(crate) fn moment(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<u64>, JoseError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let whole = value.as_u64().or_else(|| {
        // A date with a fraction: what stands before the point, which no date makes too large.
        let seconds = value.as_f64()?;
        let text = format!("{:.0}", seconds.floor());
        text.parse().ok()
    });
    whole
        .map(Some)
        .ok_or_else(|| JoseError::claim(name, "is not a number of seconds since 1970"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn judged(payload: &str, audience: Option<&str>) -> Result<Map<String, Value>, String> {
        let rules = ClaimRules {
            issuer: "https://idp.example",
            audience,
            now: UnixTime::from_secs(NOW).unwrap(),
            leeway: 10,
        };
        let jws = VerifiedJws::of_payload(payload.as_bytes());
        jws.judged(&rules).map_err(|error| error.to_string())
    }

    #[test]
    fn what_says_that_it_is_another_kind_of_token_is_no_access_token() {
        let judged = |typ: &str, header: Option<&str>| {
            let payload = format!(r#"{{"iss":"https://idp.example","exp":1800000001{typ}}}"#);
            let rules = ClaimRules {
                issuer: "https://idp.example",
                audience: None,
                now: UnixTime::from_secs(NOW).unwrap(),
                leeway: 10,
            };
            let claims = VerifiedJws::of_payload(payload.as_bytes()).judged(&rules);
            claims.and_then(|claims| judge_access_token_type(&claims, header))
        };
        for (typ, header) in [
            ("", None),
            ("", Some("JWT")),
            ("", Some("at+jwt")),
            (r#","typ":"Bearer""#, Some("JWT")),
        ] {
            assert!(judged(typ, header).is_ok(), "{typ} {header:?}");
        }
        for (typ, header) in [
            (r#","typ":"ID""#, Some("JWT")),
            (r#","typ":"Refresh""#, Some("JWT")),
            (r#","typ":"Logout""#, None),
            (r#","typ":7"#, None),
            ("", Some("logout+jwt")),
        ] {
            let error = judged(typ, header).unwrap_err().to_string();
            assert!(error.contains("another kind of token"), "{error}");
        }
    }

    #[test]
    fn good_claims() {
        for (payload, audience) in [
            (r#"{"iss":"https://idp.example","exp":1800000001}"#, None),
            (r#"{"iss":"https://idp.example","exp":1799999991}"#, None),
            (
                r#"{"iss":"https://idp.example","exp":1800000001.5,"iat":1800000010,"nbf":0}"#,
                None,
            ),
            (
                r#"{"iss":"https://idp.example","exp":1800000001,"aud":"me"}"#,
                Some("me"),
            ),
            (
                r#"{"iss":"https://idp.example","exp":1800000001,"aud":["x","me"]}"#,
                Some("me"),
            ),
        ] {
            assert!(
                judged(payload, audience).is_ok(),
                "{payload}: {:?}",
                judged(payload, audience)
            );
        }
    }

    #[test]
    fn claims_that_do_not_count() {
        for (payload, words) in [
            ("[]", "not a JSON object"),
            (r#"{"exp":1800000001}"#, "iss is missing"),
            (
                r#"{"iss":"https://idp.example/","exp":1800000001}"#,
                "not https://idp.example",
            ),
            (
                r#"{"iss":"https://idp.example","aud":"me"}"#,
                "exp is missing",
            ),
            (
                r#"{"iss":"https://idp.example","aud":"me","exp":1799999990}"#,
                "expired 10 s ago",
            ),
            (
                r#"{"iss":"https://idp.example","aud":"me","exp":"1800000001"}"#,
                "exp is not a number",
            ),
            (
                r#"{"iss":"https://idp.example","aud":"me","exp":-1}"#,
                "exp is not a number",
            ),
            (
                r#"{"iss":"https://idp.example","aud":"me","exp":1800000099,"iat":1800000011}"#,
                "iat is 11 s ahead",
            ),
            (
                r#"{"iss":"https://idp.example","aud":"me","exp":1800000099,"nbf":1800000011}"#,
                "nbf is 11 s ahead",
            ),
            (
                r#"{"iss":"https://idp.example","exp":1800000001}"#,
                "aud is missing",
            ),
            (
                r#"{"iss":"https://idp.example","exp":1800000001,"aud":"you"}"#,
                "aud does not name me",
            ),
            (
                r#"{"iss":"https://idp.example","exp":1800000001,"aud":["you"]}"#,
                "does not name me",
            ),
        ] {
            let error = judged(payload, Some("me")).unwrap_err();
            assert!(error.contains(words), "{payload}: {error}");
        }
    }

    /// Issuer and audience must be in it (OpenID Connect Core section 5.3.2); when it expires need not.
    #[test]
    fn a_userinfo_answer_is_of_this_issuer_and_for_this_client() {
        let judged = |payload: &str| {
            let claims = VerifiedJws::of_payload(payload.as_bytes()).claims();
            claims
                .and_then(|claims| judge_userinfo(&claims, "https://idp.example", "me", true))
                .map_err(|error| error.to_string())
        };
        for payload in [
            r#"{"iss":"https://idp.example","aud":"me","sub":"s"}"#,
            r#"{"iss":"https://idp.example","aud":["x","me"],"sub":"s","exp":1}"#,
        ] {
            judged(payload).unwrap();
        }
        for (payload, words) in [
            ("[]", "not a JSON object"),
            (
                r#"{"iss":"https://idp.example","aud":"me"}"#,
                "sub is not 1",
            ),
            (r#"{"aud":"me","sub":"s"}"#, "iss is missing"),
            (
                r#"{"iss":"https://evil.example","aud":"me","sub":"s"}"#,
                "iss is https://evil.example, not",
            ),
            (
                r#"{"iss":"https://idp.example","sub":"s"}"#,
                "aud is missing",
            ),
            (
                r#"{"iss":"https://idp.example","aud":"you","sub":"s"}"#,
                "aud does not name me",
            ),
        ] {
            let error = judged(payload).unwrap_err();
            assert!(error.contains(words), "{payload}: {error}");
        }
    }
}
