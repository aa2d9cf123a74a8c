//! What an administrator does, through Keycloak's REST interface.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::ring::default_provider;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{Keycloak, PASSWORD};

/// An administrator's token lives for a minute.
const TOKEN_AGE: Duration = Duration::from_secs(40);

/// Trusts `ca_pem`, and follows so many redirects.
pub(crate) fn agent(ca_pem: &str, redirects: u32) -> Agent {
    let ca = Certificate::from_pem(ca_pem.as_bytes()).expect("a certificate");
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[ca]))
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(redirects)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .tls_config(tls);
    config.build().into()
}

impl Keycloak {
    /// One request to `/admin/realms` and below, which must succeed; gives the JSON of the answer, if any.
    ///
    /// # Panics
    /// If Keycloak refuses.
    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/admin/realms{path}", self.base_url()))
            .header("Authorization", format!("Bearer {}", self.admin_token()))
            .header("Content-Type", "application/json");
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request.body(text).expect("a request");
        let agent = agent(&self.ca_pem, 0);
        let mut answer = agent
            .run(request)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().expect("a whole answer");
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {text}"
        );
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes a realm.
    ///
    /// # Panics
    /// If Keycloak refuses.
    pub fn create_realm(&self, name: &str, more: &Value) {
        let mut realm = json!({"realm": name, "enabled": true});
        merge(&mut realm, more);
        self.admin("POST", "", &realm);
    }

    /// Makes a client that authenticates with a signed JWT and may ask for tokens for itself. `attributes`
    /// say where its key is. Its tokens are for itself (`aud`): else Keycloak tells it nothing about them.
    ///
    /// # Panics
    /// If Keycloak refuses.
    pub fn create_client(&self, realm: &str, client_id: &str, attributes: &Value) {
        self.create_client_with(realm, client_id, &json!({ "attributes": attributes }));
    }

    /// The same, with these members of its own.
    ///
    /// # Panics
    /// If Keycloak refuses.
    pub fn create_client_with(&self, realm: &str, client_id: &str, more: &Value) {
        let mut client = json!({
            "clientId": client_id,
            "protocol": "openid-connect",
            "publicClient": false,
            "standardFlowEnabled": false,
            "directAccessGrantsEnabled": false,
            "serviceAccountsEnabled": true,
            "clientAuthenticatorType": "client-jwt",
            "attributes": {"token.endpoint.auth.signing.alg": "RS256"},
            "protocolMappers": [{
                "name": "audience",
                "protocol": "openid-connect",
                "protocolMapper": "oidc-audience-mapper",
                "config": {"included.client.audience": client_id, "access.token.claim": "true"},
            }],
        });
        merge(&mut client, more);
        self.admin("POST", &format!("/{realm}/clients"), &client);
    }

    fn admin_token(&self) -> String {
        let mut held = self.admin.lock().expect("no panic while it was held");
        match &*held {
            Some((since, token)) if since.elapsed() < TOKEN_AGE => return token.clone(),
            _ => {}
        }
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "password")
            .append_pair("client_id", "admin-cli")
            .append_pair("username", "admin")
            .append_pair("password", PASSWORD)
            .finish();
        let path = "/realms/master/protocol/openid-connect/token";
        let (status, answer) = self.client().post(path, &form);
        let token = answer["access_token"].as_str();
        let token = token
            .unwrap_or_else(|| panic!("{status}: {answer}"))
            .to_owned();
        *held = Some((Instant::now(), token.clone()));
        token
    }
}

/// Members of `more` into `object`, objects into objects.
fn merge(object: &mut Value, more: &Value) {
    match (object, more) {
        (Value::Object(object), Value::Object(more)) => {
            for (name, value) in more {
                merge(object.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (place, Value::Null) if !place.is_null() => {}
        (place, value) => *place = value.clone(),
    }
}
