//! A source of tokens before a server that is busy, gone or flapping: what is tried again, how often, after
//! which pause, and with an assertion that was never used before. Pauses cost nothing here, and the dice are
//! known.

use core::time::Duration;
use std::cell::RefCell;
use std::collections::HashSet;

use privyseal::base::BaseError;
use privyseal::base::runtime::Runtime;
use privyseal::{AssertionOptions, Error, TokenSource, UnixTime};
use privyseal_test_servers::bad_server::{BadServer, Reply, Site};

use crate::stage::{LIMIT, everything, http, jwt, minter, nothing_leaks};

/// What the dice show, in milliseconds of a pause.
const DICE: u64 = 7;

/// Where time passes by pauses only, and something happens at the end of the first.
#[derive(Default)]
struct Played<'a> {
    elapsed: Duration,
    pauses: RefCell<Vec<u64>>,
    at_first_pause: Option<Box<dyn FnOnce() + 'a>>,
}

impl Runtime for &mut Played<'_> {
    fn now(&mut self) -> Result<UnixTime, BaseError> {
        Ok(privyseal::base::clock::now()?.saturating_add(self.elapsed.as_secs()))
    }

    fn elapsed(&mut self) -> Duration {
        self.elapsed
    }

    fn pause(&mut self, duration: Duration) {
        self.elapsed += duration;
        let milliseconds = u64::try_from(duration.as_millis()).unwrap();
        self.pauses.borrow_mut().push(milliseconds);
        if let Some(happens) = self.at_first_pause.take() {
            happens();
        }
    }

    fn random(&mut self) -> Result<u64, BaseError> {
        Ok(DICE)
    }
}

fn granted() -> Reply {
    let token = r#"{"access_token":"a","token_type":"Bearer","expires_in":360}"#;
    Reply::json("200 OK", token)
}

/// One token, or why there is none.
fn ask(server: &str, trust: &[u8], runtime: &mut Played<'_>) -> Result<String, Error> {
    let base = server.parse().unwrap();
    let options = AssertionOptions::default();
    let source = TokenSource::with_runtime(http(trust, LIMIT), base, options, runtime);
    let token = source.token(&minter());
    Ok(token?.expose().to_owned())
}

/// Each assertion that the server saw, by its `jti`.
fn jtis(server: &BadServer) -> HashSet<String> {
    let requests = server.requests();
    let jtis = requests.iter().map(|request| {
        let jti = &jwt(request, "client_assertion=")["jti"];
        jti.as_str().unwrap().to_owned()
    });
    jtis.collect()
}

/// Replies in turn, the pauses between the tries in milliseconds, and how it ends.
type Case = (Vec<Reply>, &'static [u64], Result<(), &'static str>);

#[test]
fn what_is_tried_again_and_what_is_not() {
    let busy = |seconds| Reply::busy("429 Busy", seconds);
    let trouble = || Reply::json("503 Trouble", "{}");
    let no = |status| Reply::json(status, r#"{"error":"invalid_client"}"#);
    let cases: [Case; 12] = [
        (vec![granted()], &[], Ok(())),
        (vec![busy("7"), granted()], &[7007], Ok(())),
        (vec![trouble(), trouble(), granted()], &[7, 7], Ok(())),
        (
            vec![busy("2"), trouble(), busy("0"), granted()],
            &[2007, 7, 7],
            Ok(()),
        ),
        // Four tries, and no more.
        (vec![trouble()], &[7, 7, 7], Err("given up after 4 tries")),
        (
            vec![busy("3")],
            &[3007, 3007, 3007],
            Err("given up after 4"),
        ),
        (vec![busy("21")], &[], Err("asks to wait 21 s")),
        // What is refused will be refused again.
        (vec![no("401 No"), granted()], &[], Err("invalid_client")),
        (vec![no("400 No"), granted()], &[], Err("invalid_client")),
        (
            vec![Reply::json("500 Broken", "{}"), granted()],
            &[],
            Err("internal error"),
        ),
        // Nobody knows what the server has done.
        (vec![Reply::Close, granted()], &[], Err("it broke off")),
        (vec![trouble(), Reply::Close], &[7], Err("it broke off")),
    ];
    for (replies, pauses, end) in cases {
        let case = format!("{replies:?}");
        let server = BadServer::start(replies);
        let mut runtime = Played::default();
        let outcome = ask(&server.base_url(), server.certificate(), &mut runtime);
        match (outcome, end) {
            (Ok(token), Ok(())) => assert_eq!(token, "a"),
            (Err(error), Err(words)) => {
                assert!(error.to_string().contains(words), "{case}: {error}");
                nothing_leaks(&everything(&error), &server);
            }
            (outcome, _) => panic!("{case}: {outcome:?}"),
        }
        assert_eq!(*runtime.pauses.borrow(), pauses, "{case}");
        let tries = pauses.len() + 1;
        assert_eq!(server.requests().len(), tries, "{case}");
        assert_eq!(jtis(&server).len(), tries, "a new jti each time: {case}");
    }
}

/// Each try is for the same scope; a source without one asks for none.
#[test]
fn a_source_of_tokens_of_a_scope() {
    for scope in [None, Some("openid profile")] {
        let server = BadServer::start(vec![Reply::busy("429 Busy", "0"), granted()]);
        let base = server.base_url().parse().unwrap();
        let http = http(server.certificate(), LIMIT);
        let mut runtime = Played::default();
        let source =
            TokenSource::with_runtime(http, base, AssertionOptions::default(), &mut runtime);
        let source = match scope {
            Some(scope) => source.with_scope(scope),
            None => source,
        };
        source.token(&minter()).unwrap();
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert_eq!(request.contains("scope=openid%20profile"), scope.is_some());
            assert_eq!(request.contains("scope="), scope.is_some());
        }
    }
}

/// Nobody listens until the first pause is over.
#[test]
fn a_server_that_comes_back() {
    let site = Site::new("127.0.0.1").closed();
    let (base_url, trust) = (site.base_url(), site.certificate().to_vec());
    let server = RefCell::new(None);
    let mut runtime = Played {
        at_first_pause: Some(Box::new(|| {
            *server.borrow_mut() = Some(site.open(vec![granted()]));
        })),
        ..Played::default()
    };
    assert_eq!(ask(&base_url, &trust, &mut runtime).unwrap(), "a");
    assert_eq!(*runtime.pauses.borrow(), [DICE]);
    drop(runtime);
    assert_eq!(jtis(&server.take().unwrap()).len(), 1);

    // And one that does not.
    let site = Site::new("127.0.0.1").closed();
    let mut runtime = Played::default();
    let error = ask(&site.base_url(), site.certificate(), &mut runtime).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no connection"), "{text}");
    assert!(text.contains("given up after 4 tries"), "{text}");
}

/// A source outlives its server's moods, and asks no more often than it must.
#[test]
fn a_source_keeps_what_it_got_from_a_server_that_flaps() {
    let mut replies = vec![granted(), Reply::json("503 Trouble", "{}")];
    replies.push(Reply::Close);
    let server = BadServer::start(replies);
    let base = server.base_url().parse().unwrap();
    let http = http(server.certificate(), LIMIT);
    let mut runtime = Played::default();
    let source = TokenSource::with_runtime(http, base, AssertionOptions::default(), &mut runtime);
    let client = minter();
    for round in 1..=2 {
        for _ in 0..3 {
            source.token(&client).unwrap();
        }
        assert_eq!(server.requests().len(), 3 * round - 2, "it was kept");
        source.forget();
        source.token(&client).unwrap_err();
        assert_eq!(server.requests().len(), 3 * round, "503, then no answer");
    }
    assert_eq!(jtis(&server).len(), 6);
}
