//! A realm with clients, their keys, and the library in front of it.

use privyseal::http::Roots;
use privyseal::jose::jwk::JwkSetBuilder;
use privyseal::jose::jwk::{KidChoice, KidForm};
use privyseal::{
    AssertionOptions, BaseUrl, Certificates, Http, HttpOptions, Provider, SigningClient,
};
use privyseal_core::ClientId;
use privyseal_core::kid::Kid;
use privyseal_core::scheme::EHEALTH;
use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_servers::keycloak::{JwksServer, Keycloak};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

/// A realm of the test's own.
pub(crate) struct Stage {
    pub(crate) keycloak: &'static Keycloak,
    pub(crate) realm: String,
    pub(crate) http: Http,
}

impl Stage {
    /// Makes the realm.
    pub(crate) fn new(realm: &str, more: &Value) -> Self {
        let keycloak = Keycloak::shared();
        keycloak.create_realm(realm, more);
        let roots = Roots::Only(Certificates::from_file(&keycloak.ca_file()).unwrap());
        let http = Http::new(&HttpOptions::default().roots(roots));
        Self {
            keycloak,
            realm: realm.to_owned(),
            http,
        }
    }

    pub(crate) fn issuer(&self) -> String {
        self.keycloak.issuer(&self.realm)
    }

    /// The realm, below which the paths of the scheme are.
    pub(crate) fn base(&self) -> BaseUrl {
        self.issuer().parse().unwrap()
    }

    pub(crate) fn provider(&self) -> Provider {
        Provider::discover(&self.http, &self.issuer()).unwrap()
    }

    /// What an assertion for this realm says.
    pub(crate) fn options(&self) -> AssertionOptions {
        AssertionOptions::default().audience(self.issuer())
    }

    /// Registers a client whose keys are at a URL.
    pub(crate) fn register_url(&self, client_id: &str, jwks: &JwksServer, more: &Value) {
        let attributes = json!({"use.jwks.url": "true", "jwks.url": jwks.url()});
        self.register(client_id, attributes, more);
    }

    pub(crate) fn register(&self, client_id: &str, mut attributes: Value, more: &Value) {
        for (name, value) in more.as_object().into_iter().flatten() {
            attributes[name] = value.clone();
        }
        self.keycloak
            .create_client(&self.realm, client_id, &attributes);
    }

    /// A client with a key in memory, registered by URL under `kid`.
    pub(crate) fn client(&self, client_id: &str, more: &Value) -> SigningClient<SoftwareSigner> {
        let key = client_key();
        let jwks = JwksServer::start(&jwk_set(&[("2026-1", &key)]));
        self.register_url(client_id, &jwks, more);
        client(client_id, "2026-1", &key)
    }
}

pub(crate) fn client_key() -> TestKey {
    test_key("keycloak-client", 2048)
}

pub(crate) fn client(client_id: &str, kid: &str, key: &TestKey) -> SigningClient<SoftwareSigner> {
    let client_id = ClientId::new(client_id).unwrap();
    SigningClient::with_kid(
        &EHEALTH,
        client_id,
        Kid::new(kid).unwrap(),
        SoftwareSigner::new(key),
    )
    .unwrap()
}

/// What the library publishes for these keys.
pub(crate) fn jwk_set(keys: &[(&str, &TestKey)]) -> String {
    let mut set = JwkSetBuilder::default();
    for (kid, key) in keys {
        let kid = KidChoice::Given((*kid).to_owned());
        set.add(&key.public_key(), &kid, None).unwrap();
    }
    set.to_json().to_string()
}

/// The `kid` that Keycloak derives from an uploaded certificate.
pub(crate) fn keycloak_kid(key: &TestKey) -> String {
    KidForm::Keycloak
        .of(&key.public_key())
        .as_kid()
        .as_str()
        .to_owned()
}
