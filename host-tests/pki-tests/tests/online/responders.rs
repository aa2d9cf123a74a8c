//! OpenSSL's OCSP responder behind the server: its responses, and what others make of them.

use std::sync::{Arc, Mutex};

use super::*;
use crate::server::{Server, ok};

/// A server that has each request answered by OpenSSL with that signer and these options.
fn stage(
    signer: &'static str,
    options: &'static [&'static str],
) -> (Server, Arc<Ca>, Certificates) {
    let server = Server::new();
    let ca = Arc::new(Ca::new(&server.url));
    let leaf = ca.issue("leaf", "asked");
    ca.issue("responder", "responder");
    ca.issue("registry", "plain");
    let for_server = Arc::clone(&ca);
    server.answers_by(move |_, request, stream| {
        ok(stream, &for_server.respond(request, signer, options));
    });
    (server, ca, leaf)
}

#[test]
fn the_ca_and_a_responder_that_it_certified_are_believed() {
    for signer in ["ca", "responder"] {
        let (_server, ca, leaf) = stage(signer, &[]);
        assert_eq!(judge(&ca, &leaf, &fetcher()), Ok(()), "{signer}");
        ca.revoke("leaf");
        let outcome = judge(&ca, &leaf, &fetcher());
        assert!(
            matches!(outcome, Err(PathRule::Revoked(_))),
            "{signer}: {outcome:?}"
        );
    }
}

#[test]
fn a_certificate_of_the_ca_for_something_else_is_no_responder() {
    for signer in ["registry", "leaf"] {
        let (_server, ca, leaf) = stage(signer, &[]);
        assert_eq!(
            assert_unknown(judge(&ca, &leaf, &fetcher())),
            Unknown::Signature
        );
    }
}

#[test]
fn a_responder_of_another_ca_is_none() {
    let (_server, ca, leaf) = stage("responder", &[]);
    let other = Ca::of_another_key("http://127.0.0.1:1");
    other.issue("responder", "responder");
    for file in ["responder.pem", "responder.key"] {
        std::fs::copy(other.path().join(file), ca.path().join(file)).unwrap();
    }
    assert_eq!(
        assert_unknown(judge(&ca, &leaf, &fetcher())),
        Unknown::Signature
    );
}

#[test]
fn a_response_to_another_request_is_replayed() {
    let (server, ca, leaf) = stage("ca", &[]);
    let first = Arc::new(Mutex::new(None::<Vec<u8>>));
    let for_server = Arc::clone(&ca);
    server.answers_by(move |_, request, stream| {
        let mut first = first.lock().unwrap();
        let response = first.get_or_insert_with(|| for_server.respond(request, "ca", &[]));
        ok(stream, response);
    });
    assert_eq!(judge(&ca, &leaf, &fetcher()), Ok(()));
    ca.revoke("leaf");
    assert_eq!(
        assert_unknown(judge(&ca, &leaf, &fetcher())),
        Unknown::Replayed
    );
}

#[test]
fn a_response_about_another_certificate_tells_nothing() {
    let (server, ca, leaf) = stage("ca", &[]);
    ca.openssl(&[
        "ocsp",
        "-issuer",
        "ca.pem",
        "-cert",
        "registry.pem",
        "-no_nonce",
        "-reqout",
        "other",
    ]);
    let other = std::fs::read(ca.path().join("other")).unwrap();
    let for_server = Arc::clone(&ca);
    server.answers_by(move |_, _, stream| ok(stream, &for_server.respond(&other, "ca", &[])));
    assert_eq!(
        assert_unknown(judge(&ca, &leaf, &fetcher())),
        Unknown::NotCovered
    );
}

#[test]
fn errors_pages_and_changed_responses_tell_nothing() {
    let (server, ca, leaf) = stage("ca", &[]);
    for body in [b"<html>".to_vec(), vec![0x30, 3, 0x0a, 1, 6], Vec::new()] {
        server.answers(body);
        assert_eq!(
            assert_unknown(judge(&ca, &leaf, &fetcher())),
            Unknown::Responder
        );
    }
    let for_server = Arc::clone(&ca);
    server.answers_by(move |_, request, stream| {
        let mut response = for_server.respond(request, "ca", &["-resp_no_certs"]);
        *response.last_mut().unwrap() ^= 1;
        ok(stream, &response);
    });
    assert_eq!(
        assert_unknown(judge(&ca, &leaf, &fetcher())),
        Unknown::Signature
    );
}

#[test]
fn the_list_decides_where_the_responder_does_not() {
    let server = Server::new();
    let ca = Ca::new(&server.url);
    let leaf = ca.issue("leaf", "both");
    let list = ca.list(&[]);
    server.answers_by(move |path, _, stream| match path {
        "/list" => ok(stream, &list),
        _ => ok(stream, b"busy"),
    });
    assert_eq!(judge(&ca, &leaf, &fetcher()), Ok(()));
}

/// RFC 5019 section 6.1: "clients MUST locally cache authoritative OCSP responses".
#[test]
fn a_response_is_kept_until_its_next_update_and_for_its_certificate_alone() {
    for (options, asked) in [(&["-ndays", "1"][..], 1), (&[], 3)] {
        let (server, ca, leaf) = stage("ca", options);
        let fetcher = fetcher();
        for _ in 0..3 {
            assert_eq!(judge(&ca, &leaf, &fetcher), Ok(()));
        }
        assert_eq!(server.requests(), asked);
        server.answers(b"busy".to_vec());
        let is_kept = judge(&ca, &leaf, &fetcher).is_ok();
        assert_eq!(is_kept, asked == 1);
        let other = ca.issue("registry", "asked");
        assert_unknown(judge(&ca, &other, &fetcher));
    }
}
