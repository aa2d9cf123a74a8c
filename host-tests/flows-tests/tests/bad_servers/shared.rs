//! One source of tokens for many threads: one request is under way, and all get what comes of it.

use core::time::Duration;
use std::sync::Barrier;
use std::thread;

use privyseal::oauth::OAuthError;
use privyseal::{AssertionOptions, Client, RetryPolicy, Server, TokenSource};
use privyseal_test_servers::bad_server::{BadServer, Reply};

use crate::stage::{LIMIT, http, minter};

const THREADS: usize = 8;

fn granted(token: &str, expires_in: u64) -> Reply {
    let token =
        format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{expires_in}}}"#);
    Reply::json("200 OK", &token)
}

/// What as many threads get that ask at the same time.
fn at_once<T: Send>(ask: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let ask = || {
            start.wait();
            ask()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
        let answers = threads.into_iter().map(|thread| thread.join().unwrap());
        answers.collect()
    })
}

#[test]
fn many_threads_cost_one_request() {
    let server = BadServer::start(vec![granted("first", 360), granted("second", 360)]);
    let client = Client::from_source(Box::new(minter()), http(server.certificate(), LIMIT));
    let fiam = Server::new(server.base_url().parse().unwrap());
    for (token, requests) in [("first", 1), ("second", 2)] {
        for _ in 0..2 {
            // A clone shares what there is.
            let answers = at_once(|| client.clone().token(&fiam).unwrap());
            assert!(answers.iter().all(|answer| answer.expose() == token));
        }
        assert_eq!(server.requests().len(), requests);
        client.forget_token(&fiam);
    }
}

#[test]
fn each_server_and_scope_has_its_token() {
    let server = BadServer::start(vec![granted("plain", 360), granted("scoped", 360)]);
    let client = Client::from_source(Box::new(minter()), http(server.certificate(), LIMIT));
    let plain = Server::new(server.base_url().parse().unwrap());
    let scoped = plain.clone().scope("openid");
    for _ in 0..2 {
        assert_eq!(client.token(&plain).unwrap().expose(), "plain");
        assert_eq!(client.token(&scoped).unwrap().expose(), "scoped");
    }
    assert_eq!(server.requests().len(), 2);
}

/// Two seconds are left of its life when it is used no more: it is renewed in time.
#[test]
fn a_token_is_renewed_before_it_expires() {
    let server = BadServer::start(vec![granted("short", 2), granted("next", 360)]);
    let client = Client::from_source(Box::new(minter()), http(server.certificate(), LIMIT));
    let fiam = Server::new(server.base_url().parse().unwrap());
    assert_eq!(client.token(&fiam).unwrap().expose(), "short");
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(client.token(&fiam).unwrap().expose(), "next");
}

#[test]
fn a_failure_is_shared_and_not_kept() {
    let replies = vec![Reply::json("503 Trouble", "{}"), granted("later", 360)];
    let server = BadServer::start(replies);
    let base = server.base_url().parse().unwrap();
    let options = AssertionOptions::default();
    let source = TokenSource::new(http(server.certificate(), LIMIT), base, options)
        .retrying(RetryPolicy::NEVER);
    let client = minter();
    let answers = at_once(|| source.token(&client));
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    // A thread that is late asks again, and gets a token.
    assert!(failed >= 1);
    assert!(server.requests().len() <= 2);
    for error in answers.into_iter().filter_map(Result::err) {
        let refused = match &error {
            OAuthError::Shared(error) => error.as_ref(),
            error => error,
        };
        assert!(matches!(refused, OAuthError::Refused(_)), "{error:?}");
    }
    assert_eq!(source.token(&client).unwrap().expose(), "later");
    assert_eq!(server.requests().len(), 2);
}
