use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::oidc::listener::{CONNECTION_TIME, LOOK, MAX_CONNECTIONS};

fn listener() -> PingListener {
    PingListener::start(&"0".parse().unwrap()).unwrap()
}

/// Sends `request` as it is; gives the status.
fn send(listener: &PingListener, request: &str) -> String {
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.set_read_timeout(Some(CONNECTION_TIME * 4)).unwrap();
    // A listener that has seen enough need not read all.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    answer.split(' ').nth(1).unwrap_or("closed").to_owned()
}

fn post(path: &str, bearer: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const BODY: &str = r#"{"auth_req_id":"1c266114"}"#;

#[test]
fn a_ping_gets_through_once() {
    let listener = listener();
    let token = listener.expose_token().to_owned();
    assert_eq!(token.len(), 43, "256 bits");
    assert_eq!(send(&listener, &post("/cb", &token, BODY)), "204");
    let id = listener.wait(CONNECTION_TIME).unwrap();
    assert_eq!(id.as_str(), "1c266114");
    assert_eq!(listener.wait(Duration::ZERO), None);
    assert!(!format!("{listener:?}").contains(&token));
}

fn chunked(bearer: &str, body: &str) -> String {
    format!(
        "POST /cb HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
    )
}

#[test]
fn a_ping_may_come_in_chunks() {
    let listener = listener();
    let token = listener.expose_token().to_owned();
    let (front, back) = BODY.split_at(10);
    for body in [
        format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len()),
        format!(
            "A;x=y\r\n{front}\r\n{:X}\r\n{back}\r\n0\r\nX: y\r\n\r\n",
            back.len()
        ),
    ] {
        assert_eq!(send(&listener, &chunked(&token, &body)), "204");
        assert_eq!(listener.wait(CONNECTION_TIME).unwrap().as_str(), "1c266114");
    }
}

/// Keycloak's have some 1,400 characters.
#[test]
fn the_longest_auth_req_id_is_taken() {
    let listener = listener();
    let token = listener.expose_token().to_owned();
    let id = "x".repeat(crate::oidc::ciba::response::MAX_AUTH_REQ_ID);
    let body = format!(r#"{{"auth_req_id":"{id}"}}"#);
    assert_eq!(send(&listener, &post("/cb", &token, &body)), "204");
    assert_eq!(listener.wait(Duration::ZERO).unwrap().as_str(), id);
}

#[test]
fn anything_else_does_not() {
    let listener = listener();
    let token = listener.expose_token().to_owned();
    let other = format!("{}A", &token[1..]);
    let good = post("/cb", &token, BODY);
    let with = |header: &str| good.replace("Host: x", &format!("Host: x\r\n{header}"));
    for (request, status) in [
        (post("/cb", "", BODY), "401"),
        (post("/cb", &other, BODY), "401"),
        (post("/cb", &token[..42], BODY), "401"),
        (post("/cb", &format!("{token}A"), BODY), "401"),
        (good.replace("Bearer", "Basic"), "401"),
        (post("/", &token, BODY), "404"),
        (post("/cb/x", &token, BODY), "404"),
        (good.replace("POST", "GET"), "405"),
        (post("/cb", &token, "{}"), "400"),
        (post("/cb", &token, r#"{"auth_req_id":1}"#), "400"),
        (post("/cb", &token, r#"{"auth_req_id":""}"#), "400"),
        (post("/cb", &token, "auth_req_id=x"), "400"),
        (good.replace("application/json", "text/plain"), "400"),
        (good.replace("HTTP/1.1", "HTTP/2"), "400"),
        (good.replace("Host: x\r\n", ""), "400"),
        (with("Host: x"), "400"),
        (good.replace("Length: ", "Length: +"), "400"),
        (with("Transfer-Encoding: chunked"), "400"),
        (with("Transfer-Encoding: gzip"), "400"),
        (chunked(&token, "x\r\n{}\r\n0\r\n\r\n"), "400"),
        (chunked(&token, "1\r\n{}\r\n0\r\n\r\n"), "400"),
        (chunked(&token, "+2\r\n{}\r\n0\r\n\r\n"), "400"),
        (chunked(&token, "ffffffffffffffff\r\n"), "400"),
        (chunked(&token, &"1\r\n \r\n".repeat(9000)), "413"),
        (with("Content-Length: 3"), "400"),
        (with("no header"), "400"),
        (post("/cb", &token, &" ".repeat(9000)), "413"),
        ("A".repeat(20_000), "413"),
    ] {
        // Where the rest is not read, the connection may be reset before the response is seen.
        let got = send(&listener, &request);
        let large = status == "413" && got == "closed";
        assert!(got == status || large, "{got}, not {status}: {request:.80}");
        assert_eq!(listener.wait(Duration::ZERO), None, "{request:.80}");
    }
    assert_eq!(send(&listener, &good), "204", "still there");
}

/// A client that is slow, or says nothing at all, keeps nobody else out.
#[test]
fn the_slow_do_not_stand_in_the_way() {
    let listener = listener();
    let token = listener.expose_token().to_owned();
    let mut idle = Vec::new();
    for count in [1, MAX_CONNECTIONS - 1, MAX_CONNECTIONS] {
        idle.resize_with(count, || TcpStream::connect(listener.address()).unwrap());
        assert_eq!(
            send(&listener, &post("/cb", &token, BODY)),
            "204",
            "{count}"
        );
    }
    // Nor do those who come again and again.
    for _ in 0..4 {
        idle.truncate(idle.len() / 2);
        idle.resize_with(4 * MAX_CONNECTIONS, || {
            TcpStream::connect(listener.address()).unwrap()
        });
        thread::sleep(10 * LOOK);
        assert_eq!(send(&listener, &post("/cb", &token, BODY)), "204");
    }
}

/// It ends when it is dropped, also while somebody is connected.
#[test]
fn it_ends_at_once() {
    let listener = listener();
    let address = listener.address();
    let _idle = TcpStream::connect(address).unwrap();
    drop(listener);
    assert!(TcpListener::bind(address).is_ok() || TcpStream::connect(address).is_err());
}
