//! Keycloak asks a person (CIBA), with our signed request and our `login_hint_token`. The persons' phones are
//! of the test; the rest is Keycloak's own: it verifies assertion, request and hint with the client's JWK Set.
//!
//! Where it is no itsme: the audience of assertions is the issuer (`--audience`), and there is no user
//! discovery (the person is known already).

use core::time::Duration;
use std::net::TcpListener;
use std::sync::Arc;

use privyseal::base::BaseError;
use privyseal::base::runtime::Runtime;
use privyseal::oauth::AuthenticationOptions;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::ciba::{Ciba, CibaFlow, QrImage, State, Watcher};
use privyseal::{AssertionOptions, Error, ErrorKind, SigningClient, UnixTime, base::clock};
use privyseal_core::ClientId;
use privyseal_core::kid::Kid;
use privyseal_core::scheme::ITSME;
use privyseal_test_servers::keycloak::{Decision, JwksServer};
use privyseal_test_suite::flow::{self, Outcome};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::json;

use crate::stage::{Stage, client_key, jwk_set};

const CLIENT: &str = "pharmacy";
const PERSON: &str = "alice";

/// Label of the key to which Keycloak encrypts.
const DECRYPTION: &str = "D";

/// A realm with a person in it, whose requests wait that many seconds.
fn realm(name: &str, expires_in: u32) -> Stage {
    let attributes = json!({
        "cibaExpiresIn": expires_in.to_string(),
        "cibaInterval": "1",
        "cibaAuthRequestedUserHint": "login_hint_token",
    });
    let stage = Stage::new(name, &json!({ "attributes": attributes }));
    let person = json!({
        "username": PERSON, "enabled": true, "email": "alice@example.org", "emailVerified": true,
        "firstName": "Alice", "lastName": "Example",
    });
    let post = |path: &str, body| {
        stage
            .keycloak
            .admin("POST", &format!("/{name}{path}"), body)
    };
    post("/users", &person);
    let scope = json!({"name": "service:TEST_LOGIN", "protocol": "openid-connect"});
    post("/client-scopes", &scope);
    let get = |path: &str| {
        stage
            .keycloak
            .admin("GET", &format!("/{name}{path}"), &json!(null))
    };
    let scopes = get("/client-scopes");
    let mut scopes = scopes.as_array().unwrap().iter();
    let made = scopes.find(|it| it["name"] == scope["name"]).unwrap();
    let id = made["id"].as_str().unwrap();
    let optional = format!("/{name}/default-optional-client-scopes/{id}");
    stage.keycloak.admin("PUT", &optional, &json!({}));
    stage
}

/// How a client is told, and in which form.
#[derive(Clone, Copy, Default)]
struct Agreed {
    /// The port of its callback; without one it polls.
    callback: Option<u16>,
    /// Id_token and UserInfo answer are encrypted.
    encrypted: bool,
}

/// What a client of it needs.
fn register(stage: &Stage, jwks: &str, agreed: Agreed) {
    let mut attributes = json!({
        "oidc.ciba.grant.enabled": "true",
        "ciba.backchannel.auth.request.signing.alg": "RS256",
        "ciba.backchannel.token.delivery.mode": "poll",
    });
    if let Some(port) = agreed.callback {
        let url = format!("http://127.0.0.1:{port}/cb");
        attributes["ciba.backchannel.token.delivery.mode"] = json!("ping");
        attributes["ciba.backchannel.client.notification.endpoint"] = json!(url);
    }
    if agreed.encrypted {
        for what in ["id.token", "user.info"] {
            attributes[format!("{what}.encrypted.response.alg")] = json!("RSA-OAEP");
            attributes[format!("{what}.encrypted.response.enc")] = json!("A256GCM");
        }
        attributes["user.info.response.signature.alg"] = json!("RS256");
    }
    stage.register_url(CLIENT, &JwksServer::start(jwks), &attributes);
}

/// The command, with keys in a SoftHSM token.
struct Terminal {
    stage: Stage,
    client: flow::Client,
    agreed: Agreed,
}

impl Terminal {
    fn new(name: &str, expires_in: u32, agreed: Agreed) -> Self {
        let stage = realm(name, expires_in);
        let client = flow::Client::new();
        let mut words = vec!["jwks"];
        let decryption = client.token.uri(DECRYPTION);
        if agreed.encrypted {
            client.token.generate_decryption_key(2048, "02", DECRYPTION);
            // Keycloak takes an RSA key that names no algorithm for one that signs.
            words.extend(["--encryption-key", &decryption]);
            words.extend(["--encryption-alg", "RSA-OAEP"]);
        }
        let set = client.run(&words, &[]).json();
        register(&stage, &set.to_string(), agreed);
        Self {
            stage,
            client,
            agreed,
        }
    }

    fn decide(&self, decision: Decision) {
        let phones = self.stage.keycloak.phones();
        phones.decide(&self.stage.issuer(), decision);
    }

    /// `privyseal ciba` for a person, with assertions for that audience or itsme's.
    fn ciba(&self, person: &str, audience: Option<&str>) -> Outcome {
        let user = self.client.file("user", person);
        let cacert = self.stage.keycloak.ca_file();
        let issuer = self.stage.issuer();
        let mut words = vec!["ciba", "--client-id", CLIENT, "--base-url", &issuer];
        words.extend(["--service", "TEST_LOGIN", "--scope", "profile email"]);
        words.extend(audience.into_iter().flat_map(|url| ["--audience", url]));
        let port = self.agreed.callback.map(|port| port.to_string());
        words.extend(port.iter().flat_map(|port| ["--ping", port]));
        let decryption = self.client.token.uri(DECRYPTION);
        if self.agreed.encrypted {
            words.extend(["--decryption-key", &decryption]);
        }
        let files = [
            ("--cacert", &*cacert),
            ("--user-identifier-token-file", &*user),
        ];
        self.client.run(&words, &files)
    }

    fn ciba_as_keycloak_wants_it(&self) -> Outcome {
        self.ciba(PERSON, Some(&self.stage.issuer()))
    }

    /// The claims that every good flow ends with.
    #[track_caller]
    fn judge(&self, outcome: &Outcome) {
        let report = outcome.json();
        let id_token = &report["id_token"];
        assert_eq!(id_token["iss"], self.stage.issuer());
        assert_eq!(id_token["aud"], CLIENT);
        assert_eq!(id_token["email"], "alice@example.org");
        assert!(id_token["at_hash"].is_string(), "{report}");
        assert_eq!(report["userinfo"]["sub"], id_token["sub"]);
        assert_eq!(report["userinfo"]["preferred_username"], PERSON);
        assert!(!outcome.stderr.contains("eyJ"), "{}", outcome.stderr);
    }
}

#[test]
fn a_person_confirms_and_is_known() {
    let terminal = Terminal::new("ciba-poll", 60, Agreed::default());
    terminal.decide(Decision::Confirm);
    terminal.judge(&terminal.ciba_as_keycloak_wants_it());
    let asked = terminal
        .stage
        .keycloak
        .phones()
        .asked(&terminal.stage.issuer());
    let [question] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(question["login_hint"], PERSON);
    let scope = question["scope"].as_str().unwrap();
    assert!(scope.starts_with("openid service:TEST_LOGIN"), "{scope}");
}

#[test]
fn a_person_confirms_and_we_are_called() {
    // Held until the command wants it: the connections of a start would take a free one sooner or later.
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let agreed = Agreed {
        callback: Some(held.local_addr().unwrap().port()),
        ..Agreed::default()
    };
    let terminal = Terminal::new("ciba-ping", 60, agreed);
    terminal.decide(Decision::Confirm);
    drop(held);
    let outcome = terminal.ciba_as_keycloak_wants_it();
    terminal.judge(&outcome);
    assert!(outcome.stderr.contains("listening for the callback"));
}

/// The token decrypts, as it does for itsme; what is encrypted is not taken without its key.
#[test]
fn what_keycloak_encrypts_is_decrypted_in_the_token() {
    let agreed = Agreed {
        encrypted: true,
        ..Agreed::default()
    };
    let mut terminal = Terminal::new("ciba-encrypted", 60, agreed);
    terminal.decide(Decision::Confirm);
    terminal.judge(&terminal.ciba_as_keycloak_wants_it());
    terminal.agreed.encrypted = false;
    let outcome = terminal.ciba_as_keycloak_wants_it();
    outcome.failed(1, "the id_token is encrypted; give the key");
}

#[test]
fn a_person_says_no() {
    let terminal = Terminal::new("ciba-no", 60, Agreed::default());
    for decision in [Decision::Refuse, Decision::Cancel] {
        terminal.decide(decision);
        let outcome = terminal.ciba_as_keycloak_wants_it();
        outcome.failed(1, "access_denied: the person, or the server, said no");
    }
}

#[test]
fn a_person_does_not_look() {
    let terminal = Terminal::new("ciba-silent", 3, Agreed::default());
    let outcome = terminal.ciba_as_keycloak_wants_it();
    outcome.failed(1, "waiting for the person to confirm");
    // By our clock or by Keycloak's, whichever is first.
    let words = ["the time is over", "expired_token"];
    assert!(
        words.iter().any(|it| outcome.stderr.contains(it)),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stdout, "");
}

#[test]
fn what_keycloak_refuses() {
    let terminal = Terminal::new("ciba-refused", 60, Agreed::default());
    terminal.decide(Decision::Confirm);
    let issuer = terminal.stage.issuer();
    let outcome = terminal.ciba("mallory", Some(&issuer));
    outcome.failed(1, "invalid_request");
    // itsme's audience for this endpoint is none of Keycloak's.
    terminal.ciba(PERSON, None).failed(1, "invalid_client");
    let asked = terminal.stage.keycloak.phones().asked(&issuer);
    assert!(asked.is_empty(), "nobody was asked: {asked:?}");
}

/// Time passes three times as fast for Keycloak: so it is Keycloak who says that the request has expired.
struct Slow(Duration);

impl Runtime for Slow {
    fn elapsed(&mut self) -> Duration {
        self.0
    }

    fn now(&mut self) -> Result<UnixTime, BaseError> {
        clock::now()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration * 3);
        self.0 += duration;
    }

    fn random(&mut self) -> Result<u64, BaseError> {
        Ok(0)
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn qr_code(&mut self, _: &QrImage) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        panic!("the person is known")
    }

    fn waiting(&mut self, _: State, _: Duration) {}
}

#[test]
fn keycloak_says_that_the_time_is_over() {
    let stage = realm("ciba-expired", 2);
    let key = client_key();
    register(&stage, &jwk_set(&[("2026-1", &key)]), Agreed::default());
    let (id, kid) = (ClientId::new(CLIENT).unwrap(), Kid::new("2026-1").unwrap());
    let client = SigningClient::with_kid(&ITSME, id, kid, SoftwareSigner::new(&key)).unwrap();
    let provider = Arc::new(stage.provider());
    let party = RelyingParty::new(Arc::new(client), stage.http.clone(), provider)
        .assertion(AssertionOptions::default().audience(stage.issuer()));
    let mut flow = Ciba::new(&party, Slow(Duration::ZERO));
    let mut asked = AuthenticationOptions::default();
    asked.scope = "openid service:TEST_LOGIN".to_owned();
    asked.user_identifier_token = PERSON.to_owned().into();
    let mut person = CibaFlow::begin(&asked);
    let done = flow.run(&mut person, None, None, &mut Nobody);
    let error = Error::from(done.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    let text = error.to_string();
    assert!(
        text.contains("expired_token: the person did not confirm"),
        "{text}"
    );
}
