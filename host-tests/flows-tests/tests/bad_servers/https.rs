//! The HTTPS client against servers that lie, dawdle, send elsewhere or are not who they should be. Each
//! is on loopback and ends with its test.

use std::time::{Duration, Instant};

use privyseal::http::HttpCause;
use privyseal::http::{HttpError, Response, Url};
use privyseal::oauth::AccessToken;
use privyseal::{BaseUrl, Http, HttpOptions};
use privyseal_test_servers::bad_server::{BadServer, Reply};
use zeroize::Zeroizing;

use crate::stage::http;

const MAX: usize = 1000;

fn url(server: &BadServer, path: &str) -> Url {
    let base: BaseUrl = server.base_url().parse().unwrap();
    base.join(path).unwrap()
}

fn post(server: &BadServer) -> Result<Response, HttpError> {
    http(server.certificate(), Duration::from_secs(5)).post_form(
        &url(server, "/oauth/token"),
        b"client_assertion=s3cr3t",
        MAX,
    )
}

fn answer(head: &str, body: &str) -> BadServer {
    let len = body.len();
    raw(format!(
        "HTTP/1.1 {head}\r\nContent-Length: {len}\r\n\r\n{body}"
    ))
}

fn raw(text: String) -> BadServer {
    BadServer::start(vec![Reply::Raw(text)])
}

/// What a failed request says; and that it says nothing of what was sent.
fn failure(server: &BadServer) -> HttpCause {
    let error = post(server).expect_err("no answer");
    let (mut text, mut source) = (error.to_string(), core::error::Error::source(&error));
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(!text.contains("s3cr3t"), "{text}");
    error.cause()
}

#[test]
fn a_form_goes_out_and_json_comes_back() {
    let server = answer(
        "200 OK\r\nContent-Type: Application/JSON; charset=utf-8",
        "{}",
    );
    let response = post(&server).unwrap();
    assert!(response.is_success());
    assert_eq!(response.media_type.as_deref(), Some("application/json"));
    assert_eq!(response.body.as_slice(), b"{}");

    let request = server.requests().remove(0);
    assert!(
        request.starts_with("POST /oauth/token HTTP/1.1\r\n"),
        "{request}"
    );
    let head = request.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{head}"
    );
    assert!(head.contains("accept: application/json\r\n"), "{head}");
    assert!(
        request.ends_with("\r\n\r\nclient_assertion=s3cr3t"),
        "{request}"
    );
}

#[test]
fn a_call_carries_the_bearer_token() {
    let server = answer("200 OK", "[]");
    let body = br#"{"access_token":"t0k3n","token_type":"Bearer"}"#.to_vec();
    let token = AccessToken::from_response(Zeroizing::new(body)).unwrap();
    let url = url(&server, "/contracts?page=2");
    let response = http(server.certificate(), Duration::from_secs(5))
        .get(&url, token.expose(), MAX)
        .unwrap();
    assert_eq!(response.status, 200);
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("GET /contracts?page=2 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request
            .to_ascii_lowercase()
            .contains("authorization: bearer t0k3n\r\n"),
        "{request}"
    );
}

#[test]
fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = answer("200 OK", "{}");
        let target = elsewhere.base_url();
        let server = answer(&format!("{status} Go\r\nLocation: {target}/x"), "");
        let response = post(&server).unwrap();
        assert!(response.is_redirect(), "{status}");
        assert_eq!(response.location, Some(format!("{target}/x")));
        assert!(
            elsewhere.requests().is_empty(),
            "{status}: nothing goes to another address"
        );
    }
}

#[test]
fn the_largest_body_fits_and_one_byte_more_does_not() {
    let fits = answer("200 OK", &"x".repeat(MAX));
    assert_eq!(post(&fits).unwrap().body.len(), MAX);
    let too_large = answer("200 OK", &"x".repeat(MAX + 1));
    assert_eq!(failure(&too_large), HttpCause::TooLarge(MAX));
    let endless = BadServer::start(vec![Reply::Endless]);
    assert_eq!(failure(&endless), HttpCause::TooLarge(MAX));
}

#[test]
fn a_server_without_a_trusted_certificate_gets_nothing() {
    let server = answer("200 OK", "{}");
    let url = url(&server, "/t");
    let platform = Http::new(&HttpOptions::default());
    let error = platform.post_form(&url, b"s3cr3t", MAX).unwrap_err();
    assert_eq!(error.cause(), HttpCause::UntrustedIssuer, "{error:?}");
    assert!(error.to_string().contains("no root that is trusted"));
    let other = answer("200 OK", "{}");
    let error = http(other.certificate(), Duration::from_secs(5))
        .post_form(&url, b"s3cr3t", MAX)
        .unwrap_err();
    assert_eq!(
        error.cause(),
        HttpCause::UntrustedIssuer,
        "roots that are given are instead of the machine's, not besides"
    );
    assert!(server.requests().is_empty());
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let server = BadServer::named("other.example", vec![Reply::json("200 OK", "{}")]);
    assert_eq!(failure(&server), HttpCause::WrongName);
    assert!(server.requests().is_empty());
}

#[test]
fn what_is_not_an_http_answer() {
    let garbage = raw("SSH-2.0-OpenSSH_9\r\n\r\n".to_owned());
    assert_eq!(failure(&garbage), HttpCause::NotHttp);
    let long_head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    assert_eq!(failure(&raw(long_head)), HttpCause::NotHttp);
    let silent = raw(String::new());
    assert!(matches!(
        failure(&silent),
        HttpCause::Connection | HttpCause::NotHttp
    ));
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned();
    assert!(matches!(
        failure(&raw(cut)),
        HttpCause::Connection | HttpCause::NotHttp
    ));
}

/// The time limit is for the whole request: a server that sends a byte now and then cannot stretch it.
#[test]
fn a_slow_server_and_a_silent_one_cost_bounded_time() {
    for reply in [Reply::Drip, Reply::Silence] {
        let server = BadServer::start(vec![reply]);
        let url = url(&server, "/t");
        let started = Instant::now();
        let error = http(server.certificate(), Duration::from_secs(2))
            .post_form(&url, b"x", MAX)
            .unwrap_err();
        assert_eq!(error.cause(), HttpCause::Timeout, "{error:?}");
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );
    }
}

#[test]
fn nobody_listening_is_a_clear_error() {
    let base = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("https://{}", listener.local_addr().unwrap())
    };
    let url = base.parse::<BaseUrl>().unwrap().join("/t").unwrap();
    let error = Http::new(&HttpOptions::default())
        .post_form(&url, b"x", MAX)
        .unwrap_err();
    assert_eq!(error.cause(), HttpCause::Connection, "{error:?}");
}
