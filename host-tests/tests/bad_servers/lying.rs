//! Answers that are not what they say.

use privyseal::Exit;
use privyseal_host_tests::bad_server::{BadServer, Reply};

use crate::stage::{Ask, everything, nothing_leaks};
use crate::stage::{BEARER, LIMIT, each_fails, failure, http};

const SERVER: &[Exit] = &[Exit::Server];

#[test]
fn what_is_no_json() {
    for (kind, body) in [
        ("text/html", "<html>500</html>"),
        ("application/json", ""),
        ("application/json", "{\"access_token\":"),
        ("application/json", "\u{0}\u{1}"),
        ("application/octet-stream", "PK"),
    ] {
        each_fails(
            &Reply::of_type("200 OK", kind, body),
            "https://127.0.0.1",
            SERVER,
        );
    }
}

#[test]
fn json_of_another_shape() {
    for body in [
        "{}",
        "[]",
        "null",
        "1",
        "\"text\"",
        r#"{"access_token":1,"token_type":"Bearer"}"#,
        r#"{"page":1,"page_count":18446744073709551615,"total_count":1,"records":[]}"#,
        r#"{"party_token":7,"trusted_list_token":[]}"#,
    ] {
        let reply = Reply::json("200 OK", body);
        for ask in [Ask::Token, Ask::Pages, Ask::TrustedList, Ask::Party] {
            let server = BadServer::start(vec![reply.clone()]);
            let error = failure(ask, &http(server.certificate(), LIMIT), &server.base_url());
            assert_eq!(error.exit(), Exit::Server, "{ask:?} {body}: {error}");
            nothing_leaks(&everything(&error), &server);
        }
    }
}

/// Success by its status, refusal by its body.
#[test]
fn a_refusal_with_status_200() {
    let body = r#"{"error":"invalid_client","error_description":"no"}"#;
    for ask in [Ask::Token, Ask::Pages, Ask::TrustedList, Ask::Party] {
        let server = BadServer::start(vec![Reply::json("200 OK", body)]);
        let error = failure(ask, &http(server.certificate(), LIMIT), &server.base_url());
        let expected = if ask == Ask::Token {
            Exit::Refused
        } else {
            Exit::Server
        };
        assert_eq!(error.exit(), expected, "{ask:?}: {error}");
    }
}

/// A list whose every page says that another follows: it ends at the first page that is not the one asked for.
#[test]
fn pages_without_end() {
    let page = r#"{"page":1,"page_count":9,"total_count":9,"records":[{"id":"a"}]}"#;
    let server = BadServer::start(vec![Reply::json("200 OK", page)]);
    let error = failure(
        Ask::Pages,
        &http(server.certificate(), LIMIT),
        &server.base_url(),
    );
    assert!(
        error
            .to_string()
            .contains("page 2 was asked for, and page 1 came"),
        "{error}"
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].starts_with("GET /service-consumers/contracts?page=2 "),
        "{}",
        requests[1]
    );
}

#[test]
fn a_body_without_end() {
    each_fails(&Reply::Endless, "larger than", SERVER);
}

/// The memory for it is bounded before the first byte comes.
#[test]
fn a_body_that_announces_a_terabyte() {
    let reply = "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n{".to_owned();
    each_fails(&Reply::Raw(reply), "https://127.0.0.1", SERVER);
}

#[test]
fn a_body_that_is_cut_off_or_of_another_length() {
    for length in ["100", "x", "-1"] {
        let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{");
        each_fails(&Reply::Raw(reply), "https://127.0.0.1", SERVER);
    }
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{".to_owned();
    each_fails(&Reply::Raw(chunked), "https://127.0.0.1", SERVER);
}

#[test]
fn what_is_no_http() {
    for raw in [
        "SSH-2.0-OpenSSH_9\r\n\r\n",
        "HTTP/9.9 999 ?\r\n\r\n",
        "\r\n\r\n",
    ] {
        each_fails(&Reply::Raw(raw.to_owned()), "https://127.0.0.1", SERVER);
    }
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let elsewhere = BadServer::start(vec![Reply::json("200 OK", "{}")]);
    for status in [301, 302, 303, 307, 308] {
        let target = elsewhere.base_url();
        let reply = format!(
            "HTTP/1.1 {status} Go\r\nLocation: {target}/x?token={BEARER}\r\nContent-Length: 0\r\n\r\n"
        );
        each_fails(
            &Reply::Raw(reply),
            "a redirect, which is not followed",
            SERVER,
        );
    }
    assert!(
        elsewhere.requests().is_empty(),
        "nothing goes to another address"
    );
}

/// A server that repeats what it was sent finds it left out of the message.
#[test]
fn a_refusal_that_repeats_the_secret() {
    for status in [400, 401, 403, 404] {
        each_fails(&Reply::Echo(status), "token left out", &[Exit::Refused]);
    }
    for status in [429, 500, 503] {
        each_fails(&Reply::Echo(status), "token left out", SERVER);
    }
}
