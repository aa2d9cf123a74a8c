//! What a token endpoint gives: a bearer token, for as long as it lasts.

use core::mem;

use privyseal_core::token::{ResponseError, Secret, TokenResponse};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::jose::jws::unique_members;

/// An access token of type Bearer (RFC 6750), and the response that it came in.
///
/// The holder may do what its owner may: it is wiped when dropped, `Debug` does not show it, and no
/// error of this crate contains it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    token: Zeroizing<String>,
    expires_in: Option<u64>,
    refresh: Option<RefreshToken>,
    response: Zeroizing<Vec<u8>>,
}

/// What else is read of the response.
#[derive(Deserialize)]
struct WithIdToken {
    id_token: Option<Zeroizing<String>>,
}

/// A refresh token (RFC 6749 section 1.5): good once, and only with a new assertion. It is in memory and
/// nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    token: Zeroizing<String>,
    expires_in: Option<u64>,
}

impl AccessToken {
    /// Reads the body of a successful token response (RFC 6749 section 5.1).
    ///
    /// # Errors
    ///
    /// The body is not such a response.
    pub fn from_response(body: Zeroizing<Vec<u8>>) -> Result<Self, ResponseError> {
        let response = TokenResponse::parse(&body)?;
        // The whole of it is printed and read again: no other reader is to find another token in it.
        unique_members::<WithIdToken>(&body).map_err(|_| ResponseError::NotJson)?;
        let exposed = |secret: Secret<'_>| {
            let mut token = Zeroizing::new(Vec::with_capacity(body.len()));
            let Ok(()) = secret.expose_to(&mut *token);
            // The response was checked to hold a b64token, which is ASCII.
            Zeroizing::new(String::from_utf8(mem::take(&mut token)).unwrap_or_default())
        };
        let refresh = response.refresh_token.map(|token| RefreshToken {
            token: exposed(token),
            // Keycloak: 0 is for a token that does not expire by itself.
            expires_in: response.refresh_expires_in.filter(|seconds| *seconds > 0),
        });
        let (token, expires_in) = (exposed(response.access_token), response.expires_in);
        Ok(Self {
            token,
            expires_in,
            refresh,
            response: body,
        })
    }

    /// The token itself. For the `Authorization` header; not for logs.
    pub fn expose(&self) -> &str {
        &self.token
    }

    /// Seconds after the response at which it expires, if the server says.
    pub const fn expires_in(&self) -> Option<u64> {
        self.expires_in
    }

    /// The refresh token that came with it. It is good once: taken, it is gone from here.
    pub fn take_refresh_token(&mut self) -> Option<RefreshToken> {
        self.refresh.take()
    }

    /// The id_token that came with it, as it came (OpenID Connect Core section 3.1.3.3). Not for logs.
    pub(crate) fn id_token(&self) -> Option<Zeroizing<String>> {
        let response: WithIdToken = serde_json::from_slice(&self.response).ok()?;
        response.id_token
    }

    /// Empties the id_token in the response: nobody is to believe it.
    pub(crate) fn forget_id_token(&mut self) {
        let id_token = self.id_token().unwrap_or_default();
        let mut places = self.response.windows(id_token.len().max(1));
        if let Some(start) = places.position(|bytes| bytes == id_token.as_bytes()) {
            self.response
                .drain(start..start.saturating_add(id_token.len()));
        }
    }

    /// The whole response, the token included, as the server wrote it. Not for logs.
    pub fn expose_response(&self) -> &[u8] {
        &self.response
    }
}

privyseal_core::opaque_debug! { [] AccessToken: expires_in; }

/// A token in what is sealed: the response that brought it.
#[cfg(any(feature = "ciba", feature = "login"))]
pub(crate) mod stored {
    use core::borrow::Borrow;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use zeroize::Zeroizing;

    use super::AccessToken;

    pub(crate) fn serialize<S: Serializer>(
        token: &impl Borrow<AccessToken>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        String::from_utf8_lossy(token.borrow().expose_response()).serialize(to)
    }

    pub(crate) fn deserialize<'d, T: From<AccessToken>, D: Deserializer<'d>>(
        from: D,
    ) -> Result<T, D::Error> {
        let response = Zeroizing::<String>::deserialize(from)?;
        let response = Zeroizing::new(response.as_bytes().to_vec());
        let token = AccessToken::from_response(response).map_err(D::Error::custom)?;
        Ok(token.into())
    }
}

impl RefreshToken {
    /// One that was kept elsewhere, by who knows what that means.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: Zeroizing::new(token.into()),
            expires_in: None,
        }
    }

    /// The token itself. Not for logs, and not for any disk.
    pub fn expose(&self) -> &str {
        &self.token
    }

    /// Seconds after the response at which it expires, if the server says.
    pub const fn expires_in(&self) -> Option<u64> {
        self.expires_in
    }
}

privyseal_core::opaque_debug! { [] RefreshToken: expires_in; }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_there_and_not_in_debug() {
        let body = br#"{"access_token":"s3cr3t\/t","token_type":"bearer","expires_in":360}"#;
        let token = AccessToken::from_response(Zeroizing::new(body.to_vec())).unwrap();
        assert_eq!(token.expose(), "s3cr3t/t");
        assert_eq!(token.expires_in(), Some(360));
        assert_eq!(token.expose_response(), body);
        assert_eq!(
            format!("{token:?}"),
            "AccessToken { expires_in: Some(360), .. }"
        );
    }

    #[test]
    fn no_other_reader_finds_another_token() {
        for more in [
            r#","id_token":"a","id_token":"b"}"#,
            r#","id_token":7}"#,
            r#","id_token":{"x":1}}"#,
            r#","access\u005ftoken":"b"}"#,
            r#","refresh_token":"a","refresh_token":"b"}"#,
            r#","x":NaN}"#,
            r#"}{"access_token":"b"}"#,
            "} garbage",
        ] {
            let body = format!(r#"{{"access_token":"a","token_type":"bearer"{more}"#);
            let read = AccessToken::from_response(Zeroizing::new(body.into_bytes()));
            assert!(read.is_err(), "{more}");
        }
    }

    #[test]
    fn a_refresh_token_is_taken_once() {
        let body = br#"{"access_token":"a","token_type":"bearer","refresh_token":"s3cr3t",
            "refresh_expires_in":1800}"#;
        let mut token = AccessToken::from_response(Zeroizing::new(body.to_vec())).unwrap();
        let refresh = token.take_refresh_token().unwrap();
        assert_eq!(
            (refresh.expose(), refresh.expires_in()),
            ("s3cr3t", Some(1800))
        );
        assert_eq!(
            format!("{refresh:?}"),
            "RefreshToken { expires_in: Some(1800), .. }"
        );
        assert!(token.take_refresh_token().is_none());
    }
}
