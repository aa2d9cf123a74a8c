//! Answers in JSON, good and bad.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json as object};

use privyseal_test_judges::assertion_judge::Refusal;

/// What a handler gives.
pub type Answer = Response<Full<Bytes>>;

/// JSON with a status, not to be stored (RFC 6749 section 5.1).
pub fn json(status: StatusCode, body: &Value) -> Answer {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A refusal in the form of RFC 6749 section 5.2.
pub fn refusal(refusal: &Refusal) -> Answer {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = object!({ "error": refusal.error, "error_description": refusal.description });
    let mut response = json(status, &body);
    let headers = response.headers_mut();
    match refusal.status {
        401 => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        429 => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60")),
        _ => None,
    };
    response
}
