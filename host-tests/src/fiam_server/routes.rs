//! From a request to a response, without the network.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::State;
use super::{AUDIENCE, BASE_PATH, TOKEN_LIFETIME};

/// More than any token request has; what a request may bring, in bytes.
const MAX_BODY: usize = 128 * 1024;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers one request.
pub(super) async fn answer<B>(state: &State, request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    match route(state, request).await {
        Ok(body) => respond(StatusCode::OK, &body),
        Err(refusal) => refuse(&refusal),
    }
}

async fn route<B>(state: &State, request: Request<B>) -> Result<Value, Refusal>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix(BASE_PATH).unwrap_or("");
    match (path, &head.method) {
        ("/oauth/token", &Method::POST) => {
            let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| {
                Refusal::bad_request("invalid_request", "the body is too long or was cut short")
            })?;
            token(state, &head.headers, &body.to_bytes())
        }
        ("/service-consumers/contracts", &Method::GET) => contracts(state, &head.headers),
        ("/oauth/token" | "/service-consumers/contracts", _) => Err(Refusal::of_status(405)),
        _ => Err(Refusal::of_status(404)),
    }
}

/// Step 2 of FIAM's documentation.
fn token(state: &State, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("");
    if kind.split(';').next() != Some("application/x-www-form-urlencoded") {
        return Err(Refusal::bad_request(
            "invalid_request",
            "Content-Type is not application/x-www-form-urlencoded",
        ));
    }
    if member(body, "grant_type")? != "client_credentials" {
        return Err(Refusal::bad_request(
            "unsupported_grant_type",
            "not client_credentials",
        ));
    }
    if member(body, "client_assertion_type")? != ASSERTION_TYPE {
        return Err(Refusal::bad_request(
            "invalid_request",
            "client_assertion_type is another",
        ));
    }
    let access_token = state.exchange(&member(body, "client_assertion")?)?;
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME,
    }))
}

/// A member of the form, which must be there once (RFC 6749 section 3.2).
fn member(body: &[u8], name: &str) -> Result<String, Refusal> {
    let mut values = form_urlencoded::parse(body).filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(value.into_owned()),
        (None, _) => Err(Refusal::bad_request(
            "invalid_request",
            format!("{name} is missing"),
        )),
        (Some(_), Some(_)) => Err(Refusal::bad_request(
            "invalid_request",
            format!("{name} is there twice"),
        )),
    }
}

/// "Get contracts" of FIAM's documentation, with its example's members.
fn contracts(state: &State, headers: &HeaderMap) -> Result<Value, Refusal> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(|| Refusal::invalid_token("there is no bearer token"))?;
    let party = state.consumer(bearer)?;
    let records = [("contract-1", "electricity"), ("contract-2", "gas")].map(|(id, resource)| {
        json!({
            "action": "read",
            "data_owner": "EU.EORI.NL000000001",
            "end_date": "2030-12-31T23:59:59.000Z",
            "id": id,
            "resource": resource,
            "resource_attribute": "*",
            "resource_type": "meter-reading",
            "service_consumer": party,
            "service_provider": AUDIENCE,
            "start_date": "2026-01-01T00:00:00.000Z",
        })
    });
    Ok(json!({
        "page": 1,
        "page_count": 1,
        "size": records.len(),
        "total_count": records.len(),
        "records": records,
    }))
}

fn refuse(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "error": refusal.error, "error_description": refusal.description });
    let mut response = respond(status, &body);
    let headers = response.headers_mut();
    match refusal.status {
        401 => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        429 => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60")),
        _ => None,
    };
    response
}

fn respond(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    // RFC 6749 section 5.1.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
