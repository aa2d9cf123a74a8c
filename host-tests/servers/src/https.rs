//! A client of the test servers that can say anything, also what `privyseal` would never say.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tokio_rustls::rustls::crypto::ring::default_provider;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, http::Response};

/// Talks to one server.
pub struct Client {
    agent: Agent,
    base_url: String,
}

impl Client {
    /// A client that trusts `tls_ca_pem` only. Paths are below `base_url`.
    ///
    /// # Panics
    /// If that is no certificate.
    pub fn new(base_url: &str, tls_ca_pem: &str) -> Self {
        let ca = Certificate::from_pem(tls_ca_pem.as_bytes()).expect("a certificate");
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[ca]))
            .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
            .build();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls)
            .build();
        Self {
            agent: agent.into(),
            base_url: base_url.into(),
        }
    }

    /// POSTs a form; gives status and JSON.
    ///
    /// # Panics
    /// If the server does not answer with JSON.
    pub fn post(&self, path: &str, form: &str) -> (u16, Value) {
        self.post_as("application/x-www-form-urlencoded", path, form)
    }

    /// POSTs a body of any type; gives status and JSON.
    ///
    /// # Panics
    /// If the server does not answer with JSON.
    pub fn post_as(&self, content_type: &str, path: &str, body: &str) -> (u16, Value) {
        let request = self
            .agent
            .post(self.url(path))
            .header("Content-Type", content_type);
        read(request.send(body))
    }

    /// GETs, with a bearer token if there is one; gives status and JSON.
    ///
    /// # Panics
    /// If the server does not answer with JSON.
    pub fn get(&self, path: &str, bearer: Option<&str>) -> (u16, Value) {
        let mut request = self.agent.get(self.url(path));
        if let Some(token) = bearer {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        read(request.call())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.base_url)
    }
}

/// The form of FIAM's token request.
pub fn form(assertion: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("client_assertion", assertion)
        .finish()
}

fn read(response: Result<Response<Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.expect("the server answers");
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .read_to_string()
        .expect("the server answers whole");
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, no JSON: {text}")),
    )
}
