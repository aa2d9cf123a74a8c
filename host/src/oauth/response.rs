//! What a server's response is: what was asked for, a refusal, or nothing that can be used.

use core::fmt::Display;

use privyseal_core::token::ErrorResponse;
use zeroize::Zeroizing;

use super::{AccessToken, OAuthError, Refusal, RequestKind};
use crate::http::retry::retry_slow;
use crate::http::{Http, Response, Url, media_type};

/// As [`Http::get_public`], read again where that may help; anything but a success is a refusal.
pub(crate) fn get_public(http: &Http, url: &Url, max: usize) -> Result<Response, OAuthError> {
    http.retry_idempotent(|http| get_once(http, url, max))
}

/// The same, also where no answer came in time or the server failed: something depends on it that cannot be had again.
pub(crate) fn get_awaited(http: &Http, url: &Url, max: usize) -> Result<Response, OAuthError> {
    retry_slow(http.policy(), &mut http.runtime(), |_| {
        get_once(http, url, max)
    })
}

fn get_once(http: &Http, url: &Url, max: usize) -> Result<Response, OAuthError> {
    let response = http.get_public(url, max)?;
    if !response.is_success() {
        return Err(Refusal::new(url, RequestKind::Public, &response, None).into());
    }
    Ok(response)
}

/// `response`, if it is a success; a refusal repeats nothing of what was `sent`.
pub(crate) fn success<'s>(
    url: &Url,
    kind: RequestKind,
    response: Response,
    sent: impl IntoIterator<Item = &'s str>,
) -> Result<Response, OAuthError> {
    // Some servers refuse with HTTP 200.
    if response.is_success() && ErrorResponse::parse(&response.body).is_err() {
        return Ok(response);
    }
    Err(Refusal::new(url, kind, &response, sent).into())
}

/// The access token in the successful response to a token request.
pub(crate) fn token(url: &Url, response: Response) -> Result<AccessToken, OAuthError> {
    let read = AccessToken::from_response;
    parsed(url, response, "RFC 6749 section 5.1", read)
}

/// The JSON in the response to a call. `bearer` was sent, and is shown nowhere.
pub(super) fn json(url: &Url, response: Response, bearer: &str) -> Result<Vec<u8>, OAuthError> {
    let response = success(url, RequestKind::Call, response, [bearer])?;
    parsed(url, response, "RFC 8259 section 11", |mut body| {
        let json = serde_json::from_slice::<serde_json::Value>(&body);
        json.map(|_| core::mem::take(&mut *body))
            .map_err(|_| "the answer is not JSON")
    })
}

/// What `read` makes of the JSON in a successful response, whose media type `source` demands: under another it is an error
/// page, or a response to somebody else.
pub(crate) fn parsed<T, E: Display>(
    url: &Url,
    mut response: Response,
    source: &str,
    read: impl FnOnce(Zeroizing<Vec<u8>>) -> Result<T, E>,
) -> Result<T, OAuthError> {
    let media_type = response.media_type.as_deref();
    let read = read(core::mem::take(&mut response.body));
    let read = read.map_err(|error| match media_type {
        Some("application/json") => OAuthError::response(url, error),
        other => OAuthError::response(url, format!("{error} ({})", media_type::shown(other))),
    })?;
    media_type::expect_json(media_type, source)
        .map_err(|reason| OAuthError::response(url, reason))?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::BaseUrl;
    use zeroize::Zeroizing;

    /// Whose fault it is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fault {
        /// The refused one's: the assertion, the token, or what they may do.
        Client,
        Server,
    }

    fn fault(error: &OAuthError) -> Fault {
        match error {
            OAuthError::Refused(refusal) if !refusal.diagnosis().is_servers() => Fault::Client,
            _ => Fault::Server,
        }
    }

    const SENT: &str = "s3nt-before";

    fn response(status: u16, media_type: &str, body: &str) -> (Url, Response) {
        let base: BaseUrl = "https://as.example".parse().unwrap();
        let response = Response {
            status,
            retry_after: None,
            location: None,
            media_type: Some(media_type.to_owned()),
            challenge: None,
            max_age: None,
            date: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        (base.join("/t").unwrap(), response)
    }

    fn refused(status: u16, media_type: &str, body: &str) -> (String, Fault) {
        let (url, response) = response(status, media_type, body);
        let error = success(&url, RequestKind::Token, response, [SENT])
            .and_then(|response| token(&url, response))
            .unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.to_lowercase().contains(SENT), "{text}");
        (error.to_string(), fault(&error))
    }

    #[test]
    fn a_token_is_taken() {
        let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":360}"#;
        let (url, response) = response(200, "application/json", body);
        assert_eq!(token(&url, response).unwrap().expires_in(), Some(360));
    }

    /// Each response that is no token, what the message says, and the exit code.
    #[test]
    fn what_a_lying_server_gets() {
        let json = "application/json";
        for (status, media_type, body, words, expected) in [
            (
                200,
                json,
                r#"{"error":"invalid_client"}"#,
                "HTTP 200, invalid_client",
                Fault::Client,
            ),
            (200, json, "{}", "access_token is missing", Fault::Server),
            (
                200,
                json,
                r#"{"access_token":"a"}"#,
                "token_type is missing",
                Fault::Server,
            ),
            (
                200,
                "text/html",
                "<html>s3nt-before</html>",
                "its type is text/html",
                Fault::Server,
            ),
            (
                200,
                "text/html",
                r#"{"access_token":"a","token_type":"Bearer"}"#,
                "the answer is JSON, but its type is text/html; it must be application/json (RFC 6749",
                Fault::Server,
            ),
            (
                200,
                "text/s3nt-before",
                "",
                "its type is none that",
                Fault::Server,
            ),
            (
                200,
                "text/S3NT-BEFORE",
                "",
                "its type is none that",
                Fault::Server,
            ),
            (
                200,
                "text/\u{1b}[2J",
                "",
                "none that is known",
                Fault::Server,
            ),
            (204, json, "", "not a JSON object", Fault::Server),
            (302, "text/html", "", "a redirect", Fault::Server),
            (
                401,
                json,
                r#"{"error":"invalid_client","error_description":"s3nt-before is bad"}"#,
                "[token left out] is bad",
                Fault::Client,
            ),
            (
                401,
                "text/html",
                "<html>s3nt-before</html>",
                "HTTP 401: unauthorized",
                Fault::Client,
            ),
            (
                500,
                json,
                r#"{"error":"server_error"}"#,
                "HTTP 500, server_error",
                Fault::Server,
            ),
            (503, json, "", "in trouble", Fault::Server),
        ] {
            let (text, got) = refused(status, media_type, body);
            assert!(text.contains(words), "{text}");
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn a_call_gives_json_or_says_why_not() {
        for media_type in ["application/json", "application/ld+json"] {
            let (url, good) = response(200, media_type, r#"{"page":1}"#);
            assert_eq!(json(&url, good, SENT).unwrap(), br#"{"page":1}"#);
        }
        for (status, body, expected) in [
            (200, "<html>", Fault::Server),
            (200, r#"{"page":1}"#, Fault::Server),
            (200, r#"{"error":"invalid_token"}"#, Fault::Client),
            (403, "", Fault::Client),
            (429, "", Fault::Server),
        ] {
            let (url, bad) = response(status, "text/html", body);
            assert_eq!(fault(&json(&url, bad, SENT).unwrap_err()), expected);
        }
    }
}
