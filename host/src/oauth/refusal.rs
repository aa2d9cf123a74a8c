//! A server's refusal: what it means and what to do about it.

use core::fmt;

use privyseal_core::token::ErrorResponse;

use crate::base::display::sanitize_for_display;
use crate::exit::Exit;
use crate::http::{Response, RetryAfter, Url};

pub mod meaning;

use meaning::{Meaning, Stage};

/// A server answered, and its answer is no.
///
/// `Display` is one line with what the server said; [`Refusal::advice`] is what to do. Neither has a
/// token in it, also where the server repeated one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    url: Url,
    stage: Stage,
    status: u16,
    code: Option<String>,
    description: Option<String>,
    retry_after: Option<RetryAfter>,
    location: Option<String>,
}

impl Refusal {
    /// Reads a refusal out of an answer. `secrets` are what was sent and must not be shown.
    pub fn new<'s, I>(url: &Url, stage: Stage, response: &Response, secrets: I) -> Self
    where
        I: IntoIterator<Item = &'s str>,
    {
        let secrets: Vec<&str> = secrets.into_iter().collect();
        let shown = |text: &str| sanitize_for_display(text, secrets.iter().copied());
        let (code, description) = said(&response.body, &shown);
        // Where to, but not what for: a query may hold what was sent.
        let location = response.location.as_deref().map(|location| {
            let place = location.split(['?', '#']).next();
            shown(place.unwrap_or_default())
        });
        Self {
            url: url.clone(),
            stage,
            status: response.status,
            code,
            description,
            retry_after: response.retry_after.clone(),
            location,
        }
    }

    /// Whether a body says that the request was refused, whatever the status.
    pub fn is_error_body(body: &[u8]) -> bool {
        ErrorResponse::parse(body).is_ok()
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The `error` code of RFC 6749 section 5.2, if the server gave one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// When to come back, if the server said so.
    pub const fn retry_after(&self) -> Option<&RetryAfter> {
        self.retry_after.as_ref()
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        let advice = self.meaning().advice;
        match &self.retry_after {
            Some(retry_after) => format!("{advice}; the server asks to come back {retry_after}"),
            None => advice.to_owned(),
        }
    }

    /// What the command exits with: 1 where the answer is about the assertion or the token, 4 where it
    /// is about the server.
    pub fn exit(&self) -> Exit {
        self.meaning().exit
    }

    fn meaning(&self) -> Meaning {
        Meaning::of(self.stage, self.status, self.code.as_deref())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: HTTP {}", self.url, self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        write!(f, ": {}", self.meaning().what)?;
        if let Some(location) = &self.location {
            write!(f, " (to {location})")?;
        }
        if let Some(description) = &self.description {
            write!(f, "; the server says: {description}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Refusal {}

/// The code and the words of an error body: RFC 6749 section 5.2, else the members that other JSON
/// errors use (RFC 9457 among them).
fn said(body: &[u8], shown: &dyn Fn(&str) -> String) -> (Option<String>, Option<String>) {
    if let Ok(error) = ErrorResponse::parse(body) {
        let code = shown(&error.error.to_string());
        let description = error.error_description.map(|text| shown(&text.to_string()));
        // itsme's token endpoint says the same in `detail`.
        return (Some(code), description.or_else(|| other_words(body, shown)));
    }
    (None, other_words(body, shown))
}

fn other_words(body: &[u8], shown: &dyn Fn(&str) -> String) -> Option<String> {
    let json = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
    ["detail", "message", "title"]
        .iter()
        .find_map(|member| json.get(member)?.as_str())
        .map(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn refusal(stage: Stage, status: u16, body: &str) -> Refusal {
        let url = "https://as.example"
            .parse::<crate::http::BaseUrl>()
            .unwrap()
            .join("/t")
            .unwrap();
        let response = Response {
            status,
            retry_after: Some(RetryAfter::Seconds(7)).filter(|_| status == 429),
            location: Some("https://evil.example/x?client_assertion=eyJ".to_owned())
                .filter(|_| status == 307),
            media_type: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        Refusal::new(&url, stage, &response, Some("t0k3n"))
    }

    #[test]
    fn every_code_of_the_fiam_table_is_explained() {
        for (status, words, exit) in [
            (400, "malformed", Exit::Refused),
            (401, "signature", Exit::Refused),
            (403, "authorization is missing", Exit::Refused),
            (404, "unknown participant", Exit::Refused),
            (429, "rate limit", Exit::Server),
            (500, "internal error", Exit::Server),
        ] {
            let refusal = refusal(Stage::Token, status, "");
            let text = refusal.to_string();
            assert!(
                text.starts_with(&format!("https://as.example/t: HTTP {status}: ")),
                "{text}"
            );
            assert!(text.contains(words), "{text}");
            assert!(!refusal.advice().is_empty());
            assert_eq!(refusal.exit(), exit, "{text}");
            assert!(!text.contains('\n'));
        }
        assert!(refusal(Stage::Token, 429, "").advice().ends_with("in 7 s"));
    }

    #[test]
    fn oauth_errors_say_more_than_their_status() {
        let body = r#"{"error":"invalid_client","error_description":"no t0k3n for\nyou"}"#;
        let refusal = refusal(Stage::Token, 400, body);
        assert_eq!(refusal.code(), Some("invalid_client"));
        assert_eq!(
            refusal.to_string(),
            "https://as.example/t: HTTP 400, invalid_client: the server does not accept who signs or \
             how; the server says: no [token left out] for\\nyou"
        );
        assert_eq!(refusal.exit(), Exit::Refused);
    }

    #[test]
    fn a_redirect_is_named_without_its_query() {
        let refusal = refusal(Stage::Token, 307, "");
        let text = refusal.to_string();
        assert!(
            text.contains("redirect") && text.ends_with("(to https://evil.example/x)"),
            "{text}"
        );
        assert_eq!(refusal.exit(), Exit::Server);
    }

    #[test]
    fn problem_details_and_bodies_that_are_nothing() {
        let text = refusal(Stage::Call, 403, r#"{"detail":"no consent"}"#).to_string();
        assert!(text.ends_with("the server says: no consent"), "{text}");
        for body in ["<html>", "{", "[1]", r#"{"error":{}}"#] {
            assert!(
                !refusal(Stage::Call, 403, body)
                    .to_string()
                    .contains("server says")
            );
        }
    }
}
