//! What strangers send to the two addresses: each is answered once, or cut off, and nobody else suffers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::http::{FORM, post, request};
use crate::server::{form, serve};
use crate::stage::{CONSUMER, World};

/// All that comes back to these bytes, until the server closes.
fn answers(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let limit = Some(Duration::from_secs(120));
    stream.set_read_timeout(limit).unwrap();
    // A server that has read enough closes before it has read all.
    let _ = stream.write_all(bytes);
    let mut whole = Vec::new();
    let _ = stream.read_to_end(&mut whole);
    String::from_utf8_lossy(&whole).into_owned()
}

fn count(answers: &str) -> usize {
    answers.matches("HTTP/1.1 ").count()
}

/// Requests whose end two readers see in different places: a proxy one way, a server the other.
#[test]
fn no_second_request_hides_in_a_first_one() {
    let world = World::new();
    let (public, internal) = serve(&world);
    let hidden = "GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let len = hidden.len();
    let head = |rest: &str| format!("POST /v1/accept HTTP/1.1\r\nHost: x\r\n{FORM}{rest}");
    // Whoever takes the length of each for the other's sees a second request.
    let smuggled = [
        format!(
            "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
            len + 5
        ),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Content-Length: 0\r\nContent-Length: {len}\r\n\r\n{hidden}"),
        format!("Content-Length: {len}, 0\r\n\r\n{hidden}"),
        format!("Content-Length: +0\r\n\r\n{hidden}"),
        format!("Content-Length : 0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: xchunked\r\n\r\n{hidden}"),
        format!(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n{hidden}"),
        format!("X: a\r\n\tb\r\nContent-Length\0: 0\r\n\r\n{hidden}"),
    ];
    thread::scope(|scope| {
        for bytes in &smuggled {
            scope.spawn(move || {
                let answered = answers(internal, head(bytes).as_bytes());
                assert!(count(&answered) <= 1, "{bytes:?}: {answered}");
                assert!(!answered.contains(" 204 "), "{bytes:?}: {answered}");
            });
        }
    });
    // What is one request after another is answered so, and never by the other address.
    let two = format!("GET /live HTTP/1.1\r\nHost: x\r\n\r\n{hidden}");
    assert_eq!(count(&answers(internal, two.as_bytes())), 2);
    assert!(answers(public, two.as_bytes()).contains(" 404 "));
    let absolute = format!(
        "GET http://{internal}/live HTTP/1.1\r\nHost: {internal}\r\nConnection: close\r\n\r\n"
    );
    assert!(answers(public, absolute.as_bytes()).contains(" 404 "));
}

/// Heads and bodies without end, and what is no HTTP, cost a bounded piece of memory and one connection.
#[test]
fn what_has_no_end_is_cut_off_and_others_are_served() {
    let world = World::new();
    let (public, internal) = serve(&world);
    let long = "a".repeat(8 * 1024 * 1024);
    let many = "X: y\r\n".repeat(1000);
    let tls: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let posted = |rest: String| format!("POST /connect/token HTTP/1.1\r\n{rest}").into_bytes();
    let len = long.len();
    let cases: [(Vec<u8>, &str); 8] = [
        (format!("GET /{long} HTTP/1.1\r\n\r\n").into_bytes(), " 4"),
        (posted(format!("X: {long}\r\n\r\n")), " 431 "),
        (posted(format!("{many}\r\n")), " 431 "),
        (
            posted(format!("{FORM}Content-Length: {len}\r\n\r\n{long}")),
            " 400 ",
        ),
        (
            posted(format!(
                "{FORM}Transfer-Encoding: chunked\r\n\r\n800000\r\n{long}\r\n0\r\n\r\n"
            )),
            " 400 ",
        ),
        (
            posted(format!("{FORM}Content-Length: 99\r\n\r\ncut")),
            " 400 ",
        ),
        (tls.to_vec(), " 400 "),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), " "),
    ];
    for (bytes, status) in cases {
        let answered = answers(public, &bytes);
        assert!(count(&answered) <= 1, "{answered}");
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        // Where the server closes while bytes are under way, the answer may be lost.
        assert!(
            answered.is_empty() || answered.contains(status),
            "{shown}: {answered}"
        );
    }
    let answer = post(public, "/connect/token", &form(&world.assertion(), &[]));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(request(internal, "GET", "/live", "", "").status, 204);
}

/// RFC 6749 section 3.2: "Parameters sent without a value MUST be treated as if they were omitted"; none is there twice,
/// in whatever spelling, and none comes from the address.
#[test]
fn a_parameter_that_two_readers_read_differently_is_refused() {
    let world = World::new();
    let (public, internal) = serve(&world);
    let good = world.assertion();
    let twice = |more: &str| format!("{}&{more}", form(&good, &[]));
    let error = |body: &str| post(public, "/connect/token", body).json()["error"].clone();
    for more in [
        "client_id=did:ishare:EU.NL.NTRNL-20000002".to_owned(),
        "client%5Fid=x".to_owned(),
        format!("client_assertion={good}"),
        "client%5fassertion=".to_owned(),
        "grant_type=client_credentials".to_owned(),
        "client_assertion_type=x".to_owned(),
        "scope=".to_owned(),
    ] {
        assert_eq!(error(&twice(&more)), "invalid_request", "{more}");
    }
    // What looks alike is another parameter, and an unknown one is ignored (section 3.2).
    let address = format!("/connect/token?{}", form(&good, &[]));
    assert_eq!(
        post(public, &address, "").json(),
        json!({ "error": "invalid_request" })
    );
    let other = "Client_Id=x&client_id[]=x&client_id%00=x&resource=x";
    let given = post(public, "/connect/token", &twice(other)).json();
    let token = given["access_token"].as_str().unwrap();
    for body in [
        format!("token={token}&token=x"),
        format!("token=x&%74oken={token}"),
        String::new(),
        "token=".to_owned(),
    ] {
        assert_eq!(
            post(internal, "/v1/introspect", &body).status,
            400,
            "{body}"
        );
    }
    let asked = |headers: &str| request(internal, "GET", "/v1/authorize", headers, "").status;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(asked(&bearer), 204);
    assert_eq!(asked(&format!("{bearer}Authorization: Bearer x\r\n")), 401);
    assert_eq!(asked(&format!("{bearer}{bearer}")), 401);
    let kinds = "Content-Type: text/plain\r\n";
    let answer = request(
        public,
        "POST",
        "/connect/token",
        &format!("{FORM}{kinds}"),
        &form(&world.assertion(), &[]),
    );
    assert_eq!(answer.status, 400);
}

/// RFC 9112 section 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a
/// Host header field and to any request message that contains more than one Host header field line or a Host header field with
/// an invalid field value."
#[test]
fn a_request_says_once_for_which_host_it_is() {
    let (public, internal) = serve(&World::new());
    let twice = format!("Host: x\r\n{}", "Transfer-Encoding: chunked\r\n".repeat(2));
    for address in [public, internal] {
        for (version, hosts, status) in [
            ("1.1", "", 400),
            ("1.1", "Host: x\r\nHost: x\r\n", 400),
            ("1.1", "Host: a b\r\n", 400),
            ("1.1", "Host: a@b\r\n", 400),
            ("1.1", "Host: a:x\r\n", 400),
            ("1.1", "Host: a:99999\r\n", 400),
            ("1.1", "Host: [::1]:80\r\n", 404),
            ("1.1", "Host: a:\r\n", 404),
            ("1.1", "Host: x\r\nTransfer-Encoding: Chunked\r\n", 404),
            (
                "1.1",
                "Host: x\r\nTransfer-Encoding: gzip, chunked\r\n",
                501,
            ),
            // "A sender MUST NOT apply the chunked transfer coding more than once to a message body."
            ("1.1", &twice, 501),
            // Section 6.3: where chunked is not the last one, nobody knows where the request ends.
            ("1.1", "Host: x\r\nTransfer-Encoding: gzip\r\n", 400),
            ("1.1", "Host: x\r\nTransfer-Encoding: identity\r\n", 400),
            (
                "1.1",
                "Host: x\r\nContent-Length: 0\r\nContent-Length: 1\r\n",
                400,
            ),
            ("1.0", "Host: x\r\nhost: y\r\n", 400),
            ("1.1", "Host:\r\n", 404),
            ("1.1", "Host: x.example:443\r\n", 404),
            ("1.0", "", 404),
        ] {
            let head = format!("GET / HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
            let answer = answers(address, head.as_bytes());
            let found = answer.split(' ').nth(1);
            assert_eq!(found, Some(&*status.to_string()), "{head}: {answer}");
        }
    }
}

/// RFC 6749 appendix B: UTF-8. All that a form says is ASCII, and the same in what other libraries call it.
#[test]
fn a_form_in_another_charset_is_not_read_as_if_it_were_ascii() {
    let world = World::new();
    let (public, _) = serve(&world);
    for (parameters, status) in [
        ("; charset=UTF-16", 400),
        (";charset=utf-8;charset=\"utf-32\"", 400),
        ("; charset=", 400),
        ("; charset=\"utf-8", 400),
        ("; charset=UTF-8", 200),
        (";Charset=\"utf-8\"", 200),
        ("; charset=ISO-8859-1", 200),
        ("; x=y", 200),
    ] {
        let kind = format!("Content-Type: application/x-www-form-urlencoded{parameters}\r\n");
        let form = form(&world.assertion(), &[]);
        let answer = request(public, "POST", "/connect/token", &kind, &form);
        assert_eq!(answer.status, status, "{parameters}: {answer:?}");
    }
    let raw = form(&world.assertion(), &[]) + "&x=é";
    assert_eq!(post(public, "/connect/token", &raw).status, 400);
}

/// RFC 9110 section 15.5.16: 415 for a coding that is not read, with those that are.
#[test]
fn what_is_coded_is_not_read_as_if_it_were_not() {
    let world = World::new();
    let (public, internal) = serve(&world);
    for (address, path) in [
        (public, "/connect/token"),
        (internal, "/v1/accept"),
        (internal, "/v1/introspect"),
    ] {
        let coded = |coding: &str| {
            let headers = format!("{FORM}Content-Encoding: {coding}\r\n");
            request(address, "POST", path, &headers, "token=x")
        };
        let refused = coded("gzip");
        assert_eq!(refused.status, 415, "{refused:?}");
        assert_eq!(refused.header("accept-encoding"), Some("identity"));
        assert_ne!(coded("Identity").status, 415);
    }
}

/// A client writes what it likes into header and claims: no log line, answer or header begins there.
#[test]
fn what_a_client_writes_begins_no_line() {
    let world = World::new();
    let (public, internal) = serve(&world);
    let hostile = "x\r\nX-Client-Id: somebody\r\n\u{1b}[2J\u{202e}</script>";
    let mut header = world.header();
    header["typ"] = json!(hostile);
    let assertions = [
        world.sign(&header, &world.claims()),
        world.sign(&json!({ "alg": hostile }), &world.claims()),
        world.with_claims(|claims| claims["iss"] = json!(hostile)),
        world.with_claims(|claims| claims["jti"] = json!(hostile)),
        world.with_claims(|claims| claims["aud"] = json!([hostile])),
        world.with_claims(|claims| claims[hostile] = json!(hostile)),
    ];
    let stage = world.play(world.honest());
    for assertion in &assertions {
        let told = post(public, "/connect/token", &form(assertion, &[]));
        assert!(!told.body.contains("X-Client-Id"), "{told:?}");
        let service = post(internal, "/v1/accept", &form(assertion, &[]));
        assert_eq!(service.header("x-client-id"), None);
        service.json();
        if let Err(rejection) = stage.accept(assertion) {
            let line = rejection.to_string();
            assert!(
                !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
                "{line:?}"
            );
        }
    }
    let named = form(&world.assertion(), &["client_id"]) + "&client_id=x%0d%0aX-Client-Id:%20y";
    let answer = post(public, "/connect/token", &named);
    assert_eq!(answer.json(), json!({ "error": "invalid_client" }));
    assert_ne!(CONSUMER, hostile);
}
