//! The flow of itsme against a scripted provider, with a clock that goes only while nothing is done: when it
//! asks, when it stops, and what it says of a server that repeats what it was sent.

use core::time::Duration;
use std::collections::HashSet;

use privyseal::ciba::{Ciba, Delivery, QrImage, State, Timer, Tokens, Watcher};
use privyseal::client::AuthenticationOptions;
use privyseal::discovery::ProviderMetadata;
use privyseal::{AssertionOptions, Client, Error, Exit, Provider, UnixTime, clock};
use privyseal_core::ClientId;
use privyseal_core::kid::Kid;
use privyseal_core::scheme::ITSME;
use privyseal_host_tests::bad_server::{BadServer, Reply};
use privyseal_host_tests::pki::test_key;
use privyseal_host_tests::software_signer::SoftwareSigner;
use privyseal_host_tests::software_unwrapper::SoftwareUnwrapper;

use crate::stage::{LIMIT, everything, http, jwt, nothing_leaks};

/// What an authentication request is known by: too short to be taken for a token by its look.
const AUTH_REQ_ID: &str = "q7-Zk.4_w";

/// A clock that goes while the flow sleeps, and sees when the server was asked.
struct Played<'s> {
    server: &'s BadServer,
    elapsed: u64,
    /// In seconds, each request once.
    asked_at: Vec<u64>,
}

impl Played<'_> {
    fn look(&mut self) {
        let asked = self.server.requests().len();
        self.asked_at.resize(asked, self.elapsed);
    }
}

impl Timer for &mut Played<'_> {
    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.elapsed)
    }

    fn date(&self) -> Result<UnixTime, Error> {
        Ok(clock::now()?.saturating_add(self.elapsed))
    }

    fn sleep(&mut self, duration: Duration) {
        self.look();
        assert_eq!(
            duration,
            Duration::from_secs(1),
            "somebody is told each second"
        );
        self.elapsed += 1;
    }
}

/// Counts the states.
#[derive(Default)]
struct Patient(Vec<State>);

impl Watcher for Patient {
    fn qr_code(&mut self, _: &QrImage) -> Result<(), Error> {
        Ok(())
    }

    fn waiting(&mut self, state: State, _: Duration) {
        self.0.push(state);
    }
}

fn provider(server: &BadServer) -> Provider {
    let issuer = server.base_url();
    let metadata = metadata(&issuer);
    Provider::new(ProviderMetadata::from_bytes(&issuer, metadata.as_bytes()).unwrap())
}

/// What a provider like itsme says about itself.
pub(crate) fn metadata(issuer: &str) -> String {
    format!(
        r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token",
        "backchannel_authentication_endpoint":"{issuer}/backchannel/authentication"}}"#
    )
}

/// The provider has taken the request.
pub(crate) fn acknowledged(expires_in: u64, interval: u64) -> Reply {
    let body = format!(
        r#"{{"auth_req_id":"{AUTH_REQ_ID}","expires_in":{expires_in},"interval":{interval}}}"#
    );
    Reply::json("200 OK", &body)
}

fn not_yet(error: &str) -> Reply {
    Reply::json("400 No", &format!(r#"{{"error":"{error}"}}"#))
}

/// Plays `step` against the server; gives its outcome, and when the server was asked.
fn play<O>(
    server: &BadServer,
    step: impl FnOnce(&mut Ciba<'_, SoftwareSigner, SoftwareUnwrapper, &mut Played<'_>>) -> O,
) -> (O, Vec<u64>) {
    let mut timer = Played {
        server,
        elapsed: 0,
        asked_at: Vec::new(),
    };
    let (http, mut provider) = (http(server.certificate(), LIMIT), provider(server));
    let (id, kid) = (ClientId::new("partner").unwrap(), Kid::new("k1").unwrap());
    let signer = SoftwareSigner::new(&test_key("seal", 2048));
    let mut client = Client::with_kid(&ITSME, id, kid, signer).unwrap();
    let outcome = step(&mut Ciba {
        http: &http,
        client: &mut client,
        provider: &mut provider,
        unwrapper: None,
        timer: &mut timer,
        assertion: AssertionOptions::default(),
    });
    timer.look();
    (outcome, timer.asked_at)
}

/// From the request to the tokens.
fn authenticated(server: &BadServer) -> (Result<Tokens, Error>, Vec<u64>) {
    let asked = AuthenticationOptions {
        scope: "openid service:TEST".to_owned(),
        user_identifier_token: "somebody".to_owned().into(),
        ..AuthenticationOptions::default()
    };
    play(server, |flow| {
        let pending = flow.authenticate(&asked, &Delivery::Poll)?;
        flow.tokens(pending, &Delivery::Poll, &mut Patient::default())
    })
}

#[test]
fn never_faster_than_the_interval_whatever_the_server_says() {
    let tokens = r#"{"access_token":"a","token_type":"Bearer","id_token":"x.y.z"}"#;
    let server = BadServer::start(vec![
        acknowledged(180, 2),
        not_yet("authorization_pending"),
        not_yet("slow_down"),
        not_yet("authorization_pending"),
        Reply::busy("429 Busy", "30"),
        Reply::json("503 Trouble", "{}"),
        Reply::Close,
        Reply::json("200 OK", tokens),
    ]);
    let (outcome, asked_at) = authenticated(&server);
    outcome.unwrap();
    // 2 s, then 5 more for good; 5 more and the server's 30; twice and four times the interval of 12.
    assert_eq!(asked_at, [0, 2, 4, 11, 18, 48, 72, 120]);
}

#[test]
fn a_session_that_nobody_scans_is_given_up_after_ten_minutes() {
    let pending =
        r#"{"user_discovery_session_id":"s","status":"PENDING_USER_DISCOVERY","interval":45}"#;
    let server = BadServer::start(vec![Reply::json("200 OK", pending)]);
    let mut watcher = Patient::default();
    let (outcome, asked_at) = play(&server, |flow| flow.discover_user(&mut watcher).map(drop));
    let error = outcome.unwrap_err();
    assert!(
        matches!(
            error,
            Error::TimedOut {
                state: State::Discovery
            }
        ),
        "{error}"
    );
    let expected: Vec<u64> = (0..600).step_by(45).collect();
    assert_eq!(asked_at, expected);
    assert_eq!(watcher.0.len(), 600, "told each second");
    assert!(watcher.0.iter().all(|state| *state == State::Discovery));
}

#[test]
fn an_authentication_ends_when_the_server_said_it_would() {
    let mut replies = vec![acknowledged(20, 6)];
    replies.resize(4, not_yet("authorization_pending"));
    let server = BadServer::start(replies);
    let (outcome, asked_at) = authenticated(&server);
    let error = outcome.unwrap_err();
    assert!(
        matches!(
            error,
            Error::TimedOut {
                state: State::Authentication
            }
        ),
        "{error}"
    );
    assert_eq!(asked_at, [0, 6, 12, 18]);
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    let server = BadServer::start(vec![
        acknowledged(600, 2),
        Reply::Close,
        Reply::Close,
        Reply::Close,
        not_yet("authorization_pending"),
    ]);
    let (outcome, asked_at) = authenticated(&server);
    assert_eq!(outcome.unwrap_err().exit(), Exit::Server);
    assert_eq!(asked_at, [0, 2, 6, 14]);
}

/// However short, and also as an error code.
#[test]
fn nothing_that_was_sent_is_repeated() {
    let named = |code: &str| {
        let body = format!(r#"{{"error":"{code}","error_description":"no {AUTH_REQ_ID}, no"}}"#);
        Reply::json("400 No", &body)
    };
    for reply in [
        Reply::Echo(400),
        Reply::Echo(401),
        Reply::Echo(200),
        named("invalid_grant"),
        named(AUTH_REQ_ID),
    ] {
        for replies in [
            vec![reply.clone()],
            vec![acknowledged(60, 1), reply.clone()],
        ] {
            let server = BadServer::start(replies);
            let (outcome, _) = authenticated(&server);
            let error = outcome.unwrap_err();
            let text = everything(&error);
            if server.requests().len() > 1 {
                assert!(!text.contains(AUTH_REQ_ID), "{reply:?}: {text}");
                assert!(text.contains("token left out"), "{reply:?}: {text}");
            }
            assert_eq!(error.exit(), Exit::Refused, "{text}");
            nothing_leaks(&text, &server);
        }
    }
}

/// Each request has an assertion of its own, and a caller's audience counts for all of them but the signed
/// request, which is for the issuer.
#[test]
fn a_given_audience_is_that_of_every_assertion() {
    for given in [None, Some("https://as.example")] {
        let server = BadServer::start(vec![acknowledged(60, 1), not_yet("access_denied")]);
        let asked = AuthenticationOptions {
            scope: "openid service:TEST".to_owned(),
            user_identifier_token: "somebody".to_owned().into(),
            ..AuthenticationOptions::default()
        };
        let (outcome, _) = play(&server, |flow| {
            flow.assertion.audience = given.map(str::to_owned);
            let pending = flow.authenticate(&asked, &Delivery::Poll)?;
            flow.tokens(pending, &Delivery::Poll, &mut Patient::default())
        });
        outcome.unwrap_err();
        let issuer = server.base_url();
        let itsmes = format!("{issuer}/token");
        let expected = given.unwrap_or(&itsmes);
        let mut jtis = HashSet::new();
        for request in server.requests() {
            let claims = jwt(&request, "client_assertion=");
            assert_eq!(claims["aud"], expected);
            jtis.insert(claims["jti"].to_string());
        }
        assert_eq!(jtis.len(), 2);
        assert_eq!(jwt(&server.requests()[0], "request=")["aud"], issuer);
    }
}
