//! The token response and the error response (RFC 6749 sections 5.1 and 5.2).

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use thiserror::Error;

use super::text::{JsonText, Secret};
use crate::field::{Fault, Field, FieldError, check_len};
use crate::limits::{MAX_ACCESS_TOKEN, MAX_JSON_DEPTH, MAX_TOKEN_RESPONSE};

/// A token was issued.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenResponse<'a> {
    /// `access_token`, a bearer token.
    pub access_token: Secret<'a>,
    /// `expires_in`, in seconds, if the server says.
    pub expires_in: Option<u64>,
    /// `scope`, if the server says, in one string.
    pub scope: Option<JsonText<'a>>,
    /// `refresh_token`, if there is one that can be used.
    pub refresh_token: Option<Secret<'a>>,
    /// `refresh_expires_in`, in seconds (Keycloak).
    pub refresh_expires_in: Option<u64>,
}

/// No token was issued, and the server says why.
#[derive(Clone, Copy, Debug, Deserialize)]
#[non_exhaustive]
pub struct ErrorResponse<'a> {
    /// `error`: one of the codes of RFC 6749 section 5.2, or another.
    #[serde(borrow)]
    pub error: JsonText<'a>,
    /// `error_description`, for the developer.
    #[serde(borrow)]
    pub error_description: Option<JsonText<'a>>,
    /// `error_uri`, a page about the error.
    #[serde(borrow)]
    pub error_uri: Option<JsonText<'a>>,
}

/// Why a body is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// A member is missing or has the wrong shape.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The body is not a JSON object with the members of this response.
    #[error("the response is not a JSON object with the members of RFC 6749 section 5")]
    NotJson,
}

/// Reads the one member of that name, whatever the others are.
struct Member<T>(&'static str, PhantomData<T>);

impl<'a, T: Deserialize<'a>> Visitor<'a> for Member<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<&str>()? {
            if name != self.0 {
                map.next_value::<IgnoredAny>()?;
            } else if found.is_some() {
                return Err(A::Error::custom("twice"));
            } else {
                found = map.next_value::<Option<T>>()?;
            }
        }
        Ok(found)
    }
}

/// The member of that name, if there is one; an error for one of another type or that is there twice.
fn member<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    name: &'static str,
) -> Result<Option<T>, serde_json_core::de::Error> {
    serde_json_core::de::Deserializer::new(body, None).deserialize_map(Member(name, PhantomData))
}

/// Seconds, which some servers write as text or with a point; `None` for what is no such number.
fn seconds(body: &[u8], name: &'static str) -> Option<u64> {
    if let Ok(seconds) = member::<u64>(body, name) {
        return seconds;
    }
    let text = member::<&str>(body, name).ok().flatten();
    let number = || member::<f64>(body, name).ok().flatten();
    let number = text.map_or_else(number, |text| text.parse().ok())?;
    #[allow(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and what is no number is 0"
    )]
    (number >= 0.0).then_some(number as u64)
}

impl<'a> TokenResponse<'a> {
    /// Reads the body of a successful answer: an `access_token` of type `Bearer`, in either case
    /// (RFC 6749 section 5.1: the value is case insensitive). Members without which the token can be used are ignored
    /// where they cannot be read.
    ///
    /// # Errors
    /// [`ResponseError::NotJson`], or the member that is missing, malformed or too long.
    pub fn parse(body: &'a [u8]) -> Result<Self, ResponseError> {
        const SOURCE: &str = "RFC 6749 section 5.1";
        check_bounds(body)?;
        member::<IgnoredAny>(body, "").map_err(|_| ResponseError::NotJson)?;
        let needed = |name, field: Field| {
            let text = member::<JsonText<'a>>(body, name)
                .map_err(|_| field.is_not("one string", SOURCE))?;
            text.ok_or(FieldError::new(field, Fault::Missing, SOURCE))
        };
        let access_token = needed("access_token", Field::AccessToken)?;
        let token_type = needed("token_type", Field::TokenType)?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(Field::TokenType.is_not("Bearer", SOURCE).into());
        }
        let other = |name| member::<JsonText<'a>>(body, name).ok().flatten();
        Ok(Self {
            access_token: secret(Field::AccessToken, access_token)?,
            expires_in: seconds(body, "expires_in"),
            scope: other("scope"),
            refresh_token: other("refresh_token")
                .and_then(|token| secret(Field::RefreshToken, token).ok()),
            refresh_expires_in: seconds(body, "refresh_expires_in"),
        })
    }
}

impl<'a> ErrorResponse<'a> {
    /// Reads the body of a refusal.
    ///
    /// # Errors
    /// [`ResponseError::NotJson`], or an `error` that is empty or too long.
    pub fn parse(body: &'a [u8]) -> Result<Self, ResponseError> {
        check_bounds(body)?;
        let (response, _) =
            serde_json_core::from_slice::<Self>(body).map_err(|_| ResponseError::NotJson)?;
        if response.error.chars().next().is_none() {
            let source = "RFC 6749 section 5.2";
            return Err(FieldError::new(Field::ErrorCode, Fault::Empty, source).into());
        }
        Ok(response)
    }
}

fn secret(field: Field, text: JsonText<'_>) -> Result<Secret<'_>, FieldError> {
    const SOURCE: &str = "RFC 6750 section 2.1: b64token, and no longer than an HTTP header";
    let (secret, len) = Secret::new(text).ok_or_else(|| field.is_not("a bearer token", SOURCE))?;
    check_len(field, len, MAX_ACCESS_TOKEN, SOURCE)?;
    Ok(secret)
}

/// The parser recurses where arrays and objects nest: both length and depth are bounded before it runs.
fn check_bounds(body: &[u8]) -> Result<(), FieldError> {
    const SOURCE: &str = "the bounds of this software";
    const FIELD: Field = Field::TokenResponse;
    if body.len() > MAX_TOKEN_RESPONSE {
        return Err(FIELD.is_too_long(body.len(), MAX_TOKEN_RESPONSE, SOURCE));
    }
    match nesting(body) {
        ..=MAX_JSON_DEPTH => Ok(()),
        _ => Err(FIELD.is_not("JSON nested 32 deep at most", SOURCE)),
    }
}

/// The greatest number of arrays and objects that are open at once, outside strings.
fn nesting(body: &[u8]) -> usize {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                open = open.saturating_add(1);
                deepest = deepest.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;
    use std::string::{String, ToString};

    fn exposed(secret: &Secret<'_>) -> String {
        let mut buffer = [0; 64];
        let mut sink = SliceSink::new(&mut buffer);
        secret.expose_to(&mut sink).unwrap();
        String::from_utf8(sink.finish().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_fiam_example() {
        let body = br#"{
            "access_token": "eyJhbGciOiJSUzI1NiIs",
            "token_type": "Bearer",
            "expires_in": 360
        }"#;
        let response = TokenResponse::parse(body).unwrap();
        assert_eq!(exposed(&response.access_token), "eyJhbGciOiJSUzI1NiIs");
        assert_eq!(response.expires_in, Some(360));
        assert!(response.refresh_token.is_none());
        assert!(
            !std::format!("{response:?}").contains("eyJ"),
            "Debug shows no token"
        );
    }

    #[test]
    fn keycloak_writes_more_members_and_another_case() {
        let body = br#"{"access_token":"a","expires_in":300,"refresh_expires_in":0,"token_type":
            "bearer","not-before-policy":0,"scope":"email profile","x":[{"y":null},"z\"]"]}"#;
        let response = TokenResponse::parse(body).unwrap();
        assert_eq!(response.refresh_expires_in, Some(0));
        assert_eq!(response.scope.unwrap().to_string(), "email profile");
    }

    #[test]
    fn what_a_token_can_do_without_is_read_leniently() {
        for (members, expires_in, refresh) in [
            (r#""expires_in":"3600""#, Some(3600), false),
            (r#""expires_in":3600.0"#, Some(3600), false),
            (
                r#""expires_in":"3600.5","scope":["a","b"]"#,
                Some(3600),
                false,
            ),
            (r#""expires_in":null,"refresh_token":null"#, None, false),
            (r#""expires_in":-1,"scope":7"#, None, false),
            (r#""expires_in":"soon""#, None, false),
            (r#""expires_in":[3600],"refresh_token":"r""#, None, true),
            (r#""expires_in":1,"expires_in":2"#, None, false),
            (
                r#""expires_in":1e99,"refresh_token":"""#,
                Some(u64::MAX),
                false,
            ),
            (r#""expires_in":60,"refresh_token":{}"#, Some(60), false),
        ] {
            let body = std::format!(r#"{{"access_token":"a",{members},"token_type":"Bearer"}}"#);
            let response = TokenResponse::parse(body.as_bytes()).expect(members);
            assert_eq!(exposed(&response.access_token), "a", "{members}");
            assert_eq!(response.expires_in, expires_in, "{members}");
            assert_eq!(response.refresh_token.is_some(), refresh, "{members}");
            assert!(response.scope.is_none(), "{members}");
        }
    }

    #[test]
    fn escapes_in_a_token_are_resolved() {
        let body = br#"{"access_token":"ab\/c\u002bd","token_type":"Bearer"}"#;
        assert_eq!(
            exposed(&TokenResponse::parse(body).unwrap().access_token),
            "ab/c+d"
        );
    }

    #[test]
    fn what_is_no_token_response() {
        let cases: [(&[u8], &str); 12] = [
            (
                br#"{"access_token":"a","token_type":"Bearer""#,
                "not a JSON object",
            ),
            (
                br#"{"access_token":7,"token_type":"Bearer"}"#,
                "access_token is not one string",
            ),
            (
                br#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
                "access_token is not one string",
            ),
            (b"", "not a JSON object"),
            (b"<html>", "not a JSON object"),
            (b"[]", "not a JSON object"),
            (b"{}", "access_token is missing"),
            (br#"{"access_token":"a"}"#, "token_type is missing"),
            (
                br#"{"access_token":"","token_type":"Bearer"}"#,
                "access_token is empty",
            ),
            (
                br#"{"access_token":"a b","token_type":"Bearer"}"#,
                "access_token is not a bearer",
            ),
            (
                br#"{"access_token":"a\u000d\u000ab","token_type":"Bearer"}"#,
                "access_token is not",
            ),
            (
                br#"{"access_token":"a","token_type":"mac"}"#,
                "token_type is not Bearer",
            ),
        ];
        for (body, expected) in cases {
            let message = TokenResponse::parse(body).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn bounds_are_checked_before_the_parser_runs() {
        let long = std::vec![b' '; MAX_TOKEN_RESPONSE + 1];
        assert!(matches!(
            TokenResponse::parse(&long),
            Err(ResponseError::Field(_))
        ));
        let deep = std::vec![b'['; MAX_TOKEN_RESPONSE];
        assert!(matches!(
            TokenResponse::parse(&deep),
            Err(ResponseError::Field(_))
        ));
        assert!(matches!(
            ErrorResponse::parse(&deep),
            Err(ResponseError::Field(_))
        ));
        assert_eq!(nesting(br#"{"[[[\"[[":[{}]}"#), 3);
        assert_eq!(nesting(br#"{"\"[[[":[]}"#), 2);
        assert_eq!(nesting(b"[[],[],[{}]]"), 3);
        assert_eq!(nesting(br#""a\\"[["b"]]"#), 2);
        let nested = |depth| [std::vec![b'['; depth], std::vec![b']'; depth]].concat();
        let filled = |len| std::vec![b' '; len];
        for whole in [nested(MAX_JSON_DEPTH), filled(MAX_TOKEN_RESPONSE)] {
            assert_eq!(check_bounds(&whole), Ok(()));
        }
        let error = check_bounds(&nested(MAX_JSON_DEPTH + 1)).unwrap_err();
        let words = std::format!("nested {MAX_JSON_DEPTH} deep at most");
        assert!(std::format!("{error}").contains(&words), "{error}");
    }

    #[test]
    fn a_refusal() {
        let body = br#"{"error":"invalid_client","error_description":"no \u001b[31m such client"}"#;
        let response = ErrorResponse::parse(body).unwrap();
        assert_eq!(response.error.to_string(), "invalid_client");
        let description = response.error_description.unwrap().to_string();
        assert_eq!(
            description, "no \\u{1b}[31m such client",
            "no terminal escapes"
        );
        assert!(ErrorResponse::parse(br#"{"error":""}"#).is_err());
        assert!(ErrorResponse::parse(b"{}").is_err());
    }
}
