//! What the library reads again, and what the command asks for again, with real pauses: short ones.

use core::time::Duration;
use std::collections::HashSet;
use std::path::Path;

use privyseal::{ErrorKind, Http, HttpOptions, RetryPolicy, Roots};
use privyseal_test_pki::pem_chain;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::flow::{Client, Outcome};

use crate::ciba::metadata;
use crate::stage::{Ask, BEARER, LIMIT, answer, everything, failure, for_each, jwt, nothing_leaks};

/// Four tries, as fast as may be, at a server that answers: when, is for the machine.
fn patient(server: &BadServer) -> Http {
    within(server, Duration::from_secs(60))
}

fn within(server: &BadServer, limit: Duration) -> Http {
    Http::new(
        &HttpOptions::default()
            .roots(Roots::Only(vec![server.certificate().to_vec()].into()))
            .timeout(limit)
            .retry(RetryPolicy::default().first_pause(Duration::from_millis(5))),
    )
}

/// A read, and the answer that it wants.
fn reads() -> [(Ask, Reply); 3] {
    let page = r#"{"page":1,"page_count":1,"total_count":1,"records":[{}]}"#;
    [
        (Ask::Call, Reply::json("200 OK", "{}")),
        (Ask::Pages, Reply::json("200 OK", page)),
        (Ask::UserInfo, Reply::json("200 OK", r#"{"sub":"s"}"#)),
    ]
}

#[test]
fn what_is_read_is_read_again() {
    for (ask, good) in reads() {
        for trouble in [
            Reply::busy("429 Busy", "0"),
            Reply::json("503 Trouble", "{}"),
            Reply::Close,
        ] {
            let server = BadServer::start(vec![trouble.clone(), trouble, good.clone()]);
            let outcome = answer(ask, &patient(&server), &server.base_url());
            outcome.unwrap_or_else(|error| panic!("{ask:?}: {error}"));
            assert_eq!(server.requests().len(), 3, "{ask:?}");
        }
    }
    let server = BadServer::at_home(|issuer| {
        let good = Reply::json("200 OK", &metadata(issuer));
        vec![Reply::Close, Reply::busy("503 Busy", "0"), good]
    });
    answer(Ask::Discovery, &patient(&server), &server.base_url()).unwrap();
    assert_eq!(server.requests().len(), 3);
}

/// A person has confirmed: a UserInfo endpoint that hangs or fails once is asked again, others are not.
#[test]
fn userinfo_that_hangs_is_asked_again() {
    let failed = ["408 Late", "500 Broken", "502 Bad", "504 Late"].map(|it| Reply::json(it, "{}"));
    for trouble in [&[Reply::Drip][..], &failed].concat() {
        for (ask, good) in reads() {
            let server = BadServer::start(vec![trouble.clone(), good.clone(), good.clone(), good]);
            let outcome = answer(ask, &within(&server, LIMIT), &server.base_url());
            assert_eq!(outcome.is_ok(), ask == Ask::UserInfo, "{ask:?}");
            assert_eq!(server.requests().len() > 1, ask == Ask::UserInfo, "{ask:?}");
        }
    }
}

/// One page of many that does not come at once costs no other page.
#[test]
fn a_page_in_the_middle_is_read_again() {
    let page = |number| {
        let body =
            format!(r#"{{"page":{number},"page_count":3,"total_count":3,"records":[{{}}]}}"#);
        Reply::json("200 OK", &body)
    };
    let busy = Reply::busy("429 Busy", "0");
    let server = BadServer::start(vec![page(1), busy, page(2), Reply::Close, page(3)]);
    answer(Ask::Pages, &patient(&server), &server.base_url()).unwrap();
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn reading_ends_too() {
    for_each(&Ask::ALL, |ask| {
        let is_read = ask.is_public() || reads().iter().any(|(read, _)| *read == ask);
        let is_read = is_read || matches!(ask, Ask::TrustedList | Ask::Party);
        for trouble in [Reply::busy("429 Busy", "0"), Reply::Close] {
            let server = BadServer::start(vec![trouble]);
            let error = failure(ask, &patient(&server), &server.base_url());
            let text = everything(&error);
            assert_eq!(error.kind(), ErrorKind::Server, "{text}");
            // A request with an assertion is repeated by the caller, who can make another one.
            assert_eq!(text.contains("given up after 4 tries"), is_read, "{text}");
            assert_eq!(
                server.requests().len(),
                if is_read { 4 } else { 1 },
                "{ask:?}"
            );
            nothing_leaks(&text, &server);
        }
        for answer in ["400 No", "404 No", "500 Broken", "502 Bad"] {
            let server = BadServer::start(vec![Reply::json(answer, "{}")]);
            failure(ask, &patient(&server), &server.base_url());
            let is_again = ask == Ask::UserInfo && answer.starts_with('5');
            let tries = if is_again { 4 } else { 1 };
            assert_eq!(server.requests().len(), tries, "{ask:?} {answer}");
        }
    });
}

fn granted() -> Reply {
    let token = format!(r#"{{"access_token":"{BEARER}","token_type":"Bearer"}}"#);
    Reply::json("200 OK", &token)
}

fn run(client: &Client, words: &[&str], server: &BadServer) -> Outcome {
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let root = client.file("root.pem", pem_chain(&client.chain[3..]));
    let base_url = server.base_url();
    let mut words = words.to_vec();
    words.extend(["--base-url", &base_url, "--timeout", "3"]);
    let is_registry = words[0] == "ishare";
    let files: &[(&str, &Path)] = &[("--cacert", &ca), ("--trust", &root)];
    client.run(&words, &files[..if is_registry { 2 } else { 1 }])
}

fn jtis(server: &BadServer) -> HashSet<String> {
    let requests = server.requests();
    let sent = requests
        .iter()
        .filter(|request| request.starts_with("POST"));
    let jtis = sent.map(|request| {
        let jti = &jwt(request, "client_assertion=")["jti"];
        jti.as_str().unwrap().to_owned()
    });
    jtis.collect()
}

const FIAM: [&str; 5] = [
    "token",
    "--scheme",
    "fiam",
    "--client-id",
    "EU.EORI.NL123456789",
];

/// With a new assertion each time.
#[test]
fn the_command_asks_a_busy_server_again() {
    let client = Client::new();
    let busy = Reply::busy("429 Busy", "1");
    let server = BadServer::start(vec![busy.clone(), granted()]);
    assert_eq!(run(&client, &FIAM, &server).json()["access_token"], BEARER);
    assert_eq!(jtis(&server).len(), 2);

    let call = [&FIAM[..], &["--call", "/contracts"]].concat();
    let replies = vec![granted(), Reply::Close, Reply::json("200 OK", "{}")];
    let server = BadServer::start(replies);
    run(&client, &call, &server).json();
    assert_eq!(server.requests().len(), 3);

    // What came after that is no trusted list, but it came.
    let list = ["ishare", "trusted-list", "--scheme", "ishare"];
    let list = [&list[..], &["--audience", "EU.EORI.NL000000000"]].concat();
    let empty = Reply::json("200 OK", "{}");
    let server = BadServer::start(vec![busy, granted(), Reply::busy("503 Busy", "0"), empty]);
    run(&client, &list, &server).failed(4, "the answer has no trusted_list_token");
    assert_eq!((jtis(&server).len(), server.requests().len()), (2, 4));
}

#[test]
fn the_command_asks_once_where_that_is_all_it_may() {
    let client = Client::new();
    for (reply, words) in [
        (Reply::busy("429 Busy", "60"), "asks to wait 60 s"),
        (Reply::Close, "it broke off"),
        (Reply::json("500 Broken", "{}"), "internal error"),
    ] {
        let server = BadServer::start(vec![reply, granted()]);
        let outcome = run(&client, &FIAM, &server);
        outcome.failed(4, words);
        assert_eq!(server.requests().len(), 1, "{words}");
        nothing_leaks(&outcome.stderr, &server);
    }
    // A jti is good once.
    let server = BadServer::start(vec![Reply::busy("429 Busy", "0"), granted()]);
    let once = [&FIAM[..], &["--jti", "7f0ad1c5-once"]].concat();
    run(&client, &once, &server).failed(4, "too many requests");
    assert_eq!(server.requests().len(), 1);
}
