//! From a request to a response, without the network.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::contracts::Contracts;
use super::{BASE_PATH, TOKEN_LIFETIME};
use crate::loopback::{self, Answer, Request};
use crate::token_desk::TokenDesk;
use privyseal_test_judges::assertion_judge::Refusal;

/// Answers one request.
pub(super) fn route(
    desk: &TokenDesk,
    contracts: Contracts,
    request: &Request,
) -> Result<Answer, Refusal> {
    let path = request.uri().path().strip_prefix(BASE_PATH).unwrap_or("");
    let body = match (path, request.method()) {
        ("/oauth/token", &Method::POST) => token(desk, request),
        ("/service-consumers/contracts", &Method::GET) => {
            let party = desk.bearer(request)?;
            admit(&party, "EU.EORI.NL100000")?;
            contracts.page(&party, request.uri().query())
        }
        ("/oauth/token" | "/service-consumers/contracts", _) => Err(Refusal::of_status(405)),
        _ => Err(Refusal::of_status(404)),
    }?;
    Ok(loopback::json(StatusCode::OK, &body))
}

/// Step 2 of FIAM's documentation.
fn token(desk: &TokenDesk, request: &Request) -> Result<Value, Refusal> {
    let assertion = desk.assertion(request)?;
    admit(&assertion.party, "EU.EORI.NL000000")?;
    Ok(json!({
        "access_token": desk.issue(assertion.party),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME,
    }))
}

/// Unknown parties, and those that a test uses to see an error: `prefix` and the status.
fn admit(party: &str, prefix: &str) -> Result<(), Refusal> {
    if !is_party_id(party) {
        return Err(Refusal::of_status(404));
    }
    match party
        .strip_prefix(prefix)
        .and_then(|status| status.parse().ok())
    {
        Some(status @ (403 | 404 | 429 | 500)) => Err(Refusal::of_status(status)),
        _ => Ok(()),
    }
}

/// `EU.EORI.`, a country code, and something after it.
fn is_party_id(party: &str) -> bool {
    let number = party.strip_prefix("EU.EORI.").unwrap_or("").as_bytes();
    number.len() > 2
        && number[..2].iter().all(u8::is_ascii_uppercase)
        && number.iter().all(u8::is_ascii_alphanumeric)
}
