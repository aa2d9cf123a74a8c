//! Nobody there, somebody who says nothing, somebody else.

use std::net::TcpListener;

use privyseal::ErrorKind;
use privyseal::http::HttpCause;
use privyseal_test_pki::TestPki;
use privyseal_test_servers::bad_server::{BadServer, Reply};

use crate::stage::{
    Ask, LIMIT, answer, cause, each_fails, everything, failure, for_each, http, nothing_leaks,
};

#[test]
fn a_port_where_nobody_listens() {
    let base_url = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("https://{}", listener.local_addr().unwrap())
    };
    for ask in Ask::ALL {
        let http = http(&TestPki::new().root.certificate, LIMIT);
        let error = failure(ask, &http, &base_url);
        assert_eq!(cause(&error), Some(HttpCause::Connection), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Server);
    }
}

/// The connection is made by the kernel, and nobody ever takes it.
#[test]
fn a_black_hole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    for_each(&Ask::ALL, |ask| {
        let http = http(&TestPki::new().root.certificate, LIMIT);
        let error = failure(ask, &http, &base_url);
        assert_eq!(cause(&error), Some(HttpCause::Timeout), "{error:?}");
        assert!(!everything(&error).contains("s3cr3t"));
    });
}

#[test]
fn a_server_that_takes_the_request_and_says_nothing() {
    each_fails(
        &Reply::Silence,
        "no complete answer in time",
        &[ErrorKind::Server],
    );
}

/// One limit over all of a request: bytes that trickle in do not stretch it.
#[test]
fn a_server_that_sends_one_byte_a_second() {
    each_fails(
        &Reply::Drip,
        "no complete answer in time",
        &[ErrorKind::Server],
    );
}

#[test]
fn a_server_whose_head_comes_one_byte_a_second() {
    each_fails(
        &Reply::DripHead,
        "no complete answer in time",
        &[ErrorKind::Server],
    );
}

#[test]
fn a_server_whose_handshake_comes_one_byte_a_second() {
    for_each(&Ask::ALL, |ask| {
        let server = BadServer::start(vec![Reply::DripHandshake]);
        let error = failure(ask, &http(server.certificate(), LIMIT), &server.base_url());
        assert_eq!(cause(&error), Some(HttpCause::Timeout), "{error:?}");
        assert!(server.requests().is_empty(), "nothing was sent");
    });
}

#[test]
fn a_server_that_hangs_up() {
    each_fails(
        &Reply::Close,
        "no connection, or it broke off",
        &[ErrorKind::Server],
    );
}

#[test]
fn a_server_with_a_certificate_of_nobody_or_of_another_name_gets_nothing() {
    for ask in Ask::ALL {
        let server = BadServer::start(vec![Reply::json("200 OK", "{}")]);
        let stranger = BadServer::start(vec![Reply::Close]);
        let error = failure(
            ask,
            &http(stranger.certificate(), LIMIT),
            &server.base_url(),
        );
        assert_eq!(cause(&error), Some(HttpCause::UntrustedIssuer), "{error:?}");
        assert!(server.requests().is_empty(), "nothing was sent");

        let named = BadServer::named("other.example", vec![Reply::json("200 OK", "{}")]);
        let error = failure(ask, &http(named.certificate(), LIMIT), &named.base_url());
        assert_eq!(cause(&error), Some(HttpCause::WrongName), "{error:?}");
        assert!(named.requests().is_empty(), "nothing was sent");
        nothing_leaks(&everything(&error), &named);
    }
}

/// What fails and what succeeds alternate; each request is judged for itself.
#[test]
fn a_server_that_flaps() {
    let good = r#"{"access_token":"a","token_type":"Bearer","expires_in":360}"#;
    let server = BadServer::start(vec![
        Reply::json("200 OK", good),
        Reply::Close,
        Reply::json("503 Busy", "{}"),
    ]);
    let http = http(server.certificate(), LIMIT);
    for _ in 0..3 {
        answer(Ask::Token, &http, &server.base_url()).expect("a token");
        for _ in 0..2 {
            let error = failure(Ask::Token, &http, &server.base_url());
            assert_eq!(error.kind(), ErrorKind::Server);
            nothing_leaks(&everything(&error), &server);
        }
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 9);
    let mut assertions: Vec<_> = requests
        .iter()
        .map(|it| it.split("client_assertion=").nth(1))
        .collect();
    assertions.sort_unstable();
    assertions.dedup();
    assert_eq!(assertions.len(), 9, "a new assertion each time");
}
