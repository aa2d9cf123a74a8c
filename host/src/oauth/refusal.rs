//! A server's refusal, and what it means.

use core::fmt;

use privyseal_core::token::ErrorResponse;
use serde_json::Value;

use crate::base::display::sanitize_for_display;
use crate::http::retry::FailedTry;
use crate::http::{Response, RetryAfter, Url};
use crate::jose::jws::unique_members;

mod diagnosis;

pub use diagnosis::{Diagnosis, RequestKind};

/// A server answered, and its response is no.
///
/// `Display` is one line with what the server said, without a token also where the server repeated one. What it
/// means is [`Refusal::diagnosis`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    url: Url,
    kind: RequestKind,
    status: u16,
    diagnosis: Diagnosis,
    code: Option<String>,
    description: Option<String>,
    pages: Vec<String>,
    challenge: Option<String>,
    retry_after: Option<RetryAfter>,
    interval: Option<u64>,
    location: Option<String>,
}

impl Refusal {
    /// Reads a refusal out of a response. `secrets` are what was sent and must not be shown.
    pub fn new<'s, I>(url: &Url, kind: RequestKind, response: &Response, secrets: I) -> Self
    where
        I: IntoIterator<Item = &'s str>,
    {
        let secrets: Vec<&str> = secrets.into_iter().collect();
        let shown = |text: &str| sanitize_for_display(text, secrets.iter().copied());
        let json: Value = unique_members(&response.body).unwrap_or_default();
        let member = |name: &&str| json.get(*name)?.as_str().map(shown);
        let error = ErrorResponse::parse(&response.body).ok();
        let code = error.as_ref().map(|error| error.error.to_string());
        let description =
            error.and_then(|error| Some(shown(&error.error_description?.to_string())));
        // RFC 6749 section 5.2, and as itsme's token endpoint calls it.
        let mut pages: Vec<_> = ["error_uri", "uid"].iter().filter_map(member).collect();
        pages.dedup();
        // Where to, but not what for: a query may hold what was sent.
        let location = response.location.as_deref();
        let location = location.and_then(|location| location.split(['?', '#']).next());
        Self {
            url: url.clone(),
            kind,
            status: response.status,
            // Before what was sent is left out of it.
            diagnosis: Diagnosis::of(kind, response.status, code.as_deref()),
            code: code.as_deref().map(shown),
            // Else as other JSON errors have it (RFC 9457 among them), and itsme's token endpoint.
            description: description
                .or_else(|| ["detail", "message", "title"].iter().find_map(member)),
            pages,
            challenge: response.challenge.as_deref().map(shown),
            retry_after: response.retry_after,
            interval: json["interval"].as_u64(),
            location: location.map(shown),
        }
    }

    /// What the authorization endpoint had a browser bring (RFC 6749 section 4.1.2.1): the code, its description and its
    /// page.
    pub(crate) fn by_browser(
        endpoint: &Url,
        code: &str,
        [description, page]: [Option<&str>; 2],
        secrets: [&str; 2],
    ) -> Self {
        let shown = |text: &str| sanitize_for_display(text, secrets);
        Self {
            url: endpoint.clone(),
            kind: RequestKind::Authorization,
            status: 0,
            diagnosis: Diagnosis::of(RequestKind::Authorization, 400, Some(code)),
            code: Some(shown(code)),
            description: description.map(shown),
            pages: page.map(shown).into_iter().collect(),
            challenge: None,
            retry_after: None,
            interval: None,
            location: None,
        }
    }

    /// Which request was refused.
    pub const fn kind(&self) -> RequestKind {
        self.kind
    }

    /// The HTTP status; 0 of what a browser brought.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The `error` code of RFC 6749 section 5.2, if the server gave one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// When to come back, if the server said so.
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// How often a server that has no answer yet may be asked, in seconds, where it says so.
    #[cfg(feature = "ciba")]
    pub(crate) const fn interval(&self) -> Option<u64> {
        self.interval
    }

    /// What it means: the code says more than the status, where there is one.
    pub const fn diagnosis(&self) -> Diagnosis {
        self.diagnosis
    }

    /// A server that is busy has not begun with the request; of one that failed nobody knows. A proxy is busy, too, in
    /// the place of a server that has begun: what a refresh token is worth then, nobody knows either.
    pub(crate) const fn failed_try(&self) -> FailedTry {
        match self.status {
            503 if matches!(self.kind, RequestKind::Refresh) => FailedTry::TimedOut,
            429 | 503 => FailedTry::NotBegun {
                retry_after: self.retry_after,
            },
            408 | 500 | 502 | 504 => FailedTry::TimedOut,
            _ => FailedTry::Final,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = (self.status != 0).then(|| format!("HTTP {}", self.status));
        let said: Vec<_> = status.into_iter().chain(self.code.clone()).collect();
        write!(f, "{}: {}", self.url, said.join(", "))?;
        write!(f, ": {}", self.diagnosis())?;
        if let Some(location) = &self.location {
            write!(f, " (to {location})")?;
        }
        if let Some(description) = &self.description {
            write!(f, "; the server says: {description}")?;
        }
        if !self.pages.is_empty() {
            write!(f, "; more at {}", self.pages.join(" and "))?;
        }
        match &self.challenge {
            Some(challenge) => write!(f, "; WWW-Authenticate: {challenge}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn url() -> Url {
        "https://as.example/t".parse().unwrap()
    }

    fn refusal(kind: RequestKind, status: u16, body: &str) -> Refusal {
        let response = response(status, body);
        Refusal::new(&url(), kind, &response, Some("t0k3n-that-was-sent"))
    }

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            retry_after: Some(RetryAfter::Seconds(7)).filter(|_| status == 429),
            location: Some("https://evil.example/x?client_assertion=eyJ".to_owned())
                .filter(|_| status == 307),
            media_type: None,
            challenge: Some("Bearer realm=\"t0k3n-that-was-sent\"".to_owned())
                .filter(|_| status == 401),
            max_age: None,
            date: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn every_code_of_the_fiam_table_is_explained() {
        for (status, words, servers) in [
            (400, "malformed", false),
            (401, "signature", false),
            (403, "authorization is missing", false),
            (404, "unknown participant", false),
            (429, "rate limit", true),
            (500, "internal error", true),
        ] {
            let refusal = refusal(RequestKind::Token, status, "");
            let text = refusal.to_string();
            assert!(
                text.starts_with(&format!("https://as.example/t: HTTP {status}: ")),
                "{text}"
            );
            assert!(text.contains(words), "{text}");
            assert_eq!(refusal.diagnosis().is_servers(), servers, "{text}");
            assert!(!text.contains('\n'));
        }
        let busy = refusal(RequestKind::Token, 429, "");
        assert_eq!(busy.retry_after(), Some(RetryAfter::Seconds(7)));
    }

    #[test]
    fn oauth_errors_say_more_than_their_status() {
        let body =
            r#"{"error":"invalid_client","error_description":"no t0k3n-that-was-sent for\nyou"}"#;
        let refusal = refusal(RequestKind::Token, 400, body);
        assert_eq!(refusal.code(), Some("invalid_client"));
        assert_eq!(
            refusal.to_string(),
            "https://as.example/t: HTTP 400, invalid_client: the server does not accept who signs or \
             how; the server says: no [token left out] for\\nyou"
        );
        assert_eq!(refusal.diagnosis(), Diagnosis::InvalidClient);
    }

    /// A server may choose an `auth_req_id` as it likes.
    #[test]
    fn what_was_sent_changes_no_code() {
        for sent in ["a", "access_denied"] {
            let response = response(400, r#"{"error":"access_denied"}"#);
            let refusal = Refusal::new(&url(), RequestKind::CibaTokens, &response, Some(sent));
            assert_eq!(refusal.diagnosis(), Diagnosis::AccessDenied);
            assert_eq!(refusal.code() == Some("access_denied"), sent.len() == 1);
        }
    }

    #[test]
    fn a_redirect_is_named_without_its_query() {
        let refusal = refusal(RequestKind::Token, 307, "");
        let text = refusal.to_string();
        assert!(
            text.contains("redirect") && text.ends_with("(to https://evil.example/x)"),
            "{text}"
        );
        assert_eq!(refusal.diagnosis(), Diagnosis::Redirect);
    }

    #[test]
    fn the_page_about_it_and_the_challenge_are_shown() {
        for member in ["error_uri", "uid"] {
            let body =
                format!(r#"{{"error":"invalid_grant","{member}":"https://idp.example/e/7"}}"#);
            let text = refusal(RequestKind::CibaTokens, 400, &body).to_string();
            assert!(
                text.ends_with("; more at https://idp.example/e/7"),
                "{text}"
            );
        }
        let both =
            r#"{"error":"x","error_uri":"https://idp.example/e","uid":"https://idp.example/u"}"#;
        let text = refusal(RequestKind::CibaTokens, 400, both).to_string();
        let words = "; more at https://idp.example/e and https://idp.example/u";
        assert!(text.ends_with(words), "{text}");
        for body in ["", r#"{"error":"invalid_token"}"#] {
            let text = refusal(RequestKind::Call, 401, body).to_string();
            assert!(
                text.ends_with("; WWW-Authenticate: Bearer realm=\"[token left out]\""),
                "{text}"
            );
        }
    }

    /// Each row of itsme's tables, and of eHealth's (section 8): a sentence of its own.
    #[test]
    fn each_row_of_the_tables_has_words_of_its_own() {
        use RequestKind::{
            Authorization, Backchannel, CibaTokens, Code, Discovery, Refresh, Token, UserInfo,
        };
        let shared = [
            ("invalid_request", "lacks something"),
            ("invalid_client", "who signs or how"),
            ("invalid_scope", "the scope is unknown"),
            ("unsupported_grant_type", "this kind of request"),
            ("access_denied", "said no"),
        ];
        let rows: &[(RequestKind, &[(&str, &str)])] = &[
            (
                Backchannel,
                &[
                    (
                        "expired_login_hint_token",
                        "user_identifier_token has expired",
                    ),
                    ("unknown_user_id", "does not know the person"),
                    ("unauthorized_user", "the person may not do this"),
                    ("missing_user_code", "a code of the person"),
                    ("invalid_binding_message", "does not take the text"),
                    ("unauthorized_client", "does not know this client"),
                ],
            ),
            (
                CibaTokens,
                &[
                    ("invalid_grant", "authentication request has expired"),
                    ("expired_token", "did not confirm in time"),
                    ("transaction_failed", "could not have the person confirm"),
                    ("unauthorized_client", "let it ask persons"),
                ],
            ),
            (
                UserInfo,
                &[("invalid_token", "the access token has expired")],
            ),
            (
                Authorization,
                &[
                    ("unauthorized_client", "send persons there"),
                    ("unsupported_response_type", "does not give codes"),
                    ("request_not_supported", "does not take signed requests"),
                    ("server_error", "the server is in trouble"),
                    ("temporarily_unavailable", "for the moment"),
                ],
            ),
            (
                Code,
                &[
                    ("invalid_grant", "does not accept the code"),
                    ("unauthorized_client", "send persons there"),
                ],
            ),
            (Refresh, &[("invalid_grant", "was used before")]),
            (
                Token,
                &[
                    ("invalid_grant", "does not accept the assertion"),
                    ("unauthorized_client", "ask for tokens in this way"),
                ],
            ),
        ];
        for (kind, own) in rows {
            let mut said = Vec::new();
            for (code, words) in own.iter().chain(&shared) {
                let body = format!(r#"{{"error":"{code}"}}"#);
                let text = refusal(*kind, 400, &body).diagnosis().to_string();
                assert!(text.contains(words), "{kind:?} {code}: {text}");
                assert!(!said.contains(&text), "{kind:?}: {text}");
                said.push(text);
            }
        }
        for (status, words) in [
            (400, "older than 15 minutes"),
            (401, "who signs or how"),
            (404, "older than 15 minutes"),
            (408, "is in trouble"),
            (429, "rate limit"),
        ] {
            let text = refusal(Discovery, status, "").diagnosis().to_string();
            assert!(text.contains(words), "{status}: {text}");
        }
    }

    #[test]
    fn problem_details_and_bodies_that_are_nothing() {
        let text = refusal(RequestKind::Call, 403, r#"{"detail":"no consent"}"#).to_string();
        assert!(text.ends_with("the server says: no consent"), "{text}");
        for body in ["<html>", "{", "[1]", r#"{"error":{}}"#] {
            assert!(
                !refusal(RequestKind::Call, 403, body)
                    .to_string()
                    .contains("server says")
            );
        }
    }
}
