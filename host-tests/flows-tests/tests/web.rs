//! The library's example of a web application, with two persons at once, each in a browser of their own: Chromium shows the
//! codes, node-oidc-provider judges what is sent.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};

use privyseal_test_base::privyseal;
use privyseal_test_base::tool::run;
use privyseal_test_judges::node;
use privyseal_test_servers::oidc_provider::{OidcProvider, Registration};
use privyseal_test_suite::softhsm::SoftHsmToken;
use serde_json::{Value, json};

const CLIENT: &str = "WXw9DMqkEv";
const PERSONS: [(&str, &str); 2] = [
    ("s-galadriel", "Galadriel"),
    ("s-samwise", "Samwise Gamgee"),
];

/// A program that ends with the test, and what it says.
struct Program {
    child: Child,
    stdin: ChildStdin,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            stdin,
            lines: Box::new(lines.map_while(Result::ok)),
        }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it says something")
    }

    fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Stage {
    provider: OidcProvider,
    address: String,
    _token: SoftHsmToken,
    _application: Program,
}

impl Stage {
    fn new() -> Self {
        let token = SoftHsmToken::new("web");
        token.generate_key(2048, "01", "signing");
        token.generate_decryption_key(2048, "02", "decryption");
        let (key, decryption_key) = (token.uri("signing"), token.uri("decryption"));
        let softhsm = |program: &std::path::Path| {
            let mut command = Command::new(program);
            command.env("SOFTHSM2_CONF", token.configuration());
            command
        };
        let jwks = run(softhsm(&privyseal::path()).args([
            "jwks",
            "--key",
            &key,
            "--encryption-key",
            &decryption_key,
        ]));
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap().to_string();
        let provider = OidcProvider::start(&Registration {
            id: CLIENT,
            jwks: serde_json::from_slice(&jwks).unwrap(),
            callback: Some(format!("http://{address}/ping")),
            encryption: Some(("RSA-OAEP", "A256GCM")),
            redirect_uri: None,
        });
        let example = privyseal::example("web");
        drop(held);
        let mut command = softhsm(&example);
        command.args([&key, &decryption_key, &provider.signing_kid(), CLIENT]);
        command.args([provider.issuer(), "TEST_LOGIN", &address]);
        let mut application = Program::start(command.arg(provider.cacert()));
        assert_eq!(application.line(), format!("listening on http://{address}"));
        Self {
            provider,
            address,
            _token: token,
            _application: application,
        }
    }

    /// The status of the answer, and its body.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let len = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}Content-Length: {len}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        (status.to_owned(), body.to_owned())
    }
}

#[test]
fn two_persons_at_once_each_see_their_own_code_and_name() {
    let stage = Stage::new();
    let waiting = json!({"never": true, "polls": [], "decision": "approve"});
    stage.provider.script(&waiting);
    let mut browser =
        Program::start(Command::new(node::interpreter()).arg(node::script("web.mjs")));
    let persons = PERSONS.map(|(sub, _)| sub);
    let setup = json!({"url": format!("http://{}/", stage.address), "persons": persons});
    writeln!(browser.stdin, "{setup}").unwrap();

    // Each phone scans what stands in its person's browser.
    let mut scans = serde_json::Map::new();
    for _ in PERSONS {
        let seen = browser.json();
        let shown = seen["qr"].as_str().unwrap();
        let image = shown.strip_prefix("data:image/jpeg;base64,").unwrap();
        let codes = stage.provider.events_of("qr");
        let code = codes.iter().find(|code| code["image"] == image).unwrap();
        let session = code["session"].as_str().unwrap().to_owned();
        let before = scans.insert(session, seen["person"].clone());
        assert_eq!(before, None, "a code of one's own");
    }
    let names: serde_json::Map<_, _> = PERSONS
        .into_iter()
        .map(|(sub, name)| (sub.to_owned(), json!(name)))
        .collect();
    stage.provider.script(&json!({
        "scannedAfter": 1, "scans": scans, "names": names, "polls": [], "decision": "approve", "after": 400,
    }));
    writeln!(browser.stdin).unwrap();
    for _ in PERSONS {
        let seen = browser.json();
        let person = PERSONS.iter().find(|(sub, _)| seen["person"] == *sub);
        let (_, name) = person.unwrap();
        assert_eq!(seen["text"], format!("Welcome, {name}"));
        assert_eq!(seen["hidden"], true, "the code is gone");
        assert_eq!(seen["script"], "", "no script of a page has the cookie");
    }
    let end = browser.json();
    assert_eq!(end["errors"], json!([]));
    let cookies = end["cookies"].as_array().unwrap();
    assert_eq!(cookies.len(), 2);
    assert_ne!(cookies[0]["value"], cookies[1]["value"]);
    for cookie in cookies {
        assert_eq!(
            (&cookie["httpOnly"], &cookie["sameSite"]),
            (&json!(true), &json!("Strict"))
        );
    }
    let pings = stage.provider.events_of("ping");
    assert_eq!(pings.len(), 2);
    assert!(pings.iter().all(|ping| ping["status"] == 204));
    assert!(stage.provider.events_of("error").is_empty());

    // Who has no cookie, or has made one up, sees nothing; who has no bearer token is no provider.
    for cookie in ["", "Cookie: login=x\r\n", "Cookie: login=\r\n"] {
        let (status, body) = stage.ask("GET", "/state", cookie, "");
        assert_eq!(
            (status.as_str(), body.as_str()),
            ("200", r#"{"state":"none"}"#)
        );
    }
    let ping = r#"{"auth_req_id":"x"}"#;
    for bearer in [
        "",
        "Authorization: Bearer x\r\n",
        "Authorization: Basic eA==\r\n",
    ] {
        assert_eq!(stage.ask("POST", "/ping", bearer, ping).0, "401");
    }
    assert_eq!(stage.ask("GET", "/ping", "", "").0, "405");
}
