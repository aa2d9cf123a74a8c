//! The commands that ask an OpenID provider, and the one that asks any server for its time.

use std::path::Path;

use privyseal_test_pki::pem_chain;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::flow::{Client, Outcome};

use crate::ciba::jwks;
use crate::stage::{BEARER, for_each, nothing_leaks};

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
        let body = format!(
            r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token",
            "authorization_endpoint":"{issuer}/auth"{more}}}"#
        );
        Reply::json("200 OK", &body)
    };
    let other = r#","id_token_signing_alg_values_supported":["ES256"]"#;
    let plain = r#","userinfo_endpoint":"https://127.0.0.1/userinfo","code_challenge_methods_supported":["plain"]"#;
    for (more, reply, words) in [
        (
            "",
            jwks(),
            "userinfo_endpoint is not in the provider's metadata",
        ),
        (plain, jwks(), "do not offer S256 for PKCE"),
        (other, jwks(), "id_token_signing_alg_values_supported"),
        (
            r#","userinfo_endpoint":"https://127.0.0.1/userinfo""#,
            Reply::json("200 OK", r#"{"keys":[]}"#),
            "the key set has no RSA key that signs",
        ),
    ] {
        let server = BadServer::at_home(|server| vec![said(server, more), reply.clone()]);
        let at = ["--base-url", &server.base_url(), "--userinfo"];
        let outcome = run(&client, &[&["login"], &AT_REALM[..], &at].concat(), &server);
        outcome.failed(4, words);
        assert!(!outcome.stderr.contains("open this address"), "{words}");
    }
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
        (Reply::busy("503 Busy", "60"), false),
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
