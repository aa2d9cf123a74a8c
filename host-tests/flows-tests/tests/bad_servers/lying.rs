//! Answers that are not what they say.

use core::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::schemes::fiam::{self, MAX_RECORDS};
use privyseal::{Error, ErrorKind};
use privyseal_test_servers::bad_server::{BadServer, Reply};

use crate::stage::{
    Ask, BEARER, LIMIT, answer, bearer, each_fails, everything, fails, failure, for_each, http,
    nothing_leaks,
};

const CUT: &str = "no connection, or it broke off";
const NOT_HTTP: &str = "the answer is not HTTP";
const SERVER: &[ErrorKind] = &[ErrorKind::Server];

#[test]
fn what_is_no_json() {
    for (kind, body) in [
        ("text/html", "<html>500</html>"),
        ("application/json", ""),
        ("application/json", "{\"access_token\":"),
        ("application/json", "\u{0}\u{1}"),
        ("application/octet-stream", "PK"),
    ] {
        each_fails(&Reply::of_type("200 OK", kind, body), "JSON", SERVER);
    }
}

/// What would be taken, but for its type.
#[test]
fn what_is_json_under_another_type() {
    let token = r#"{"access_token":"a","token_type":"Bearer"}"#;
    let page = r#"{"page":1,"page_count":1,"total_count":0,"records":[]}"#;
    for (ask, body) in [
        (Ask::Token, token),
        (Ask::Scoped, token),
        (Ask::Refreshed, token),
        (Ask::Introspection, r#"{"active":true}"#),
        (Ask::Call, "{}"),
        (Ask::Pages, page),
        (Ask::UserInfo, r#"{"sub":"s"}"#),
    ] {
        let server = BadServer::start(vec![Reply::json("200 OK", body)]);
        answer(ask, &http(server.certificate(), LIMIT), &server.base_url()).unwrap();
        let reply = Reply::of_type("200 OK", "text/html", body);
        fails(ask, &reply, "its type is text/html; it must be", SERVER);
        let text = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
        fails(ask, &Reply::Raw(text), "it names no type", SERVER);
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
        // A call may be answered with any JSON.
        for ask in Ask::ALL.into_iter().filter(|ask| *ask != Ask::Call) {
            let server = BadServer::start(vec![reply.clone()]);
            let error = failure(ask, &http(server.certificate(), LIMIT), &server.base_url());
            // Of claims, one that is missing breaks a rule.
            let is_claims = ask == Ask::UserInfo && body.starts_with('{');
            let kind = [ErrorKind::Server, ErrorKind::Refused][usize::from(is_claims)];
            assert_eq!(error.kind(), kind, "{ask:?} {body}: {error}");
            nothing_leaks(&everything(&error), &server);
        }
    }
}

/// Success by its status, refusal by its body.
#[test]
fn a_refusal_with_status_200() {
    let body = r#"{"error":"invalid_client","error_description":"no"}"#;
    for ask in Ask::ALL {
        let server = BadServer::start(vec![Reply::json("200 OK", body)]);
        let error = failure(ask, &http(server.certificate(), LIMIT), &server.base_url());
        // To a public document nobody is refused.
        let expected = if ask.is_public() {
            ErrorKind::Server
        } else {
            ErrorKind::Refused
        };
        assert_eq!(error.kind(), expected, "{ask:?}: {error}");
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

/// Each page at its time, and yet no end within the time for all of them.
#[test]
fn pages_that_take_too_long_together() {
    let page = r#"{"page":1,"page_count":9,"total_count":9,"records":[{"id":"a"}]}"#;
    let server = BadServer::start(vec![Reply::json("200 OK", page)]);
    let (http, base) = (
        http(server.certificate(), LIMIT),
        server.base_url().parse().unwrap(),
    );
    let token = bearer();
    let pages = fiam::contracts(&http, &base, &token).unwrap();
    let error = pages.within(Duration::ZERO).records().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("1 pages came within 0 s"), "{text}");
    assert_eq!(Error::from(error).kind(), ErrorKind::Server);
    assert_eq!(server.requests().len(), 1);
}

/// As many records as are read, and one more.
#[test]
fn a_list_of_too_many_records() {
    let half = MAX_RECORDS / 2;
    for (more, is_read) in [(0, true), (1, false)] {
        let page = |number, count| {
            let records = vec!["{}"; usize::try_from(count).unwrap()].join(",");
            let total = MAX_RECORDS + more;
            Reply::json(
                "200 OK",
                &format!(
                    r#"{{"page":{number},"page_count":2,"total_count":{total},"records":[{records}]}}"#
                ),
            )
        };
        let server = BadServer::start(vec![page(1, half), page(2, half + more)]);
        let outcome = answer(
            Ask::Pages,
            &http(server.certificate(), LIMIT),
            &server.base_url(),
        );
        assert_eq!(outcome.is_ok(), is_read, "{outcome:?}");
        if let Err(error) = outcome {
            let text = error.to_string();
            assert!(text.contains("more records than the 100000"), "{text}");
        }
    }
}

#[test]
fn a_body_without_end() {
    each_fails(&Reply::Endless, "larger than", SERVER);
}

#[test]
fn a_head_without_end() {
    each_fails(&Reply::EndlessHead, NOT_HTTP, SERVER);
    // Each is forgotten before the next: only the time ends it.
    each_fails(
        &Reply::EndlessContinue,
        "no complete answer in time",
        SERVER,
    );
}

/// The memory for it is bounded before the first byte comes.
#[test]
fn a_body_that_announces_a_terabyte() {
    let reply = "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n{".to_owned();
    each_fails(&Reply::Raw(reply), CUT, SERVER);
}

#[test]
fn a_body_that_is_cut_off_or_of_another_length() {
    for (length, words) in [("100", CUT), ("x", NOT_HTTP), ("-1", NOT_HTTP)] {
        let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{");
        each_fails(&Reply::Raw(reply), words, SERVER);
    }
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{".to_owned();
    each_fails(&Reply::Raw(chunked), CUT, SERVER);
}

#[test]
fn what_is_no_http() {
    for (raw, words) in [
        ("SSH-2.0-OpenSSH_9\r\n\r\n", NOT_HTTP),
        ("HTTP/9.9 999 ?\r\n\r\n", NOT_HTTP),
        ("\r\n\r\n", CUT),
    ] {
        each_fails(&Reply::Raw(raw.to_owned()), words, SERVER);
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
    for status in [400, 401, 403, 404, 429, 500, 503] {
        for_each(&Ask::ALL, |ask| {
            let reply = Reply::Echo(status);
            match status {
                _ if ask.is_public() => {
                    fails(ask, &reply, "", &[ErrorKind::Refused, ErrorKind::Server]);
                }
                400..=404 => fails(ask, &reply, "token left out", &[ErrorKind::Refused]),
                _ => fails(ask, &reply, "token left out", SERVER),
            }
        });
    }
}

/// In each header that is read, in the line before them, and where a header should be.
#[test]
fn a_head_that_repeats_the_secret() {
    for head in [
        "200 OK\r\nContent-Type: <secret>",
        "200 OK\r\nContent-Type: <SECRET>",
        "200 OK\r\nContent-Type: text/<secret>; charset=utf-8",
        "429 Busy\r\nRetry-After: <secret>",
        "429 Busy\r\nRetry-After: <secret>GMT",
        "503 Busy\r\nRetry-After: <secret>, 06 Nov 1994 08:49:37 GMT",
        "302 Go\r\nLocation: https://evil.example/<secret>",
        "302 Go\r\nLocation: https://evil.example/<SECRET>?<secret>#<secret>",
        "401 No\r\nWWW-Authenticate: Bearer error=\"<secret>\"",
        "401 <secret>",
        "200 OK\r\nTransfer-Encoding: <secret>",
        "200 OK\r\nContent-Encoding: <secret>",
        "200 OK\r\nDate: <secret>",
        "200 OK\r\n<secret>",
        "<secret>",
    ] {
        let text = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n<html>");
        each_fails(
            &Reply::Repeat(text),
            "",
            &[ErrorKind::Refused, ErrorKind::Server],
        );
    }
}

/// A provider that names its key, or its algorithm, by what it was sent.
#[test]
fn a_signed_answer_that_repeats_the_secret() {
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    // One that is not there would be waited for.
    let key = Base64UrlUnpadded::encode_string(&[0xc3; 256]);
    let keys = format!(r#"{{"keys":[{{"kty":"RSA","kid":"{BEARER}","n":"{key}","e":"AQAB"}}]}}"#);
    let keys = Reply::json("200 OK", &keys);
    for header in [
        format!(r#"{{"alg":"RS256","kid":"{BEARER}"}}"#),
        format!(r#"{{"alg":"{BEARER}","kid":"k"}}"#),
    ] {
        let jws = format!("{}.{}.{}", part(&header), part("{}"), part("s"));
        let answer = Reply::of_type("200 OK", "application/jwt", &jws);
        let server = BadServer::start(vec![answer, keys.clone()]);
        let http = http(server.certificate(), LIMIT);
        let error = failure(Ask::UserInfo, &http, &server.base_url());
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        nothing_leaks(&everything(&error), &server);
    }
}
