//! The signed authentication request of a CIBA client (CIBA Core section 7.1.1; itsme, backchannel
//! authentication).

use crate::encoding::json::Object;
use crate::encoding::sink::Sink;
use crate::field::{Field, FieldError, check_range, check_text, is_b64token, is_graphic, values};
use crate::id::{Audience, ClientId, Jti};
use crate::limits::{
    MAX_CLAIM_NAME, MAX_CLAIM_NAMES, MAX_LOGIN_HINT_TOKEN, MAX_NOTIFICATION_TOKEN,
    MAX_REQUESTED_EXPIRY_SECONDS, MAX_SCOPE,
};
use crate::time::UnixTime;

/// What the caller asks; times, issuer and `jti` come from the credential and the request around it. Two members are
/// tokens, so `Debug` shows none.
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "callers decide on each claim")]
pub struct AuthenticationRequest<'a> {
    /// `scope`: space-separated, `openid` and a `service:` code among them (itsme).
    pub scope: &'a str,
    /// `login_hint_token`: a compact JWS that the same credential signed.
    pub login_hint_token: &'a str,
    /// `acr_values`: how the user must prove who they are; the server's default where there is none.
    pub acr_values: Option<AcrValues>,
    /// `requested_expiry`: seconds that the request may wait for the user, 1 to
    /// [`MAX_REQUESTED_EXPIRY_SECONDS`].
    pub requested_expiry: Option<u64>,
    /// `client_notification_token`: the bearer token of the ping callback; required in ping mode.
    pub client_notification_token: Option<&'a str>,
    /// Names of claims wanted in the id_token (OIDC Core section 5.5), ascending and with one space between them, at most
    /// [`MAX_CLAIM_NAMES`]; empty for none.
    pub id_token_claims: &'a str,
    /// The same, wanted from the UserInfo endpoint.
    pub userinfo_claims: &'a str,
}

named! {
    /// itsme's two authentication context classes; their names are the URLs that stand for them.
    #[allow(clippy::exhaustive_enums, reason = "itsme has these two")]
    pub enum AcrValues {
        /// Fingerprint or itsme code, as the user likes.
        Basic = "http://itsme.services/v2/claim/acr_basic",
        /// The itsme code.
        Advanced = "http://itsme.services/v2/claim/acr_advanced",
    }
}

opaque_debug! { [] AuthenticationRequest<'_>; }

/// A complete request object. Made by [`crate::credential::BoundProfile::prepare_request`].
#[derive(Clone, Debug)]
pub struct RequestObject<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) audience: Audience<'a>,
    pub(crate) issued_at: UnixTime,
    pub(crate) expires_at: UnixTime,
    pub(crate) jti: Jti<'a>,
    pub(crate) request: AuthenticationRequest<'a>,
}

impl AuthenticationRequest<'_> {
    /// Checks every member that the caller gave.
    ///
    /// # Errors
    /// The first that breaks a rule.
    pub fn check(&self) -> Result<(), FieldError> {
        check_scope(self.scope)?;
        check_login_hint_token(self.login_hint_token)?;
        if let Some(seconds) = self.requested_expiry {
            let range = (1, MAX_REQUESTED_EXPIRY_SECONDS);
            let source = "CIBA Core section 7.1: requested_expiry is a positive integer";
            check_range(Field::RequestedExpiry, seconds, range, source)?;
        }
        if let Some(token) = self.client_notification_token {
            check_notification_token(token)?;
        }
        check_claim_names(self.id_token_claims)?;
        check_claim_names(self.userinfo_claims)
    }
}

impl RequestObject<'_> {
    /// Writes the payload as canonical JSON (RFC 8785). Times are integers, although the seed's example
    /// has them as strings.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_json<S: Sink>(&self, sink: S) -> Result<(), S::Error> {
        let request = &self.request;
        let issued_at = self.issued_at.as_secs();
        let mut object = Object::new(sink);
        object
            .optional_string("acr_values", request.acr_values.map(AcrValues::name))
            .string("aud", self.audience.as_str());
        if !(request.id_token_claims.is_empty() && request.userinfo_claims.is_empty()) {
            object.object("claims", |claims| {
                claims.nulls("id_token", request.id_token_claims);
                claims.nulls("userinfo", request.userinfo_claims);
            });
        }
        object
            .optional_string(
                "client_notification_token",
                request.client_notification_token,
            )
            .integer("exp", self.expires_at.as_secs())
            .integer("iat", issued_at)
            .string("iss", self.client_id)
            .string("jti", self.jti.as_str())
            .string("login_hint_token", request.login_hint_token)
            .integer("nbf", issued_at)
            .optional_integer("requested_expiry", request.requested_expiry)
            .string("scope", request.scope)
            .finish()
    }
}

/// The values of a `scope`: one space between them, `openid` and a `service:` code among them.
///
/// # Errors
/// Empty, longer than [`MAX_SCOPE`], a character that no scope has, or a value that is missing.
pub fn check_scope(scope: &str) -> Result<(), FieldError> {
    const SOURCE: &str = "itsme, backchannel authentication: scope has openid and service:CODE";
    // RFC 6749 section 3.3: scope-token.
    let allowed =
        |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    check_text(Field::Scope, scope, MAX_SCOPE, allowed, SOURCE)?;
    let has = |wanted: &dyn Fn(&str) -> bool| values(scope, b' ').any(wanted);
    let service = |value: &str| {
        value
            .strip_prefix("service:")
            .is_some_and(|code| !code.is_empty())
    };
    if !has(&|value| value == "openid") || !has(&service) || has(&str::is_empty) {
        let expected = "values with one space between them, openid and service:CODE among them";
        return Err(Field::Scope.is_not(expected, SOURCE));
    }
    Ok(())
}

/// A bearer token (RFC 6750 section 2.1) of at most [`MAX_NOTIFICATION_TOKEN`] characters.
///
/// # Errors
/// Empty, longer than [`MAX_NOTIFICATION_TOKEN`], or a character that no b64token has.
pub fn check_notification_token(token: &str) -> Result<(), FieldError> {
    const SOURCE: &str = "CIBA Core section 7.1: client_notification_token, max 1024 characters";
    let (field, max) = (Field::NotificationToken, MAX_NOTIFICATION_TOKEN);
    check_text(field, token, max, is_b64token, SOURCE)
}

fn check_login_hint_token(token: &str) -> Result<(), FieldError> {
    const SOURCE: &str = "itsme, backchannel authentication: login_hint_token is a compact JWT";
    let (field, max) = (Field::LoginHintToken, MAX_LOGIN_HINT_TOKEN);
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    check_text(field, token, max, base64url, SOURCE)?;
    if values(token, b'.').filter(|part| !part.is_empty()).count() != 3 {
        return Err(field.is_not("three parts with dots between them", SOURCE));
    }
    Ok(())
}

fn check_claim_names(names: &str) -> Result<(), FieldError> {
    const SOURCE: &str = "OIDC Core section 5.5: names of requested claims, ascending";
    let field = Field::ClaimNames;
    if names.is_empty() {
        return Ok(());
    }
    let count = values(names, b' ').count();
    if count > MAX_CLAIM_NAMES {
        return Err(field.is_too_long(count, MAX_CLAIM_NAMES, SOURCE));
    }
    for name in values(names, b' ') {
        check_text(field, name, MAX_CLAIM_NAME, is_graphic, SOURCE)?;
    }
    if !values(names, b' ').is_sorted_by(|one, next| one < next) {
        return Err(field.is_not("ascending, each name once", SOURCE));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;
    use crate::limits::MAX_USER_IDENTIFIER_TOKEN;
    use crate::payload::LoginHint;
    use std::string::String;
    use std::vec::Vec;

    const ASKED: AuthenticationRequest<'_> = AuthenticationRequest {
        scope: "openid service:A",
        login_hint_token: "a-_.b.c",
        acr_values: None,
        requested_expiry: None,
        client_notification_token: None,
        id_token_claims: "",
        userinfo_claims: "",
    };

    fn json(asked: AuthenticationRequest<'_>) -> String {
        let (client_id, now) = (ClientId::new("c").unwrap(), UnixTime::from_secs(9).unwrap());
        let object = RequestObject {
            client_id: &client_id,
            audience: Audience::new("https://a").unwrap(),
            issued_at: now,
            expires_at: now.saturating_add(1),
            jti: Jti::new("j").unwrap(),
            request: asked,
        };
        let mut buffer = [0; 999];
        let mut sink = SliceSink::new(&mut buffer);
        object.write_json(&mut sink).unwrap();
        String::from_utf8(sink.finish().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn claims_are_there_where_some_are_asked_for() {
        assert_eq!(
            json(ASKED),
            concat!(
                r#"{"aud":"https://a","exp":10,"iat":9,"iss":"c","jti":"j","login_hint_token":"a-_.b.c","nbf":9,"#,
                r#""scope":"openid service:A"}"#
            )
        );
        let [id_token, userinfo] = ["b c", "name"];
        for (id_token_claims, userinfo_claims, claims) in [
            (
                id_token,
                "",
                r#","claims":{"id_token":{"b":null,"c":null}},"#,
            ),
            ("", userinfo, r#","claims":{"userinfo":{"name":null}},"#),
        ] {
            let asked = json(AuthenticationRequest {
                id_token_claims,
                userinfo_claims,
                ..ASKED
            });
            assert!(asked.contains(claims), "{asked}");
        }
    }

    /// As a real client asks: nineteen claims, and a token of six hundred characters from the discovery.
    #[test]
    fn long_requests_are_taken() {
        let names: Vec<_> = (0..=MAX_CLAIM_NAMES)
            .map(|n| std::format!("{n:02}"))
            .collect();
        let check = |count: usize| {
            let names = names[..count].join(" ");
            let asked = AuthenticationRequest {
                id_token_claims: &names,
                userinfo_claims: &names,
                ..ASKED
            };
            asked.check()
        };
        assert_eq!(check(19), Ok(()));
        assert_eq!(check(MAX_CLAIM_NAMES), Ok(()));
        assert!(check(MAX_CLAIM_NAMES + 1).is_err());
        for len in [600, MAX_USER_IDENTIFIER_TOKEN] {
            assert!(LoginHint::new(&"t".repeat(len)).is_ok());
        }
        let mut buffer = [0; 99];
        let mut sink = SliceSink::new(&mut buffer);
        LoginHint::new("t").unwrap().write_json(&mut sink).unwrap();
        let written = sink.finish().unwrap();
        assert_eq!(written, br#"{"type":"user_identifier_token","value":"t"}"#);
    }

    #[test]
    fn what_is_refused_is_named() {
        for scope in [
            "openid service:",
            "openid",
            "service:A",
            "openid  service:A",
            "openid service:A\"",
            "",
        ] {
            let refused = AuthenticationRequest { scope, ..ASKED }.check();
            assert_eq!(refused.unwrap_err().field, Field::Scope, "{scope}");
        }
        for login_hint_token in ["a.b", "a..c", "a.b.c.d", "a.b.c=", "a.b.", ""] {
            let refused = AuthenticationRequest {
                login_hint_token,
                ..ASKED
            }
            .check();
            assert_eq!(
                refused.unwrap_err().field,
                Field::LoginHintToken,
                "{login_hint_token}"
            );
        }
        for names in ["b a", "a a", "a  b", " ", "a ", "a\u{e9}"] {
            let refused = AuthenticationRequest {
                userinfo_claims: names,
                ..ASKED
            }
            .check();
            assert_eq!(refused.unwrap_err().field, Field::ClaimNames, "{names:?}");
        }
        for seconds in [0, MAX_REQUESTED_EXPIRY_SECONDS + 1] {
            let refused = AuthenticationRequest {
                requested_expiry: Some(seconds),
                ..ASKED
            }
            .check();
            assert_eq!(refused.unwrap_err().field, Field::RequestedExpiry);
        }
        let refused = AuthenticationRequest {
            client_notification_token: Some("a b"),
            ..ASKED
        }
        .check();
        assert_eq!(refused.unwrap_err().field, Field::NotificationToken);
        let all = AuthenticationRequest {
            requested_expiry: Some(1),
            client_notification_token: Some("a~b="),
            ..ASKED
        };
        assert_eq!(all.check(), Ok(()));
    }
}
