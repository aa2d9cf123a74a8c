//! From a request to a response, without the network.

use hyper::http::uri::PathAndQuery;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::identity::Logins;
use super::{Config, TOKEN_LIFETIME, says, signed};
use crate::loopback::{self, Answer, Request};
use crate::token_desk::{TokenDesk, member};
use privyseal_test_judges::assertion_judge::Refusal;

/// Answers one request.
pub(super) fn route(
    desk: &TokenDesk,
    config: &Config,
    logins: &Logins,
    request: &Request,
) -> Result<Answer, Refusal> {
    let path = request.uri().path();
    if let Some(path) = path.strip_prefix("/identity_provider/") {
        return logins.route(desk, config, path, request);
    }
    if path == "/connect/token" {
        if request.method() != Method::POST {
            return Err(Refusal::of_status(405));
        }
        return Ok(loopback::json(
            StatusCode::OK,
            &token(desk, config, request)?,
        ));
    }
    if request.method() != Method::GET {
        return Err(Refusal::of_status(405));
    }
    if path == "/capabilities" {
        let name = "capabilities_token";
        let token = signed::token(config, "", desk.now(), name, json!({}));
        return Ok(loopback::json(StatusCode::OK, &json!({ name: token })));
    }
    let client = desk.bearer(request)?;
    let target = request.uri().path_and_query();
    let (name, token) = config.said(&client, target.map_or(path, PathAndQuery::as_str))?;
    Ok(loopback::json(StatusCode::OK, &json!({ name: token })))
}

impl Config {
    /// What `client` is told at that path: the token, and its name.
    ///
    /// # Errors
    /// If there is nothing to tell.
    pub fn said(&self, client: &str, target: &str) -> Result<(&'static str, String), Refusal> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (name, said) = if path == "/trusted_list" {
            let list = json!({ "trusted_list": self.trusted_list });
            ("trusted_list_token", list)
        } else if path == "/parties" {
            let found = says::found(&self.parties, query)?;
            ("parties_token", json!({ "parties_info": found }))
        } else if let Some(id) = path.strip_prefix("/parties/") {
            let info = says::party(&self.parties, &percent_decoded(id));
            let info = info.ok_or_else(|| Refusal::of_status(404))?;
            ("party_token", json!({ "party_info": info }))
        } else {
            return Err(Refusal::of_status(404));
        };
        Ok((
            name,
            signed::token(self, client, (self.clock)(), name, said),
        ))
    }
}

/// "Access token" of iSHARE's developer portal.
fn token(desk: &TokenDesk, config: &Config, request: &Request) -> Result<Value, Refusal> {
    if member(request, "scope")? != "iSHARE" {
        return Err(Refusal::bad_request("invalid_scope", "scope is not iSHARE"));
    }
    let client_id = member(request, "client_id")?;
    let assertion = desk.assertion(request)?;
    if assertion.party != client_id {
        return Err(Refusal::invalid_client("client_id is not iss"));
    }
    let is_member = config.members.contains(&client_id);
    if !is_member && says::party(&config.parties, &client_id).is_none() {
        return Err(Refusal::invalid_client(
            "the client is no party of this registry",
        ));
    }
    Ok(json!({
        "access_token": desk.issue(assertion.party),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME,
    }))
}

/// A path's segment, decoded (RFC 3986 section 2.1).
fn percent_decoded(text: &str) -> String {
    // The form's reader does it, but for a plus sign, which means itself in a path.
    let text = format!("it={}", text.replace('+', "%2B"));
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
