//! Each request of the flow against a server that misbehaves at that one, after it was good before.

use core::time::Duration;
use std::net::TcpListener;
use std::thread;

use privyseal::http::HttpCause;
use privyseal::oidc::ciba::Identity;
use privyseal::{Error, ErrorKind};
use privyseal_test_servers::bad_server::{BadServer, Reply};

use super::good;
use super::play::{Flow, Patient, Setting, acknowledged, discover, identity, metadata, tokens};
use crate::stage::{BEARER, LIMIT, cause, everything, nothing_leaks};

/// Where waiting is what is tested.
const SHORT: Duration = Duration::from_millis(700);

/// A request of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Session,
    SessionPoll,
    Backchannel,
    Token,
    Jwks,
    UserInfo,
}

impl Step {
    pub(crate) const ALL: [Self; 6] = [
        Self::Session,
        Self::SessionPoll,
        Self::Backchannel,
        Self::Token,
        Self::Jwks,
        Self::UserInfo,
    ];

    /// What a good server says before it.
    pub(crate) fn begun(self, issuer: &str) -> Vec<Reply> {
        let mut replies = match self {
            Self::Session => vec![],
            Self::SessionPoll => vec![good::pending()],
            _ => vec![acknowledged(600, 1), good::tokens(issuer), good::jwks()],
        };
        match self {
            Self::Backchannel => replies.clear(),
            Self::Token => replies.truncate(1),
            Self::Jwks => replies.truncate(2),
            Self::Session | Self::SessionPoll | Self::UserInfo => {}
        }
        replies
    }

    /// Whether a server that is away for a while is asked again.
    const fn is_polled(self) -> bool {
        matches!(self, Self::SessionPoll | Self::Token)
    }

    /// The name of its endpoint in the metadata.
    const fn endpoint(self) -> Option<&'static str> {
        match self {
            Self::Session | Self::SessionPoll => None,
            Self::Backchannel => Some("backchannel_authentication_endpoint"),
            Self::Token => Some("token_endpoint"),
            Self::Jwks => Some("jwks_uri"),
            Self::UserInfo => Some("userinfo_endpoint"),
        }
    }

    /// From the start to this request and as far as it goes from there.
    fn run(self, flow: &mut Flow<'_, '_>) -> Result<Option<Identity>, Error> {
        if matches!(self, Self::Session | Self::SessionPoll) {
            return discover(flow, &mut Patient::default()).map(|()| None);
        }
        let person = tokens(flow)?;
        let mut identity = identity(flow, person, true)?;
        // The id_token counts all the same.
        assert_eq!(identity.subject(), good::SUBJECT);
        match identity.userinfo_error.take() {
            Some(error) => Err(error.into()),
            None => Ok(Some(identity)),
        }
    }
}

const SERVER: &[ErrorKind] = &[ErrorKind::Server];
const EITHER: &[ErrorKind] = &[ErrorKind::Server, ErrorKind::Refused];

/// Every step against a server that replies so from then on, all at once; each fails, with one of these exit
/// codes, and says `words`.
fn each_fails(reply: &Reply, words: &str, exits: &[ErrorKind]) {
    thread::scope(|scope| {
        for step in Step::ALL {
            scope.spawn(move || fails(step, reply, words, exits));
        }
    });
}

fn fails(step: Step, reply: &Reply, words: &str, exits: &[ErrorKind]) {
    let server = BadServer::at_home(|issuer| {
        let mut replies = step.begun(issuer);
        replies.resize(replies.len() + 12, reply.clone());
        replies
    });
    let setting = Setting {
        limit: if waits(reply) { SHORT } else { LIMIT },
        ..Setting::usual(&server)
    };
    let (outcome, ..) = setting.play(|flow| step.run(flow));
    let error = outcome.expect_err("no such answer is accepted");
    let text = everything(&error);
    assert!(text.contains(words), "{step:?} {reply:?}: {text}");
    assert!(exits.contains(&error.kind()), "{step:?} {reply:?}: {text}");
    assert!(!error.to_string().contains('\n'), "one line: {text}");
    nothing_leaks(&text, &server);
    assert!(!text.contains("eyJ"), "a token is in: {text}");
    // Once, but for polls that may be luckier. A server that is busy with one does not see the next.
    let asked = server.requests().len() - step.begun("").len();
    let tries = match step {
        // Read, and read again.
        Step::UserInfo => 4,
        // They are waited for; then what is known without them is asked for.
        Step::Jwks => 12,
        step if step.is_polled() => 3,
        _ => 1,
    };
    assert!(
        (1..=tries).contains(&asked),
        "{step:?} {reply:?}: {asked} requests"
    );
}

const fn waits(reply: &Reply) -> bool {
    matches!(reply, Reply::Silence | Reply::Drip)
}

/// What makes the rest believable: with good answers there is an identity.
#[test]
fn good_answers_at_every_step() {
    let server = BadServer::at_home(|issuer| {
        let mut replies = Step::UserInfo.begun(issuer);
        replies.push(Reply::json("200 OK", good::USERINFO));
        replies
    });
    let (outcome, ..) = Setting::usual(&server).play(|flow| Step::UserInfo.run(flow));
    let identity = outcome.unwrap().unwrap();
    assert_eq!(identity.subject(), good::SUBJECT);
    assert_eq!(identity.userinfo.unwrap()["name"], "J");
    let server = BadServer::start(vec![good::pending(), good::pending(), good::discovered()]);
    let (outcome, ..) = Setting::usual(&server).play(|flow| Step::SessionPoll.run(flow));
    outcome.unwrap();
}

#[test]
fn silence_and_one_byte_a_second() {
    thread::scope(|scope| {
        for reply in [Reply::Silence, Reply::Drip] {
            scope.spawn(move || each_fails(&reply, "no complete answer in time", SERVER));
        }
    });
}

#[test]
fn a_connection_that_breaks_off_and_one_that_does_not_come_about() {
    each_fails(&Reply::Close, "no connection, or it broke off", SERVER);
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("https://{}/x", listener.local_addr().unwrap())
    };
    for step in Step::ALL {
        let Some(endpoint) = step.endpoint() else {
            continue;
        };
        let server = BadServer::at_home(|issuer| {
            let mut replies = step.begun(issuer);
            replies.push(acknowledged(1, 1));
            replies
        });
        let mut said: serde_json::Value =
            serde_json::from_str(&metadata(&server.base_url())).unwrap();
        said[endpoint] = nobody.clone().into();
        let setting = Setting {
            metadata: said.to_string(),
            ..Setting::usual(&server)
        };
        let (outcome, asked_at, _) = setting.play(|flow| step.run(flow));
        let error = outcome.unwrap_err();
        assert_eq!(cause(&error), Some(HttpCause::Connection), "{step:?}");
        // UserInfo may be known without keys.
        let more = usize::from(step == Step::Jwks);
        assert_eq!(asked_at.len(), step.begun("").len() + more, "{step:?}");
        assert!(!everything(&error).contains(BEARER), "{step:?}");
    }
}

#[test]
fn lies() {
    for (kind, body) in [
        ("text/html", "<html>500</html>"),
        ("application/json", ""),
        ("application/json", "{}"),
        ("application/json", "[]"),
        ("application/json", "null"),
        (
            "application/json",
            r#"{"status":1,"auth_req_id":1,"keys":1,"sub":1}"#,
        ),
        ("application/jwt", "a.b.c"),
        ("application/octet-stream", "\u{0}\u{1}"),
    ] {
        each_fails(&Reply::of_type("200 OK", kind, body), "", EITHER);
    }
}

/// Success by its status, refusal by its body.
#[test]
fn a_refusal_with_status_200() {
    let body = r#"{"error":"invalid_token","error_description":"not you"}"#;
    each_fails(&Reply::json("200 OK", body), "", EITHER);
    let reply = Reply::json("200 OK", body);
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Jwks) {
        fails(
            step,
            &reply,
            "the server says: not you",
            &[ErrorKind::Refused],
        );
    }
}

#[test]
fn a_body_without_end_and_one_that_announces_a_terabyte() {
    each_fails(&Reply::Endless, "larger than", SERVER);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n{".to_owned();
    each_fails(&Reply::Raw(head), "https://127.0.0.1", SERVER);
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let elsewhere = BadServer::start(vec![Reply::json("200 OK", "{}")]);
    let target = elsewhere.base_url();
    for status in [302, 307] {
        let reply = format!(
            "HTTP/1.1 {status} Go\r\nLocation: {target}/x?token={BEARER}\r\nContent-Length: 0\r\n\r\n"
        );
        each_fails(
            &Reply::Raw(reply),
            "a redirect, which is not followed",
            SERVER,
        );
    }
    assert!(elsewhere.requests().is_empty(), "nothing goes elsewhere");
}

#[test]
fn a_refusal_that_repeats_what_it_was_sent() {
    for status in [400, 401, 403, 500] {
        let reply = &Reply::Echo(status);
        thread::scope(|scope| {
            // For the keys, nothing is sent that could be repeated.
            for step in Step::ALL.into_iter().filter(|step| *step != Step::Jwks) {
                scope.spawn(move || fails(step, reply, "token left out", EITHER));
            }
        });
    }
}
