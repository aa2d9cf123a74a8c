//! An identity provider in the shape of iSHARE's: the person is logged in already, and allows everything.

use std::collections::HashMap;
use std::sync::Mutex;

use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{Config, TOKEN_LIFETIME, signed};
use crate::loopback::{self, Answer, Request};
use crate::token_desk::{TokenDesk, member};
use privyseal_test_judges::assertion_judge::Refusal;
use privyseal_test_judges::decode::to_base64url;

/// Who it is.
const PERSON: &str = "419404e1-07ce-4d80-9e8a-eca94vde0003de";

/// The logins whose code was not exchanged yet.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<HashMap<String, HashMap<String, String>>>);

impl Logins {
    /// Answers a request below `/identity_provider`.
    pub(super) fn route(
        &self,
        desk: &TokenDesk,
        config: &Config,
        path: &str,
        request: &Request,
    ) -> Result<Answer, Refusal> {
        match (path, request.method()) {
            ("authorize", &Method::GET) => self.authorize(request),
            ("token", &Method::POST) => self.token(desk, config, request),
            ("userinfo", &Method::GET) => {
                let client = desk.bearer(request)?;
                let said = json!({"sub": PERSON, "company_id": "EU.EORI.NL000000001"});
                let token = signed::token(config, &client, desk.now(), "userinfo", said);
                let mut response = Response::new(Full::from(token));
                let jwt = HeaderValue::from_static("application/jwt");
                response.headers_mut().insert(header::CONTENT_TYPE, jwt);
                Ok(response)
            }
            _ => Err(Refusal::of_status(405)),
        }
    }

    fn authorize(&self, request: &Request) -> Result<Answer, Refusal> {
        let query = request.uri().query().unwrap_or_default();
        let asked: HashMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let wrong = |why: &str| Refusal::bad_request("invalid_request", why);
        let value = |name: &str| asked.get(name).ok_or_else(|| wrong(name));
        if value("response_type")? != "code" || value("code_challenge_method")? != "S256" {
            return Err(wrong("neither code nor S256"));
        }
        let back = value("redirect_uri")?;
        let code = format!("code-of-{}", value("state")?);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", value("state")?)
            .finish();
        let place = format!("{back}?{query}");
        self.0.lock().expect("no panic").insert(code, asked.clone());
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::FOUND;
        let place = HeaderValue::from_str(&place).map_err(|_| wrong("redirect_uri"))?;
        response.headers_mut().insert(header::LOCATION, place);
        Ok(response)
    }

    fn token(
        &self,
        desk: &TokenDesk,
        config: &Config,
        request: &Request,
    ) -> Result<Answer, Refusal> {
        let assertion = desk.assertion_with(request, "authorization_code")?;
        let bad = || Refusal::bad_request("invalid_grant", "the code is another login's");
        let code = member(request, "code")?;
        let login = self.0.lock().expect("no panic").remove(&code);
        let login = login.ok_or_else(bad)?;
        let verifier = member(request, "code_verifier")?;
        let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
        let challenge = to_base64url(digest.as_ref());
        let fits = login.get("code_challenge") == Some(&challenge)
            && login.get("client_id") == Some(&assertion.party)
            && login.get("redirect_uri") == Some(&member(request, "redirect_uri")?);
        if !fits {
            return Err(bad());
        }
        let said = json!({
            "sub": PERSON, "nonce": login.get("nonce"), "acr": "urn:http://eidas.europa.eu/LoA/NotNotified/high",
            "auth_time": desk.now(),
        });
        let id_token = signed::token(config, &assertion.party, desk.now(), "id_token", said);
        let answer: Value = json!({
            "access_token": desk.issue(assertion.party), "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME, "id_token": id_token,
        });
        Ok(loopback::json(StatusCode::OK, &answer))
    }
}
