//! CIBA against a server that wants to be asked less often, is away for a while, or never is done: when it
//! asks, when it stops, and what it says of a server that repeats what it was sent.

mod before;
mod by_command;
mod good;
mod lost_ping;
mod play;
mod signed_userinfo;
mod steps;

use core::time::Duration;
use std::collections::HashSet;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::base::seal::SealKey;
use privyseal::http::{HttpCause, RetryPolicy};
use privyseal::jose::jwe::{ContentEncryption, Recipient};
use privyseal::jose::jwk::{JwkSetBuilder, KidChoice};
use privyseal::oidc::ciba::{CibaError, CibaFlow, State};
use privyseal::{Error, ErrorKind};
use privyseal_core::KeyEncryption;
use privyseal_test_pki::test_key;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use serde_json::Value;

use crate::stage::{cause, everything, jwt, nothing_leaks};
use play::{AUTH_REQ_ID, Patient, Setting, authenticated, discover, not_yet, play};

pub(crate) use good::{jwks, jwks_of, signed, signed_by};
pub(crate) use play::{acknowledged, metadata};

/// The person has confirmed, and the provider's keys are out of reach: for a while, or for good.
#[test]
fn keys_that_are_out_of_reach_cost_no_confirmed_login() {
    let broken = |status| Reply::json(status, "{}");
    let userinfo = || Reply::json("200 OK", good::USERINFO);
    let play = |retry: RetryPolicy, after: Vec<Reply>, userinfo| {
        let server = BadServer::at_home(|issuer| {
            [vec![acknowledged(600, 1), good::tokens(issuer)], after].concat()
        });
        let setting = Setting {
            retry,
            limit: Duration::from_secs(60),
            ..Setting::usual(&server)
        };
        let (outcome, ..) = setting.play(|flow| {
            let person = play::tokens(flow)?;
            play::identity(flow, person, userinfo)
        });
        (outcome, server.requests().len())
    };
    let patient = RetryPolicy::default().first_pause(Duration::from_millis(5));
    let replies = vec![broken("500 Broken"), broken("504 Late"), jwks(), userinfo()];
    let identity = play(patient, replies, true).0.unwrap();
    assert!(identity.id_token_error.is_none() && identity.id_token.is_some());
    assert_eq!(identity.userinfo.unwrap()["name"], "J");

    // As patient as with keys that lag behind.
    let replies = vec![
        broken("404 No"),
        broken("503 Busy"),
        Reply::Close,
        jwks(),
        userinfo(),
    ];
    let identity = play(RetryPolicy::NEVER, replies, true).0.unwrap();
    assert!(identity.id_token.is_some());

    let late = || vec![broken("403 No"), userinfo()];
    let identity = play(RetryPolicy::NEVER, late(), true).0.unwrap();
    assert_eq!(identity.subject(), good::SUBJECT);
    assert!(identity.id_token.is_none());
    let error = identity.id_token_error.unwrap().to_string();
    assert!(error.contains("/jwks: HTTP 403"), "{error}");

    // Who wants no UserInfo gets none.
    let (outcome, asked) = play(RetryPolicy::NEVER, late(), false);
    assert!(outcome.unwrap_err().to_string().contains("/jwks: HTTP 403"));
    assert_eq!(asked, 3);
}

/// The provider signs with a new key while a cache still shows the old set: for a minute, or for good.
#[test]
fn keys_that_lag_behind_cost_no_confirmed_login() {
    for (lag, is_good) in [(7, true), (8, false)] {
        let server = BadServer::at_home(|issuer| {
            let mut replies = vec![acknowledged(600, 1), good::tokens(issuer)];
            replies.resize(2 + lag, jwks_of("op-0"));
            [replies, vec![jwks()]].concat()
        });
        let (outcome, asked_at, over) = Setting::usual(&server).play(|flow| {
            let person = play::tokens(flow)?;
            play::identity(flow, person, false)
        });
        match outcome {
            Ok(identity) => assert_eq!(identity.subject(), good::SUBJECT),
            Err(error) => {
                let is_unknown = error
                    .to_string()
                    .contains("is not in the provider's key set");
                assert!(is_unknown && !is_good, "{error}");
            }
        }
        assert_eq!(asked_at, [0, 1, 1, 2, 4, 8, 16, 32, 64, 96]);
        assert_eq!(over, 96);
    }
}

/// What one provider gave is not sent to another, whoever opens the stored flow.
#[test]
fn a_stored_flow_is_for_its_provider_alone() {
    let first = BadServer::at_home(|issuer| {
        vec![
            good::discovered(),
            acknowledged(600, 1),
            good::tokens(issuer),
        ]
    });
    let key = SealKey::generate().unwrap();
    let (stored, _) = play(&first, |ciba| {
        let mut asked = play::asked();
        asked.user_identifier_token = String::new().into();
        let mut flow = CibaFlow::begin(&asked);
        let states = [State::Authentication, State::Tokens];
        states.map(|until| {
            let mut seen = Patient::default();
            ciba.run(&mut flow, Some(until), None, &mut seen).unwrap();
            flow.seal(&key, b"").unwrap()
        })
    });
    for sealed in stored {
        let other = BadServer::start(vec![Reply::Close]);
        let mut flow = CibaFlow::open(&sealed, &key, b"").unwrap();
        let (outcome, _) = play(&other, |ciba| {
            ciba.run(&mut flow, None, None, &mut Patient::default())
        });
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("begun at another provider"), "{error}");
        assert!(other.requests().is_empty());
    }
}

/// The provider replaced its encryption key after the person was asked: it is read again, once, and where it is the same
/// the refusal counts.
#[test]
fn an_encryption_key_that_is_replaced_costs_no_login() {
    let set = |key: &str, kid: &str| {
        let mut set = JwkSetBuilder::default();
        let (kid, key) = (KidChoice::Given(kid.to_owned()), test_key(key, 2048));
        set.add_encryption(&key.public_key(), &kid, None).unwrap();
        set.to_json().to_string()
    };
    let (old, new) = (set("seal", "old"), set("opening", "new"));
    let recipient = |set: &str| {
        let (algorithm, content) = (KeyEncryption::RsaOaep, ContentEncryption::A128CbcHs256);
        Recipient::of(set.as_bytes(), algorithm, content).unwrap()
    };
    for (published, is_good, asked) in [(&new, true, 5), (&old, false, 3)] {
        let server = BadServer::at_home(|issuer| {
            let refused = Reply::json("401 No", r#"{"error":"invalid_client"}"#);
            let set = Reply::json("200 OK", published);
            let pending = not_yet("authorization_pending");
            vec![
                acknowledged(600, 1),
                refused,
                set,
                pending,
                good::tokens(issuer),
            ]
        });
        let setting = Setting {
            recipient: recipient(&old),
            ..Setting::usual(&server)
        };
        let (outcome, ..) = setting.play(play::tokens);
        assert_eq!(outcome.is_ok(), is_good, "{outcome:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), asked, "the new key is kept");
        let kid = |at: usize| {
            let assertion = requests[at].split("client_assertion=").nth(1).unwrap();
            let head = assertion.split('.').next().unwrap();
            let head = Base64UrlUnpadded::decode_vec(head).unwrap();
            serde_json::from_slice::<Value>(&head).unwrap()["kid"].clone()
        };
        assert_eq!(kid(1), "old");
        if is_good {
            assert_eq!([kid(3), kid(4)], ["new", "new"]);
        }
    }
}

/// The id_token is optional; where there is none, and UserInfo is not to be asked, nobody says who it was.
#[test]
fn without_userinfo_it_is_not_asked() {
    let tokens = r#"{"access_token":"a","token_type":"Bearer"}"#;
    let server = BadServer::start(vec![acknowledged(600, 1), Reply::json("200 OK", tokens)]);
    let (outcome, ..) = Setting::usual(&server).play(|flow| {
        let person = play::tokens(flow)?;
        play::identity(flow, person, false)
    });
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("id_token is missing"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn never_faster_than_the_interval_whatever_the_server_says() {
    let tokens = r#"{"access_token":"a","token_type":"Bearer","id_token":"x.y.z"}"#;
    let server = BadServer::start(vec![
        acknowledged(600, 2),
        not_yet("authorization_pending"),
        not_yet("slow_down"),
        not_yet("authorization_pending"),
        Reply::busy("429 Busy", "30"),
        Reply::json("503 Trouble", "{}"),
        Reply::Close,
        not_yet("authorization_pending"),
        Reply::busy("503 Trouble", "100"),
        Reply::json("200 OK", tokens),
    ]);
    let setting = |dice| Setting {
        dice,
        ..Setting::usual(&server)
    };
    let (outcome, asked_at, _) = setting(0).play(play::tokens);
    outcome.unwrap();
    // 2 s, then 5 more for good; 5 more and the server's 30; twice and four times the interval of 12; 12; the
    // server's 100.
    let expected = [0, 2, 4, 11, 18, 48, 72, 120, 132, 232];
    assert_eq!(asked_at, expected);

    // What comes after trouble comes later by chance, up to one interval; what is waited for does not.
    let (outcome, asked_at, _) = setting(3000).play(play::tokens);
    outcome.unwrap();
    let later = [0, 0, 0, 0, 0, 0, 3, 6, 6, 9];
    let expected = expected.iter().zip(later).map(|(at, more)| at + more);
    assert_eq!(asked_at[10..], expected.collect::<Vec<_>>());
}

/// itsme names its interval in each answer, also to those who came too soon.
#[test]
fn user_discovery_stays_slowed_down() {
    let pending =
        r#"{"user_discovery_session_id":"s","status":"PENDING_USER_DISCOVERY","interval":1}"#;
    let server = BadServer::start(vec![
        Reply::json("200 OK", pending),
        Reply::busy("429 Slow", "1"),
        Reply::json("200 OK", pending),
        Reply::json("200 OK", pending),
        Reply::busy("503 Busy", "30"),
        not_yet("access_denied"),
    ]);
    let (outcome, asked_at) = play(&server, |flow| discover(flow, &mut Patient::default()));
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(asked_at, [0, 1, 7, 13, 19, 49]);
}

/// What a server says that it has not begun is sent again, after the pause that it asks for, with an assertion
/// (and a signed request) that is new.
#[test]
fn a_server_that_is_busy_at_first() {
    let busy = || [Reply::busy("429 Busy", "1"), Reply::busy("503 Busy", "1")].to_vec();
    let server = BadServer::start([busy(), vec![good::discovered()]].concat());
    let (outcome, asked_at) = play(&server, |flow| discover(flow, &mut Patient::default()));
    outcome.unwrap();
    assert_eq!(asked_at, [0, 1, 2]);
    assert_eq!(jtis(&server, "client_assertion=").len(), 3);

    let server = BadServer::at_home(|issuer| {
        [busy(), vec![acknowledged(20, 1), good::tokens(issuer)]].concat()
    });
    let (outcome, asked_at) = authenticated(&server);
    outcome.unwrap();
    assert_eq!(asked_at, [0, 1, 2, 3]);
    assert_eq!(jtis(&server, "client_assertion=").len(), 4);
    assert_eq!(jtis(&server, "request=").len(), 3);

    let server = BadServer::start(vec![Reply::busy("503 Busy", "3600")]);
    let (outcome, asked_at) = authenticated(&server);
    let text = everything(&outcome.err().unwrap());
    assert!(text.contains("the server asks to wait 3600 s"), "{text}");
    assert_eq!(asked_at, [0]);
}

/// The jtis of what was sent under that name.
fn jtis(server: &BadServer, name: &str) -> HashSet<String> {
    let requests = server.requests();
    let sent = requests.iter().filter(|request| request.contains(name));
    sent.map(|request| jwt(request, name)["jti"].to_string())
        .collect()
}

/// A name that is not found may be found a moment later.
#[test]
fn a_name_that_is_not_found_is_looked_up_again() {
    let server = BadServer::start(vec![acknowledged(600, 2)]);
    let issuer = server.base_url();
    // Longer than a label may be, so that nobody is asked for it.
    let token_endpoint = format!("https://{}.invalid/token", "x".repeat(70));
    let setting = Setting {
        metadata: metadata(&issuer).replace(&format!("{issuer}/token"), &token_endpoint),
        ..Setting::usual(&server)
    };
    let (outcome, asked_at, over) = setting.play(play::tokens);
    let error = outcome.unwrap_err();
    assert_eq!(cause(&error), Some(HttpCause::HostNotFound), "{error:?}");
    assert_eq!((asked_at.as_slice(), over), (&[0][..], 14), "2 s, 4, and 8");
}

#[test]
fn a_session_that_nobody_scans_is_given_up_after_ten_minutes() {
    let pending =
        r#"{"user_discovery_session_id":"s","status":"PENDING_USER_DISCOVERY","interval":45}"#;
    let server = BadServer::start(vec![Reply::json("200 OK", pending)]);
    let mut watcher = Patient::default();
    let (outcome, asked_at) = play(&server, |flow| discover(flow, &mut watcher));
    let error = outcome.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Ciba(CibaError::TimedOut {
                state: State::Discovery
            })
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
            Error::Ciba(CibaError::TimedOut {
                state: State::Authentication
            })
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
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Server);
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
            assert_eq!(error.kind(), ErrorKind::Refused, "{text}");
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
        let mut setting = Setting::usual(&server);
        setting.assertion.audience = given.map(str::to_owned);
        let (outcome, ..) = setting.play(play::tokens);
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
