//! The signed authorization request of a login in a browser (RFC 9101; OpenID Connect Core section 6.1).

use crate::encoding::json::Object;
use crate::encoding::sink::Sink;
use crate::field::{Field, FieldError, check_text, is_graphic, values};
use crate::id::{Audience, ClientId, Jti};
use crate::limits::{MAX_LOGIN_HINT, MAX_REDIRECT_URI, MAX_SCOPE, MAX_STATE};
use crate::time::UnixTime;

/// What the caller asks; times, issuer and `jti` come from the credential and the request around it. `Debug` shows
/// nothing of it.
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "callers decide on each claim")]
pub struct AuthorizationRequest<'a> {
    /// `redirect_uri`: where the browser comes back to.
    pub redirect_uri: &'a str,
    /// `scope`: values with one space between them, `openid` among them.
    pub scope: &'a str,
    /// `state`, in base64url.
    pub state: &'a str,
    /// `nonce`, in base64url.
    pub nonce: &'a str,
    /// `code_challenge` by the method S256 (RFC 7636 section 4.2).
    pub code_challenge: &'a str,
    /// `prompt`.
    pub prompt: Option<&'a str>,
    /// `login_hint`.
    pub login_hint: Option<&'a str>,
    /// `max_age`, in seconds.
    pub max_age: Option<u64>,
}

opaque_debug! { [] AuthorizationRequest<'_>; }

/// A complete authorization request. It has no `sub`, so that nobody can take it for a client assertion (RFC 9101
/// section 10.8). Made by [`crate::credential::BoundProfile::prepare_authorization`].
#[derive(Clone, Debug)]
pub struct AuthorizationObject<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) audience: Audience<'a>,
    pub(crate) issued_at: UnixTime,
    pub(crate) expires_at: UnixTime,
    pub(crate) jti: Jti<'a>,
    pub(crate) request: AuthorizationRequest<'a>,
}

impl AuthorizationRequest<'_> {
    /// Checks every member that the caller gave.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        const OIDC: &str = "OpenID Connect Core section 3.1.2.1";
        let text = |byte: u8| byte == b' ' || is_graphic(byte);
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        check_text(
            Field::RedirectUri,
            self.redirect_uri,
            MAX_REDIRECT_URI,
            is_graphic,
            OIDC,
        )?;
        check_text(Field::Scope, self.scope, MAX_SCOPE, text, OIDC)?;
        let mut values = values(self.scope, b' ');
        if values.clone().all(|value| value != "openid") || values.any(str::is_empty) {
            let expected = "values with one space between them, openid among them";
            return Err(Field::Scope.is_not(expected, OIDC));
        }
        check_text(Field::State, self.state, MAX_STATE, base64url, OIDC)?;
        check_text(Field::Nonce, self.nonce, MAX_STATE, base64url, OIDC)?;
        let pkce = "RFC 7636 section 4.2: a SHA-256 digest in base64url";
        check_text(
            Field::CodeChallenge,
            self.code_challenge,
            43,
            base64url,
            pkce,
        )?;
        if self.code_challenge.len() != 43 {
            return Err(Field::CodeChallenge.is_not("43 characters long", pkce));
        }
        if let Some(prompt) = self.prompt {
            check_text(Field::Prompt, prompt, MAX_STATE, text, OIDC)?;
        }
        self.login_hint.map_or(Ok(()), |hint| {
            check_text(Field::LoginHint, hint, MAX_LOGIN_HINT, text, OIDC)
        })
    }
}

impl AuthorizationObject<'_> {
    /// Writes the payload as canonical JSON (RFC 8785).
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_json<S: Sink>(&self, sink: S) -> Result<(), S::Error> {
        let request = &self.request;
        let issued_at = self.issued_at.as_secs();
        Object::new(sink)
            .string("aud", self.audience.as_str())
            .string("client_id", self.client_id)
            .string("code_challenge", request.code_challenge)
            .string("code_challenge_method", "S256")
            .integer("exp", self.expires_at.as_secs())
            .integer("iat", issued_at)
            .string("iss", self.client_id)
            .string("jti", self.jti.as_str())
            .optional_string("login_hint", request.login_hint)
            .optional_integer("max_age", request.max_age)
            .integer("nbf", issued_at)
            .string("nonce", request.nonce)
            .optional_string("prompt", request.prompt)
            .string("redirect_uri", request.redirect_uri)
            .string("response_type", "code")
            .string("scope", request.scope)
            .string("state", request.state)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Fault;

    const ASKED: AuthorizationRequest<'static> = AuthorizationRequest {
        redirect_uri: "https://app.example/cb",
        scope: "openid profile",
        state: "c3RhdGU",
        nonce: "bm9uY2U",
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        prompt: None,
        login_hint: None,
        max_age: None,
    };

    fn json(request: &AuthorizationRequest<'_>) -> std::string::String {
        let object = AuthorizationObject {
            client_id: &ClientId::new("s6BhdRkqt3").unwrap(),
            audience: Audience::new("https://idp.example").unwrap(),
            issued_at: UnixTime::from_secs(1_800_000_000).unwrap(),
            expires_at: UnixTime::from_secs(1_800_000_060).unwrap(),
            jti: Jti::new("j1").unwrap(),
            request: *request,
        };
        let mut text = heapless::Vec::<_, 2048>::new();
        object.write_json(&mut text).unwrap();
        std::str::from_utf8(&text).unwrap().into()
    }

    #[test]
    fn names_in_order_and_no_subject() {
        assert_eq!(
            json(&ASKED),
            concat!(
                r#"{"aud":"https://idp.example","client_id":"s6BhdRkqt3","#,
                r#""code_challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","code_challenge_method":"S256","#,
                r#""exp":1800000060,"iat":1800000000,"iss":"s6BhdRkqt3","jti":"j1","nbf":1800000000,"nonce":"bm9uY2U","#,
                r#""redirect_uri":"https://app.example/cb","response_type":"code","scope":"openid profile","#,
                r#""state":"c3RhdGU"}"#
            )
        );
        let all = AuthorizationRequest {
            prompt: Some("login"),
            login_hint: Some("a\"\\b"),
            max_age: Some(60),
            ..ASKED
        };
        let json = json(&all);
        assert!(
            json.contains(r#""login_hint":"a\"\\b","max_age":60,"nbf""#),
            "{json}"
        );
        assert!(
            json.contains(r#""nonce":"bm9uY2U","prompt":"login","redirect_uri""#),
            "{json}"
        );
    }

    #[test]
    fn what_is_refused_is_named() {
        ASKED.check().unwrap();
        let (long, hint) = ("x".repeat(MAX_STATE + 1), "x".repeat(MAX_LOGIN_HINT + 1));
        let uri = std::format!("https://{}", "x".repeat(MAX_REDIRECT_URI));
        for (field, wrong) in [
            (
                Field::RedirectUri,
                AuthorizationRequest {
                    redirect_uri: "",
                    ..ASKED
                },
            ),
            (
                Field::RedirectUri,
                AuthorizationRequest {
                    redirect_uri: "https://a b",
                    ..ASKED
                },
            ),
            (
                Field::RedirectUri,
                AuthorizationRequest {
                    redirect_uri: &uri,
                    ..ASKED
                },
            ),
            (
                Field::Scope,
                AuthorizationRequest {
                    scope: "profile",
                    ..ASKED
                },
            ),
            (
                Field::Scope,
                AuthorizationRequest {
                    scope: "openid  profile",
                    ..ASKED
                },
            ),
            (
                Field::State,
                AuthorizationRequest {
                    state: "a.b",
                    ..ASKED
                },
            ),
            (
                Field::State,
                AuthorizationRequest {
                    state: &long,
                    ..ASKED
                },
            ),
            (Field::Nonce, AuthorizationRequest { nonce: "", ..ASKED }),
            (
                Field::CodeChallenge,
                AuthorizationRequest {
                    code_challenge: "E9Mel",
                    ..ASKED
                },
            ),
            (
                Field::Prompt,
                AuthorizationRequest {
                    prompt: Some("\n"),
                    ..ASKED
                },
            ),
            (
                Field::LoginHint,
                AuthorizationRequest {
                    login_hint: Some("\u{e9}"),
                    ..ASKED
                },
            ),
            (
                Field::LoginHint,
                AuthorizationRequest {
                    login_hint: Some(&hint),
                    ..ASKED
                },
            ),
        ] {
            let error = wrong.check().unwrap_err();
            assert_eq!(error.field, field, "{error}");
            assert_ne!(error.fault, Fault::Missing);
        }
        let longest = "x".repeat(MAX_LOGIN_HINT);
        let hinted = AuthorizationRequest {
            login_hint: Some(&longest),
            ..ASKED
        };
        hinted.check().unwrap();
    }
}
