//! The commands that ask an OpenID provider, and the one that asks any server for its time.

use core::time::Duration;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use privyseal::UnixTime;
use privyseal::http::RetryAfter;
use privyseal::report::PublishedKeys;
use privyseal_test_base::tool;
use privyseal_test_pki::pem_chain;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::flow::{Client, KEY, Outcome};
use privyseal_test_suite::softhsm::SoftHsmToken;

use serde_json::{Value, json};

use crate::ciba::{jwks, signed_by};
use crate::stage::{BEARER, for_each, http, nothing_leaks};

const REALM: &str = "/realms/R";

fn metadata(server: &str) -> Reply {
    let issuer = format!("{server}{REALM}");
    let body = format!(
        r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token",
        "introspection_endpoint":"{issuer}/introspect","userinfo_endpoint":"{issuer}/userinfo"}}"#
    );
    Reply::json("200 OK", &body)
}

fn run(client: &Client, words: &[&str], server: &BadServer) -> Outcome {
    let port = server.base_url().rsplit(':').next().unwrap().to_owned();
    let name = format!("ca-{port}.pem");
    let ca = client.file(&name, pem_chain(&[server.certificate()]));
    let files: &[(&str, &Path)] = &[("--cacert", &ca)];
    client.run(&[words, &["--timeout", "2"]].concat(), files)
}

/// A provider that fails at its metadata, or at what comes after them: whether it gives the metadata, what it
/// says then, exit code, words.
#[test]
fn what_comes_after_the_token() {
    // A JWS of an unknown key, so that the keys are read.
    let jws = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.c2ln";
    for_each(
        &[
            ("--introspect", BEARER, "larger than 65536 bytes"),
            ("--userinfo", BEARER, "larger than 1048576 bytes"),
            ("--claims", jws, "larger than 262144 bytes"),
        ],
        |(switch, token, too_large)| {
            let (refused, left_out) = match switch {
                "--claims" => (1, "HTTP 401, invalid_client"),
                _ => (1, "token left out"),
            };
            // Processes that use one token at once disturb each other.
            let client = Client::new();
            let broke = "no connection, or it broke off";
            for (knows_metadata, reply, code, words) in [
                (false, Reply::Drip, 4, "no complete answer in time"),
                (false, Reply::Close, 4, broke),
                (false, Reply::json("200 OK", "{}"), 4, "issuer is missing"),
                (true, Reply::Silence, 4, "no complete answer in time"),
                (true, Reply::DripHead, 4, "no complete answer in time"),
                (true, Reply::Close, 4, broke),
                (true, Reply::Endless, 4, too_large),
                (true, Reply::json("200 OK", "[]"), 4, "JSON"),
                (true, Reply::Echo(401), refused, left_out),
            ] {
                let server = BadServer::at_home(|server| {
                    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#);
                    let mut replies = vec![Reply::json("200 OK", &body)];
                    if knows_metadata {
                        replies.push(metadata(server));
                    }
                    // For each of four tries.
                    replies.extend(std::iter::repeat_n(reply.clone(), 4));
                    replies
                });
                let base_url = server.base_url();
                let asked = ["token", "--scheme", "ehealth", "--client-id", "laboratory"];
                let at = ["--base-url", &base_url, "--realm", "R", switch];
                let outcome = run(&client, &[asked, at].concat(), &server);
                outcome.failed(code, words);
                assert_eq!(outcome.stdout, "", "{switch} {reply:?}");
                assert!(!outcome.stderr.contains("c2ln"), "{}", outcome.stderr);
                nothing_leaks(&outcome.stderr, &server);
                assert!(server.requests().len() <= 6, "{switch} {reply:?}");
            }
        },
    );
}

const AT_REALM: [&str; 6] = [
    "--scheme",
    "ehealth",
    "--client-id",
    "laboratory",
    "--realm",
    "R",
];

/// What would fail after the person has logged in fails before they are shown anything.
#[test]
fn what_can_be_known_before_a_login_is_found_before() {
    let client = Client::new();
    let said = |server: &str, more: &str| {
        let issuer = format!("{server}{REALM}");
        let usual = format!(r#","authorization_endpoint":"{issuer}/auth""#);
        let usual = if more.contains("client%5Fid") {
            ""
        } else {
            &usual
        };
        let body = format!(
            r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token"{usual}{more}}}"#
        );
        Reply::json("200 OK", &body)
    };
    let other = r#","id_token_signing_alg_values_supported":["ES256"]"#;
    let plain = r#","userinfo_endpoint":"https://127.0.0.1/userinfo","code_challenge_methods_supported":["plain"]"#;
    let twice = r#","userinfo_endpoint":"https://127.0.0.1/userinfo","authorization_endpoint":"https://127.0.0.1/a?client%5Fid=x""#;
    let pushed = r#","userinfo_endpoint":"https://127.0.0.1/userinfo","require_pushed_authorization_requests":true"#;
    let unfit = |name, value| {
        format!(r#","userinfo_endpoint":"https://127.0.0.1/userinfo","{name}":{value}"#)
    };
    let mut rows: Vec<_> = [
        (
            "token_endpoint_auth_methods_supported",
            r#"["client_secret_basic"]"#,
        ),
        ("response_types_supported", r#"["id_token"]"#),
        ("response_modes_supported", r#"["form_post"]"#),
        ("grant_types_supported", r#"["implicit"]"#),
        ("prompt_values_supported", r#"["login"]"#),
        ("scopes_supported", r#"["profile"]"#),
        (
            "request_object_signing_alg_values_supported",
            r#"["ES256"]"#,
        ),
        ("request_parameter_supported", "false"),
    ]
    .map(|(name, value)| (unfit(name, value), jwks(), name))
    .into();
    let others = [
        (
            "",
            jwks(),
            "userinfo_endpoint is not in the provider's metadata",
        ),
        (plain, jwks(), "do not offer S256 for PKCE"),
        (
            twice,
            jwks(),
            "has client_id in its query, which the request sets, too",
        ),
        (
            pushed,
            jwks(),
            "pushed_authorization_request_endpoint is not in the provider's metadata",
        ),
        (other, jwks(), "id_token_signing_alg_values_supported"),
        (
            r#","userinfo_endpoint":"https://127.0.0.1/userinfo""#,
            Reply::json("200 OK", r#"{"keys":[]}"#),
            "the key set has no RSA key that signs",
        ),
        (
            r#","userinfo_endpoint":"https://127.0.0.1/userinfo""#,
            Reply::json(
                "200 OK",
                r#"{"keys":[{"kty":"RSA","kid":"a","n":"AAAA","e":"AQ"}]}"#,
            ),
            "the key set has no RSA key that signs that can be used",
        ),
    ];
    rows.extend(others.map(|(more, reply, words)| (more.to_owned(), reply, words)));
    for (more, reply, words) in rows {
        let server = BadServer::at_home(|server| vec![said(server, &more), reply.clone()]);
        let asked = ["--userinfo", "--signed-request", "--prompt", "consent"];
        let base_url = server.base_url();
        let at = [&["--base-url", &base_url], &asked[..]].concat();
        let outcome = run(&client, &[&["login"], &AT_REALM[..], &at].concat(), &server);
        outcome.failed(4, words);
        assert!(!outcome.stderr.contains("open this address"), "{words}");
    }
    // As what an assertion may say, before anybody is asked.
    let words = [&["login"], &AT_REALM[..], &["--backdate", "6"]].concat();
    let outcome = client.run(&words, &[]);
    outcome.failed(1, "backdate is 6, allowed are 0 to 5");
    assert!(!outcome.stderr.contains("open this address"));
    // A scope is judged before anything is said of it.
    let listed = r#","scopes_supported":["openid"]"#;
    let server = BadServer::at_home(|server| vec![said(server, listed), jwks()]);
    let base_url = server.base_url();
    let asked = ["--base-url", &base_url, "--scope", "a\u{1b}[2J"];
    let outcome = run(
        &client,
        &[&["login"], &AT_REALM[..], &asked].concat(),
        &server,
    );
    outcome.failed(2, "RFC 6749 section 3.3");
    assert!(!outcome.stderr.contains('\u{1b}'), "{:?}", outcome.stderr);
}

/// eHealth's metadata may have a name of their own for it.
#[test]
fn the_introspection_endpoint_by_the_name_that_ehealth_has_for_it() {
    let client = Client::new();
    let file = client.file("token", BEARER);
    let server = BadServer::at_home(|server| {
        let issuer = format!("{server}{REALM}");
        let body = format!(
            r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token",
            "token_introspection_endpoint":"{issuer}/ask"}}"#
        );
        vec![
            Reply::json("200 OK", &body),
            Reply::json("200 OK", r#"{"active":true}"#),
        ]
    });
    let at = ["--base-url", &server.base_url(), file.to_str().unwrap()];
    let words = [&["introspect"], &AT_REALM[..], &at].concat();
    assert_eq!(run(&client, &words, &server).json()["active"], true);
    assert!(server.requests()[1].starts_with("POST /realms/R/ask "));
}

/// It is good once, and nobody knows whether the server has used it.
#[test]
fn a_refresh_token_that_may_be_spent_is_not_to_be_tried_again() {
    let client = Client::new();
    let file = client.file("refresh", BEARER);
    for (reply, is_unknown) in [
        (Reply::json("500 Broken", "{}"), true),
        (Reply::json("502 Bad", "{}"), true),
        (Reply::json("400 No", r#"{"error":"server_error"}"#), true),
        (Reply::Close, true),
        (Reply::Silence, true),
        (Reply::json("408 Late", "{}"), true),
        (Reply::busy("503 Busy", "60"), true),
        (Reply::json("200 OK", "{}"), true),
        (Reply::of_type("200 OK", "text/html", "<html>"), true),
        (Reply::busy("429 Busy", "60"), false),
        (Reply::json("400 No", r#"{"error":"invalid_grant"}"#), false),
    ] {
        let server = BadServer::at_home(|server| vec![metadata(server), jwks(), reply.clone()]);
        let base_url = server.base_url();
        let at = ["--base-url", &base_url, "--refresh-token-file"];
        let words = [&["refresh"], &AT_REALM[..], &at, &[file.to_str().unwrap()]].concat();
        let outcome = run(&client, &words, &server);
        assert_eq!(server.requests().len(), 3, "{reply:?}: {}", outcome.stderr);
        let says = outcome.stderr.contains("use it no more");
        assert_eq!(says, is_unknown, "{reply:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("try again later; each") || !is_unknown);
        nothing_leaks(&outcome.stderr, &server);
    }
}

/// Who ends the command while the server has the token is told what that costs.
#[test]
fn a_refresh_that_is_ended_from_outside_says_what_became_of_the_token() {
    let silence = || vec![jwks(), Reply::Silence];
    for (signal, replies, is_sent) in [
        ("-TERM", vec![Reply::Silence], false),
        ("-TERM", silence(), true),
        ("-QUIT", silence(), true),
        ("-ALRM", silence(), true),
        ("-USR1", silence(), true),
    ] {
        let (code, stdout, stderr) = ended_from_outside(signal, replies);
        let says = stderr.contains("may be spent: use it no more");
        assert_eq!(says, is_sent, "{signal}: {stderr}");
        assert_eq!((code, &*stdout), (None, ""), "ended by the signal");
    }
}

/// Who does not wait for the provider's keys has the tokens that came.
#[test]
fn a_refresh_that_is_ended_while_the_keys_are_awaited_prints_what_came() {
    let tokens = json!({
        "access_token": "a1b2", "token_type": "Bearer", "refresh_token": "c3\u{202e}d4",
        "id_token": signed_by("op-2", &json!({"sub": "alice"})),
    });
    let granted = Reply::json("200 OK", &tokens.to_string());
    let (code, stdout, stderr) = ended_from_outside("-INT", vec![jwks(), granted, Reply::Silence]);
    assert_eq!(code, Some(7), "{stderr}");
    assert!(
        stderr.contains("the tokens are printed, and the id_token"),
        "{stderr}"
    );
    assert!(
        !stderr.contains("spent") && !stdout.contains('\u{202e}'),
        "{stderr}"
    );
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), tokens);
}

/// Ends a refresh once the server has had a request for each of `replies`: exit code, standard output and error.
fn ended_from_outside(signal: &str, replies: Vec<Reply>) -> (Option<i32>, String, String) {
    let client = Client::new();
    let file = client.file("refresh", BEARER);
    let count = replies.len() + 1;
    let server = BadServer::at_home(|server| [vec![metadata(server)], replies].concat());
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let base_url = server.base_url();
    let words = [
        &["refresh"],
        &AT_REALM[..],
        &["--base-url", &base_url, "--timeout", "60"],
    ];
    let mut command = client.command(&words.concat());
    command
        .arg("--cacert")
        .arg(ca)
        .arg("--refresh-token-file")
        .arg(file);
    let child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let child = child.unwrap();
    await_requests(&server, count);
    let pid = child.id().to_string();
    tool::run(Command::new("kill").args([signal, &pid]));
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    nothing_leaks(&stderr, &server);
    (output.status.code(), stdout, stderr)
}

fn await_requests(server: &BadServer, count: usize) {
    for _ in 0..600 {
        if server.requests().len() == count {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{:?}", server.requests());
}

/// Who ends the command while the server has the code is told that, too.
#[test]
fn a_login_that_is_ended_while_the_server_has_the_code_says_so() {
    let client = Client::new();
    let server = BadServer::at_home(|server| {
        let issuer = format!("{server}{REALM}");
        let body = format!(
            r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token",
            "authorization_endpoint":"{issuer}/auth"}}"#
        );
        vec![Reply::json("200 OK", &body), jwks(), Reply::Silence]
    });
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let at = ["--base-url", &server.base_url(), "--timeout", "60"];
    let mut command = client.command(&[&["login"], &AT_REALM[..], &at].concat());
    command.arg("--cacert").arg(ca).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("redirect_uri=") {
        line.clear();
        assert_ne!(
            stderr.read_line(&mut line).unwrap(),
            0,
            "no address to open"
        );
    }
    let parameter = |name: &str| {
        let (_, rest) = line.split_once(&format!("&{name}=")).unwrap();
        rest.split('&')
            .next()
            .unwrap()
            .replace("%3A", ":")
            .replace("%2F", "/")
    };
    let (redirect, state) = (parameter("redirect_uri"), parameter("state"));
    let (address, path) = redirect
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut browser = TcpStream::connect(address).unwrap();
    write!(
        browser,
        "GET /{path}?code=c&state={state} HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    .unwrap();
    await_requests(&server, 3);
    tool::run(Command::new("kill").args(["-INT", &child.id().to_string()]));
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("may be spent: use it no more"), "{said}");
    assert_eq!(child.wait().unwrap().code(), None, "ended by the signal");
}

/// While the key signs, nothing is sent, and so nothing is spent.
#[test]
fn a_refresh_that_is_ended_while_the_key_signs_spends_nothing() {
    let client = Client::new();
    let file = client.file("refresh", BEARER);
    let server = BadServer::at_home(|server| vec![metadata(server), jwks()]);
    let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
    let (shim, real) = (FaultShim::new(client.token.dir()), SoftHsmToken::module());
    shim.rules(&["C_Sign * hang 100000"]);
    let [module, behind] = [&real, &FaultShim::module()].map(|it| it.display().to_string());
    let uri = client.token.uri(KEY).replace(&module, &behind);
    let plain = client.command(&[]);
    let mut command = Command::new(plain.get_program());
    command
        .args(["refresh"])
        .args(AT_REALM)
        .args(["--base-url", &server.base_url(), "--key", &uri])
        .arg("--cacert")
        .arg(ca)
        .arg("--refresh-token-file")
        .arg(file)
        .env("SOFTHSM2_CONF", client.token.configuration())
        .envs(shim.environment(&real));
    let child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let child = child.unwrap();
    for _ in 0..600 {
        if shim.calls("C_SignInit") > 0 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.requests().len(), 2, "the metadata and the keys");
    tool::run(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("may be spent"), "{stderr}");
    assert_eq!(output.status.code(), None, "ended by the signal");
}

/// What a server wrote steers no terminal, and is the same JSON.
#[test]
fn a_servers_json_steers_no_terminal() {
    let client = Client::new();
    let file = client.file("token", BEARER);
    let said = "{\t\"active\":true,\r\n\"username\":\"\u{202e}ecila\u{9b}2J\"}";
    let granted = format!(
        "{{\t\"access_token\":\"{BEARER}\",\"token_type\":\"Bearer\",\"by\":\"\u{202e}\u{9b}2J\"}}"
    );
    let file = file.to_str().unwrap();
    for (command, option, expected) in [
        ("introspect", file, said),
        ("token", "--output=json", &granted),
        ("token", "--introspect", said),
    ] {
        let server = BadServer::at_home(|server| {
            let grants = (command == "token").then(|| Reply::json("200 OK", &granted));
            let tells = (expected == said).then(|| [metadata(server), Reply::json("200 OK", said)]);
            grants
                .into_iter()
                .chain(tells.into_iter().flatten())
                .collect()
        });
        let base_url = server.base_url();
        let more = ["--base-url", &base_url, option];
        let outcome = run(
            &client,
            &[&[command], &AT_REALM[..], &more].concat(),
            &server,
        );
        let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!outcome.stdout.contains(steers), "{:?}", outcome.stdout);
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(outcome.json(), expected, "{command} {option}");
    }
}

/// Tokens whose id_token cannot be judged now are printed as they came, and not called success.
#[test]
fn a_refresh_whose_id_token_cannot_be_judged() {
    let client = Client::new();
    let file = client.file("refresh", BEARER);
    let tokens = json!({
        "access_token": "a1b2", "token_type": "Bearer", "refresh_token": "c3d4",
        "id_token": signed_by("op-2", &json!({"sub": "alice"})),
    });
    let server = BadServer::at_home(|server| {
        let mut replies = vec![metadata(server), jwks()];
        replies.push(Reply::json("200 OK", &tokens.to_string()));
        replies.push(Reply::json("403 No", "{}"));
        replies
    });
    let (base_url, file) = (server.base_url(), file.to_str().unwrap());
    let at = ["--base-url", &base_url, "--refresh-token-file", file];
    let words = [&["refresh"], &AT_REALM[..], &at].concat();
    let outcome = run(&client, &words, &server);
    outcome.failed(7, "the id_token among them was not verified");
    assert!(
        outcome.stderr.contains("/jwks: HTTP 403"),
        "{}",
        outcome.stderr
    );
    let printed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(printed, tokens);
}

/// Of two commands with one token the second asks nobody.
#[test]
fn a_refresh_token_is_used_by_one_command_at_a_time() {
    let client = Client::new();
    let path = client.file("refresh", BEARER);
    let held = File::open(&path).unwrap();
    held.lock().unwrap();
    let server = BadServer::start(vec![Reply::Close]);
    let (base_url, file) = (server.base_url(), path.to_str().unwrap());
    let at = ["--base-url", &base_url, "--refresh-token-file", file];
    let words = [&["refresh"], &AT_REALM[..], &at].concat();
    let logout = [&["logout"], &AT_REALM[..], &at].concat();
    let revoke = [&["revoke"], &AT_REALM[..], &at[..2], &[file]].concat();
    for words in [&words, &logout, &revoke] {
        run(&client, words, &server).failed(2, "is used by another command");
    }
    assert!(server.requests().is_empty());
    drop(held);
    run(&client, &words, &server).failed(4, "broke off");
}

/// The JSON of a response, a header, or a note about a token would look revoked, and be worthless.
#[test]
fn what_is_no_token_is_sent_to_nobody() {
    let client = Client::new();
    let server = BadServer::start(vec![Reply::Close]);
    let json = format!("{{\n  \"refresh_token\": \"{BEARER}\"\n}}\n");
    let bearer = format!("Bearer {BEARER}");
    let quoted = format!("\"{BEARER}\"");
    let texts = [
        &json,
        &json.replace(['\n', ' '], ""),
        &bearer,
        &quoted,
        "a b",
        "\n",
    ];
    for (at, text) in texts.into_iter().enumerate() {
        let file = client.file(&format!("t{at}"), text);
        let file = file.to_str().unwrap();
        for words in [
            &["revoke", file][..],
            &["introspect", file],
            &["logout", "--refresh-token-file", file],
            &["refresh", "--refresh-token-file", file],
        ] {
            let outcome = run(&client, &[words, &AT_REALM[..]].concat(), &server);
            outcome.failed(2, "the member refresh_token alone");
            assert!(outcome.stderr.contains(file), "{}", outcome.stderr);
            nothing_leaks(&outcome.stderr, &server);
        }
    }
    assert!(server.requests().is_empty());
}

/// Who has no OpenID provider is told what there is instead, and of no option that they did not give.
#[test]
fn schemes_and_addresses_that_are_not_for_a_login() {
    let client = Client::new();
    let token = client.file("token", "t");
    let profile = |scheme: &str| {
        let text = format!("[profile.p]\nscheme = \"{scheme}\"\nclient-id = \"c\"\n");
        client
            .file("profiles.toml", &text)
            .to_str()
            .unwrap()
            .to_owned()
    };
    for (command, scheme, words) in [
        ("revoke", "itsme", "for which there is privyseal ciba"),
        ("introspect", "ishare", "which has no refresh tokens"),
        ("login", "fiam", "whose servers are no OpenID providers"),
        ("ciba", "fiam", "the profile p is for KPN FIAM"),
        ("ciba", "ehealth", "the profile p is for eHealth"),
    ] {
        let config = profile(scheme);
        let mut words_of = vec![command, "--profile", "p", "--config", &config];
        if !matches!(command, "login" | "ciba") {
            words_of.push(token.to_str().unwrap());
        }
        let outcome = Outcome::of(&mut client.command(&words_of));
        outcome.failed(2, words);
        assert!(!outcome.stderr.contains("--scheme"), "{}", outcome.stderr);
    }
    let words = [&["login"], &AT_REALM[..], &["--listen", "0.0.0.0:8400"]].concat();
    client
        .run(&words, &[])
        .failed(2, "--listen is no loopback address");
}

/// A request that was pushed is good for as long as the provider says; where nobody comes back, that may be why.
#[test]
fn until_when_an_address_is_good_is_said() {
    let client = Client::new();
    let server = BadServer::at_home(|server| {
        let issuer = format!("{server}{REALM}");
        let more = json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "token_endpoint": format!("{issuer}/token"),
            "authorization_endpoint": format!("{issuer}/auth"), "require_pushed_authorization_requests": true,
            "pushed_authorization_request_endpoint": format!("{issuer}/par"),
        });
        let pushed = Reply::json("201 Created", r#"{"request_uri":"urn:a","expires_in":60}"#);
        vec![Reply::json("200 OK", &more.to_string()), jwks(), pushed]
    });
    let base_url = server.base_url();
    let words = [
        &["login"],
        &AT_REALM[..],
        &["--wait", "1", "--base-url", &base_url],
    ]
    .concat();
    let outcome = run(&client, &words, &server);
    outcome.failed(
        1,
        "came back from the login within 1 s; the request in it is good until 20",
    );
    let says = "open this address in a browser of this machine; the request in it is good until 20";
    assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
}

/// Nothing was sent of the token yet, so it is as good as before.
#[test]
fn a_refresh_token_is_not_called_spent_where_the_keys_are_out_of_reach() {
    let client = Client::new();
    let file = client.file("refresh", BEARER);
    let server = BadServer::at_home(|server| vec![metadata(server), Reply::json("404 No", "{}")]);
    let (base_url, file) = (server.base_url(), file.to_str().unwrap());
    let at = ["--base-url", &base_url, "--refresh-token-file", file];
    let outcome = run(
        &client,
        &[&["refresh"], &AT_REALM[..], &at].concat(),
        &server,
    );
    outcome.failed(4, "/jwks: HTTP 404");
    assert!(!outcome.stderr.contains("spent"), "{}", outcome.stderr);
    assert_eq!(server.requests().len(), 2);
}

/// Where nothing can be printed, or shown, nobody is asked: no person, no server, and no token is spent.
#[test]
fn where_the_result_would_go_is_looked_at_first() {
    let client = Client::new();
    let file = client.file("refresh", BEARER);
    let file = file.to_str().unwrap();
    let at_end = |words: &[&str], end: &str, server: &BadServer| {
        let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
        let base_url = server.base_url();
        let command = client.command(&[words, &["--base-url", &base_url]].concat());
        let mut shell = Command::new("sh");
        let line = format!("exec \"$@\" {end}");
        shell.args(["-c", &line, "sh"]).arg(command.get_program());
        shell.args(command.get_args()).arg("--cacert").arg(ca);
        shell.env("SOFTHSM2_CONF", client.token.configuration());
        Outcome::of(&mut shell)
    };
    let ciba = ["ciba", "--client-id", "partner", "--service", "TEST"];
    // A pipe whose reader is gone, as after `| true`.
    let pipe = file.replace("refresh", "pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let unread = format!("3<>{pipe} 4>{pipe} 3<&- >&4");
    for (words, end) in [
        ([&ciba[..], &["--qr", "never-written.jpg"]].concat(), ">&-"),
        ([&ciba[..], &["--qr", "/nowhere/qr.jpg"]].concat(), ""),
        ([&["login"], &AT_REALM[..]].concat(), ">&-"),
        ([&["login"], &AT_REALM[..]].concat(), "2>&-"),
        ([&["login"], &AT_REALM[..]].concat(), "1</dev/null"),
        ([&["login"], &AT_REALM[..]].concat(), &unread),
        (
            [&["refresh", "--refresh-token-file", file], &AT_REALM[..]].concat(),
            ">&-",
        ),
        ([&["introspect", file], &AT_REALM[..]].concat(), ">&-"),
        ([&["token"], &AT_REALM[..]].concat(), ">&-"),
        (
            [&["token", "--to", "/nowhere/token"], &AT_REALM[..]].concat(),
            "",
        ),
    ] {
        let server = BadServer::start(vec![Reply::Close]);
        let outcome = at_end(&words, end, &server);
        assert_eq!(outcome.code, Some(6), "{words:?} {end}: {}", outcome.stderr);
        assert!(server.requests().is_empty(), "{words:?} {end}");
    }
    // What cannot be known before is said.
    let tokens = format!(r#"{{"access_token":"{BEARER}","token_type":"Bearer"}}"#);
    let server =
        BadServer::at_home(|server| vec![metadata(server), jwks(), Reply::json("200 OK", &tokens)]);
    let words = [&["refresh", "--refresh-token-file", file], &AT_REALM[..]].concat();
    let outcome = at_end(&words, ">/dev/full", &server);
    outcome.failed(
        6,
        "the refresh token is spent, and what came for it is lost",
    );
}

/// For how long a set of keys may be kept, in each of the ways in which a server can say so.
#[test]
fn how_long_published_keys_may_be_kept() {
    let date = |seconds: u64| {
        let then = UnixTime::from_secs(1_800_000_000 + seconds).unwrap();
        RetryAfter::Date(then).to_string()[3..].to_owned()
    };
    let dated = |expires: &str| format!("Date: {}\r\nExpires: {expires}\r\n", date(0));
    for (headers, expected) in [
        (String::new(), None),
        ("Cache-Control: public, s-maxage=9\r\n".to_owned(), Some(9)),
        (dated(&date(300)), Some(300)),
        (dated("0"), Some(0)),
        (
            dated(&date(300)) + "Cache-Control: max-age=60\r\n",
            Some(60),
        ),
        (format!("Expires: {}\r\n", date(300)), None),
    ] {
        let Reply::Raw(keys) = jwks() else {
            panic!("it is text")
        };
        let keys = keys.replacen("\r\n", &format!("\r\n{headers}"), 1);
        let server = BadServer::start(vec![Reply::Raw(keys)]);
        let url = format!("{}/jwks", server.base_url()).parse().unwrap();
        let published =
            PublishedKeys::fetch(&http(server.certificate(), Duration::from_secs(60)), &url)
                .unwrap();
        assert_eq!(published.max_age, expected, "{headers}");
    }
}

/// The report is printed; what is wrong with the server is in it.
#[test]
fn the_clock_of_a_server_that_does_not_tell_it() {
    let client = Client::new();
    for (reply, words) in [
        (Reply::Silence, Some("no complete answer in time")),
        (Reply::DripHandshake, Some("no complete answer in time")),
        (Reply::Close, Some("no connection, or it broke off")),
        (Reply::EndlessHead, Some("the answer is not HTTP")),
        (Reply::Raw("SSH-2.0-x\r\n\r\n".to_owned()), Some("not HTTP")),
        (
            Reply::Raw("HTTP/1.1 200 OK\r\nDate: soon\r\n\r\n".to_owned()),
            None,
        ),
        // A body is not waited for.
        (Reply::Drip, None),
    ] {
        let server = BadServer::start(vec![reply.clone()]);
        let outcome = run(
            &client,
            &["doctor", "--server", &server.base_url()],
            &server,
        );
        let expected = if words.is_some() { 4 } else { 0 };
        let text = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, Some(expected), "{reply:?}: {text}");
        let words = words.unwrap_or("does not say its time");
        assert!(outcome.stdout.contains(words), "{reply:?}: {text}");
    }
}
