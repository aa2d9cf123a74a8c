//! The token endpoint, as the pages on access tokens have it; introspection, and the receiver for other languages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use std::sync::Arc;

use privyseal::UnixTime;
use privyseal_core::token::request::CLIENT_ASSERTION_TYPE;
use privyseal_receiver::TokenForm;
use privyseal_receiver::replay::StoreError;
use privyseal_receiver::server::{Grant, ServerError, TokenServer, TokenStore};
use privyseal_test_base::scratch::workspace;
use privyseal_test_servers::ishare_server::IshareServer;
use privyseal_test_servers::redis_server::{free_port, wait_for};
use serde_json::json;
use tempfile::TempDir;

use crate::http::{FORM, Response, post, request};
use crate::stage::{CONSUMER, World};

/// The public address and the internal one. The server runs as long as the process.
pub(crate) fn serve(world: &World) -> (SocketAddr, SocketAddr) {
    let stage = world.play_online(world.honest());
    serve_with(TokenServer::new(stage.receiver), stage.server)
}

/// The same of a server with that registry, if it is one.
pub(crate) fn serve_with(
    server: TokenServer,
    registry: Option<IshareServer>,
) -> (SocketAddr, SocketAddr) {
    let loopback = || "127.0.0.1:0".parse().unwrap();
    let bound = server.bind(loopback(), loopback()).unwrap();
    let addresses = bound.addresses().unwrap();
    thread::spawn(move || {
        let _registry = registry;
        bound.run_until(std::future::pending())
    });
    addresses
}

/// A token request for that assertion, without the members named in `without`.
pub(crate) fn form(assertion: &str, without: &[&str]) -> String {
    let members = [
        ("grant_type", "client_credentials"),
        ("scope", "iSHARE"),
        ("client_id", CONSUMER),
        ("client_assertion_type", CLIENT_ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    let members = members.iter().filter(|(name, _)| !without.contains(name));
    let members: Vec<_> = members
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    members.join("&")
}

#[test]
fn the_token_endpoint_gives_an_opaque_token_that_introspection_knows() {
    let world = World::new();
    let (public, internal) = serve(&world);
    let answer = post(public, "/connect/token", &form(&world.assertion(), &[]));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let given = answer.json();
    let token = given["access_token"].as_str().unwrap();
    // "Servers MUST NOT issue refresh tokens": nothing else is there.
    let whole = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 });
    assert_eq!(given, whole);
    // 256 bits.
    assert_eq!(token.len(), 43);
    let older = post(public, "/oauth2.0/token", &form(&world.assertion(), &[])).json();
    assert_ne!(older["access_token"], given["access_token"]);
    let about = post(internal, "/v1/introspect", &format!("token={token}")).json();
    assert_eq!(
        (&about["active"], &about["client_id"]),
        (&json!(true), &json!(CONSUMER))
    );
    let lives = about["exp"].as_u64().unwrap() - about["iat"].as_u64().unwrap();
    assert_eq!(lives, 3600);
    let unknown = post(internal, "/v1/introspect", "token=x").json();
    assert_eq!(unknown, json!({ "active": false }));
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let good = request(internal, "GET", "/v1/authorize", &bearer(token), "");
    assert_eq!(
        (good.status, good.header("x-client-id")),
        (204, Some(CONSUMER))
    );
    for (headers, challenge) in [
        (bearer("x"), "Bearer error=\"invalid_token\""),
        (
            "Authorization: bearer\r\n".to_owned(),
            "Bearer error=\"invalid_token\"",
        ),
        (bearer(token).repeat(2), "Bearer error=\"invalid_token\""),
        (bearer("caf\u{e9}"), "Bearer error=\"invalid_token\""),
        (String::new(), "Bearer"),
        ("Authorization: Basic eDp4\r\n".to_owned(), "Bearer"),
    ] {
        let bad = request(internal, "GET", "/v1/authorize", &headers, "");
        assert_eq!(
            (bad.status, bad.header("www-authenticate")),
            (401, Some(challenge))
        );
    }
}

/// "HTTP GET calls MUST be disabled to the /oauth2.0/token endpoint."
#[test]
fn the_token_endpoint_takes_post_and_nothing_else() {
    let world = World::new();
    let (public, internal) = serve(&world);
    for path in ["/connect/token", "/oauth2.0/token"] {
        let query = format!("{path}?{}", form(&world.assertion(), &[]));
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            let answer = request(public, method, path, "", "");
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("POST")),
                "{method}"
            );
        }
        let answer = request(public, "GET", &query, "", "");
        assert_eq!(answer.status, 405);
        assert_eq!(answer.json(), json!({ "error": "invalid_request" }));
    }
    for path in [
        "/v1/accept",
        "/v1/introspect",
        "/v1/authorize",
        "/live",
        "/",
        "/connect/token/",
    ] {
        assert_eq!(
            post(public, path, "token=x").status,
            404,
            "{path} is not public"
        );
    }
    assert_eq!(post(internal, "/connect/token", "").status, 404);
    for method in ["GET", "HEAD"] {
        assert_eq!(request(internal, method, "/live", "", "").status, 204);
    }
}

#[test]
fn each_wrong_request_has_its_error_of_rfc_6749() {
    let world = World::new();
    let (public, _) = serve(&world);
    let good = world.assertion();
    let replaced = |from: &str, to: &str| form(&good, &[]).replace(from, to);
    let twice = format!("{}&scope=iSHARE", form(&good, &[]));
    for (body, error) in [
        (replaced("scope=iSHARE", "scope=ishare"), "invalid_scope"),
        (
            replaced("scope=iSHARE", "scope=iSHARE openid"),
            "invalid_scope",
        ),
        (
            replaced("client_credentials", "authorization_code"),
            "unsupported_grant_type",
        ),
        (form(&good, &["grant_type"]), "invalid_request"),
        (form(&good, &["scope"]), "invalid_scope"),
        (form(&good, &["client_id"]), "invalid_request"),
        (form(&good, &["client_assertion"]), "invalid_request"),
        (form(&good, &["client_assertion_type"]), "invalid_request"),
        (replaced("jwt-bearer", "saml2-bearer"), "invalid_request"),
        (form(&good, &[]) + "&client_secret=x", "invalid_request"),
        (twice, "invalid_request"),
        (String::new(), "invalid_request"),
        ("x".repeat(1_000_000), "invalid_request"),
        (replaced(CONSUMER, "EU.EORI.NL000000009"), "invalid_client"),
        (form("a.b.c", &[]), "invalid_client"),
    ] {
        let answer = post(public, "/connect/token", &body);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json(), json!({ "error": error }), "{body:.80}");
    }
    let as_json = request(
        public,
        "POST",
        "/connect/token",
        "Content-Type: application/json\r\n",
        &form(&good, &[]),
    );
    assert_eq!(as_json.json(), json!({ "error": "invalid_request" }));
    // RFC 6749 section 2.3: "The client MUST NOT use more than one authentication method in each request."
    let basic = format!("{FORM}Authorization: Basic eDp4\r\n");
    let twice = request(public, "POST", "/connect/token", &basic, &form(&good, &[]));
    assert_eq!(twice.json(), json!({ "error": "invalid_request" }));
    // Section 5.2, invalid_client: "no client authentication included, or unsupported authentication method".
    let none = form(&good, &["client_assertion", "client_assertion_type"]);
    for (headers, body, status) in [
        (FORM, none.clone(), 400),
        (FORM, none.clone() + "&client_secret=x", 400),
        (&*basic, none, 401),
    ] {
        let answer = request(public, "POST", "/connect/token", headers, &body);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.json(), json!({ "error": "invalid_client" }));
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
    // None of it used the assertion up; once it counts.
    assert_eq!(
        post(public, "/connect/token", &form(&good, &[])).status,
        200
    );
    let again = post(public, "/connect/token", &form(&good, &[]));
    assert_eq!(again.json(), json!({ "error": "invalid_client" }));
}

#[test]
fn a_service_in_any_language_gets_the_party_or_the_rule() {
    let world = World::new();
    let (_, internal) = serve(&world);
    let assertion = world.assertion();
    let party = post(internal, "/v1/accept", &form(&assertion, &[])).json();
    assert_eq!(party["client_id"], CONSUMER);
    assert_eq!(party["claims"]["iss"], CONSUMER);
    assert_eq!(party["party_info"]["adherence"]["status"], "Active");
    let refused = post(internal, "/v1/accept", &form(&assertion, &[]));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["rule"], "replay");
}

/// A token store that is away.
#[derive(Debug)]
struct Away;

impl TokenStore for Away {
    fn keep(&self, _token: [u8; 32], _grant: &Grant) -> Result<(), StoreError> {
        Err(StoreError::Away("on purpose".to_owned()))
    }

    fn find(&self, _token: &[u8; 32], _now: UnixTime) -> Result<Option<Grant>, StoreError> {
        Err(StoreError::Away("on purpose".to_owned()))
    }
}

/// A store that never answers.
#[derive(Debug)]
struct Hangs(mpsc::Sender<()>);

impl TokenStore for Hangs {
    fn keep(&self, _token: [u8; 32], _grant: &Grant) -> Result<(), StoreError> {
        Ok(())
    }

    fn find(&self, _token: &[u8; 32], _now: UnixTime) -> Result<Option<Grant>, StoreError> {
        self.0.send(()).unwrap();
        loop {
            thread::park();
        }
    }
}

#[test]
fn what_hangs_does_not_keep_the_server_from_its_end() {
    let world = World::new();
    let stage = world.play(world.honest());
    let (called, calls) = mpsc::channel();
    let server = TokenServer::new(stage.receiver).tokens(Arc::new(Hangs(called)));
    let loopback = || "127.0.0.1:0".parse().unwrap();
    let bound = server.bind(loopback(), loopback()).unwrap();
    let (_, internal) = bound.addresses().unwrap();
    let (stop, stopped) = mpsc::channel::<()>();
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let stop = async {
            drop(tokio::task::spawn_blocking(move || stopped.recv()).await);
            Ok(())
        };
        end.send(bound.run_until(stop).is_ok()).unwrap();
    });
    let mut stream = TcpStream::connect(internal).unwrap();
    stream
        .write_all(b"GET /v1/authorize HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n")
        .unwrap();
    calls.recv_timeout(Duration::from_secs(120)).unwrap();
    drop((stream, stop));
    assert!(ended.recv_timeout(Duration::from_secs(120)).unwrap());
}

#[test]
fn each_answer_that_the_token_store_failed_is_in_the_log_once() {
    let world = World::new();
    let stage = world.play(world.honest());
    let (line, lines) = mpsc::channel();
    let server = TokenServer::new(stage.receiver).tokens(Arc::new(Away));
    let server = server.watched(move |outcome| {
        let outcome = outcome.map(|party| party.id().to_owned());
        line.send(outcome.map_err(ToString::to_string)).unwrap();
    });
    let (public, internal) = serve_with(server, stage.server);
    let failed = Err("unavailable: the token store: it is away: on purpose".to_owned());
    let bearer = "Authorization: Bearer x\r\n";
    for ask in [
        &|| post(public, "/connect/token", &form(&world.assertion(), &[])),
        &|| post(internal, "/v1/introspect", "token=x"),
        &|| request(internal, "GET", "/v1/authorize", bearer, ""),
    ] as [&dyn Fn() -> Response; 3]
    {
        assert_eq!(ask().status, 503);
        assert_eq!(
            lines.try_iter().collect::<Vec<_>>(),
            std::slice::from_ref(&failed)
        );
    }
    // What needs no token is not failed by it.
    let accepted = post(internal, "/v1/accept", &form(&world.assertion(), &[]));
    assert_eq!(accepted.status, 200);
    assert_eq!(lines.try_recv(), Ok(Ok(CONSUMER.to_owned())));
}

/// Whichever rule is broken, and where.
#[test]
fn each_refusal_of_an_assertion_says_whose_it_claims_to_be() {
    let world = World::new();
    let stage = world.play(world.honest());
    let (line, lines) = mpsc::channel();
    let server = TokenServer::new(stage.receiver).tokens(Arc::new(Away));
    let server = server.watched(move |outcome| {
        let rejection = outcome.unwrap_err();
        let claimed = rejection
            .claimed()
            .map(|(id, jti)| (id.to_owned(), !jti.is_empty()));
        line.send((rejection.rule().name(), claimed)).unwrap();
    });
    let (public, internal) = serve_with(server, stage.server);
    let good = form(&world.assertion(), &[]);
    let basic = format!("{FORM}Authorization: Basic eDp4\r\n");
    let replaced = |from: &str, to: &str| good.replace(from, to);
    for (address, headers, body, rule) in [
        (public, FORM, replaced("=iSHARE", "=x"), "scope"),
        (
            public,
            FORM,
            replaced("client_credentials", "x"),
            "grant-type",
        ),
        (public, FORM, replaced("jwt-bearer", "x"), "token-request"),
        (public, FORM, good.clone() + "&scope=x", "token-request"),
        (
            internal,
            FORM,
            good.clone() + "&client_id=x",
            "token-request",
        ),
        (public, &*basic, good.clone(), "token-request"),
        (
            internal,
            FORM,
            replaced("client_id=did", "client_id=x"),
            "client-id",
        ),
        (public, FORM, good.clone(), "unavailable"),
    ] {
        let path = if address == public {
            "/connect/token"
        } else {
            "/v1/accept"
        };
        assert_ne!(request(address, "POST", path, headers, &body).status, 200);
        let claimed = Some((CONSUMER.to_owned(), true));
        assert_eq!(lines.try_recv(), Ok((rule, claimed)), "{body:.80}");
    }
}

/// What is no form at all is in the log as what is a wrong one.
#[test]
fn each_refusal_of_a_form_is_in_the_log_once() {
    let world = World::new();
    let stage = world.play(world.honest());
    let (line, lines) = mpsc::channel();
    let server = TokenServer::new(stage.receiver).watched(move |outcome| {
        line.send(outcome.unwrap_err().to_string()).unwrap();
    });
    let (public, internal) = serve_with(server, stage.server);
    let good = form(&world.assertion(), &[]);
    let long = "x".repeat(1_000_000);
    let basic = format!("{FORM}Authorization: Basic eDp4\r\n");
    let cases = [
        (
            public,
            "/connect/token",
            "Content-Type: text/plain\r\n",
            &good,
            "is not application/x-www-form",
        ),
        (
            internal,
            "/v1/accept",
            "",
            &good,
            "is not application/x-www-form",
        ),
        (public, "/connect/token", FORM, &long, "or was cut short"),
        (
            public,
            "/connect/token",
            &basic,
            &good,
            "Authorization is there beside the assertion",
        ),
        (internal, "/v1/introspect", FORM, &good, "token is missing"),
    ];
    for (address, path, headers, body, words) in cases {
        let answer = request(address, "POST", path, headers, body);
        assert_eq!(answer.status, 400, "{answer:?}");
        let said: Vec<_> = lines.try_iter().collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("token-request: ") && said[0].contains(words),
            "{said:?}"
        );
    }
    // One whose body never comes.
    let mut silent = TcpStream::connect(public).unwrap();
    let head =
        format!("POST /connect/token HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 9\r\n\r\nx");
    silent.write_all(head.as_bytes()).unwrap();
    let said = lines.recv_timeout(Duration::from_secs(120)).unwrap();
    assert!(said.contains("did not come in time"), "{said}");
}

#[test]
fn the_internal_address_is_on_loopback() {
    let world = World::new();
    let stage = world.play(world.honest());
    let address = |text: &str| text.parse().unwrap();
    let bound = TokenServer::new(stage.receiver).bind(address("127.0.0.1:0"), address("0.0.0.0:0"));
    assert!(matches!(bound, Err(ServerError::NotLoopback(_))));
}

/// Clients that say nothing, or little, keep nobody out.
#[test]
fn silent_clients_keep_nobody_out() {
    let world = World::new();
    let (public, _) = serve(&world);
    let silent: Vec<_> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(public).unwrap();
            if number % 2 == 0 {
                let head = format!(
                    "POST /connect/token HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 99\r\n\r\nx"
                );
                stream.write_all(head.as_bytes()).unwrap();
            }
            stream
        })
        .collect();
    let answer = post(public, "/connect/token", &form(&world.assertion(), &[]));
    assert_eq!(answer.status, 200, "{answer:?}");
    // Who began to speak is told that the rest did not come.
    let mut line = String::new();
    BufReader::new(&silent[0]).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 400 Bad Request\r\n");
}

/// The example of the documentation, as it stands but for its ports.
struct Nginx {
    process: Child,
    front: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    fn start(public: u16, internal: u16) -> Self {
        let (front, api) = (free_port(), free_port());
        let mut text =
            fs::read_to_string(workspace().join("host/receiver/examples/nginx.conf")).unwrap();
        for (from, to) in [(8480, public), (8481, internal), (8443, front), (8082, api)] {
            text = text.replace(&format!(":{from}"), &format!(":{to}"));
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .args(["-e", "stderr"])
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx, which cargo xtask setup installs");
        let nginx = Self {
            process,
            front: SocketAddr::from(([127, 0, 0, 1], front)),
            _folder: folder,
        };
        wait_for(nginx.front);
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        let _ = Command::new("kill").arg(id).status();
        let _ = self.process.wait();
    }
}

#[test]
fn nginx_lets_those_in_who_have_a_token() {
    let world = World::new();
    let (public, internal) = serve(&world);
    let nginx = Nginx::start(public.port(), internal.port());
    let front = nginx.front;
    assert_eq!(request(front, "GET", "/orders", "", "").status, 401);
    let given = post(front, "/connect/token", &form(&world.assertion(), &[])).json();
    let bearer = format!(
        "Authorization: Bearer {}\r\nX-Client-Id: somebody\r\n",
        given["access_token"].as_str().unwrap()
    );
    let many = "X-More: x\r\n".repeat(120);
    let answer = request(front, "GET", "/orders", &(bearer.clone() + &many), "");
    assert_eq!(answer.status, 200);
    let longest = "x".repeat(TokenForm::MAX_BYTES);
    let answer = post(front, "/connect/token", &longest);
    assert_eq!(answer.json(), json!({ "error": "invalid_request" }));
    let orders = request(front, "GET", "/orders", &bearer, "");
    assert_eq!(
        (orders.status, orders.body.as_str()),
        (200, &*format!("hello {CONSUMER}"))
    );
    assert_eq!(
        request(front, "GET", "/orders", "Authorization: Bearer x\r\n", "").status,
        401
    );
    assert_eq!(request(front, "GET", "/authorize", &bearer, "").status, 404);
    // While nobody can tell, nothing is said against the token.
    let alone = Nginx::start(public.port(), free_port());
    assert_eq!(
        request(alone.front, "GET", "/orders", &bearer, "").status,
        503
    );
}
