//! The same from outside: exit code 4 (or 1), one line of cause, and no secret on either stream.

use std::path::Path;
use std::process::Command;

use privyseal_test_base::privyseal;
use privyseal_test_pki::pem_chain;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::flow::{Client, Outcome};

use crate::ciba::{acknowledged, jwks, metadata};
use crate::stage::{BEARER, nothing_leaks};

#[test]
fn the_command_says_what_is_wrong_and_nothing_else() {
    let client = Client::new();
    let token = format!(r#"{{"access_token":"{BEARER}","token_type":"Bearer"}}"#);
    let granted = || Reply::json("200 OK", &token);
    let html = || Reply::of_type("200 OK", "text/html", "<html>");
    for (replies, call, code, words) in [
        (
            vec![Reply::Close],
            false,
            4,
            "no connection, or it broke off",
        ),
        (vec![Reply::Silence], false, 4, "no complete answer in time"),
        (vec![Reply::Drip], false, 4, "no complete answer in time"),
        (vec![Reply::Endless], false, 4, "larger than 65536 bytes"),
        (vec![html()], false, 4, "its type is text/html"),
        (vec![Reply::Echo(401)], false, 1, "token left out"),
        (
            vec![granted(), Reply::Drip],
            true,
            4,
            "no complete answer in time",
        ),
        (vec![granted(), html()], true, 4, "the answer is not JSON"),
        (vec![granted(), Reply::Echo(403)], true, 1, "token left out"),
        (
            vec![granted(), Reply::Endless],
            true,
            4,
            "larger than 1048576 bytes",
        ),
    ] {
        let server = BadServer::start(replies.clone());
        let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
        let base_url = server.base_url();
        let mut words_of = vec!["token", "--scheme", "fiam", "--base-url", &base_url];
        words_of.extend(["--client-id", "EU.EORI.NL123456789", "--timeout", "3"]);
        if call {
            words_of.extend(["--call", "/service-consumers/contracts"]);
        }
        let trusted: &[(&str, &Path)] = &[("--cacert", &ca)];
        let outcome = client.run(&words_of, trusted);
        outcome.failed(code, words);
        assert_eq!(outcome.stdout, "", "{replies:?}");
        nothing_leaks(&outcome.stderr, &server);
    }
}

/// A registry that gave a token, and then an answer that is none. Replies, exit code, words.
#[test]
fn the_registry_s_commands_say_so_too() {
    let client = Client::new();
    let root = client.file("root.pem", pem_chain(&client.chain[3..]));
    let token = format!(r#"{{"access_token":"{BEARER}","token_type":"Bearer"}}"#);
    let granted = || Reply::json("200 OK", &token);
    let then = |reply| vec![granted(), reply];
    let lie = |name: &str| Reply::json("200 OK", &format!(r#"{{"{name}":"a.b.c"}}"#));
    let elsewhere =
        "HTTP/1.1 302 Go\r\nLocation: https://127.0.0.1:9/?x\r\nContent-Length: 0\r\n\r\n";
    let elsewhere = Reply::Raw(elsewhere.to_owned());
    let us = "did:ishare:EU.NL.NTRNL-12345678";
    for (question, member) in [
        (vec!["trusted-list"], "trusted_list_token"),
        (vec!["party", us], "party_token"),
        (vec!["check"], "trusted_list_token"),
    ] {
        for (replies, code, words) in [
            (vec![Reply::Close], 4, "no connection, or it broke off"),
            (vec![Reply::Echo(401)], 1, "token left out"),
            (then(Reply::Silence), 4, "no complete answer in time"),
            (then(Reply::Drip), 4, "no complete answer in time"),
            (then(Reply::Endless), 4, "larger than 1048576 bytes"),
            (then(Reply::Echo(403)), 1, "token left out"),
            (
                then(elsewhere.clone()),
                4,
                "a redirect, which is not followed",
            ),
            (then(Reply::json("200 OK", "{}")), 4, "the answer has no"),
            (then(lie(member)), 1, "has a header that is not base64url"),
        ] {
            let server = BadServer::start(replies.clone());
            let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
            let base_url = server.base_url();
            let usual = ["--scheme", "ishare", "--audience", "EU.EORI.NL000000000"];
            let server_words = ["--base-url", &base_url, "--timeout", "2"];
            let mut words_of = [&["ishare"], &question[..], &usual, &server_words].concat();
            // The registry is asked about an assertion that is good and for us.
            let inbound = client.run(&["sign", "--scheme", "ishare", "--audience", us], &[]);
            if question == ["check"] {
                words_of.insert(2, inbound.stdout.trim());
            }
            let trusted: &[(&str, &Path)] = &[("--cacert", &ca), ("--trust", &root)];
            let outcome = client.run(&words_of, trusted);
            outcome.failed(code, words);
            assert_eq!(outcome.stdout, "", "{replies:?}");
            nothing_leaks(&outcome.stderr, &server);
        }
    }
}

/// A provider that fails at its metadata, at the authentication request, or when it is asked for the tokens.
#[test]
fn ciba_says_so_too() {
    let client = Client::new();
    let user = client.file("user", BEARER);
    for (begun, reply, code, words) in [
        (0, Reply::Close, 4, "no connection, or it broke off"),
        (0, Reply::Silence, 4, "no complete answer in time"),
        (0, Reply::Endless, 4, "larger than 65536 bytes"),
        (0, Reply::json("200 OK", "{}"), 4, "issuer is missing"),
        (
            0,
            Reply::json("404 No", "{}"),
            4,
            "no such document is published",
        ),
        (2, Reply::Close, 4, "no connection, or it broke off"),
        (2, Reply::Drip, 4, "no complete answer in time"),
        (2, Reply::Endless, 4, "larger than 16384 bytes"),
        (2, Reply::json("200 OK", "{}"), 4, "auth_req_id is missing"),
        (
            2,
            Reply::of_type("200 OK", "text/html", "<html>"),
            4,
            "not JSON",
        ),
        (2, Reply::Echo(401), 1, "token left out"),
        (3, Reply::Endless, 4, "larger than 65536 bytes"),
        (3, Reply::json("200 OK", "{}"), 4, "access_token is missing"),
        (
            3,
            Reply::of_type("200 OK", "text/html", "<html>"),
            4,
            "not a JSON object",
        ),
        (3, Reply::Echo(400), 1, "token left out"),
        (3, Reply::Silence, 1, "the time is over"),
    ] {
        let server = BadServer::at_home(|issuer| {
            let metadata = Reply::json("200 OK", &metadata(issuer));
            let mut replies = vec![metadata, jwks(), acknowledged(3, 1)];
            replies.truncate(begun);
            replies.push(reply.clone());
            replies
        });
        let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
        let issuer = server.base_url();
        let words_of = ["ciba", "--client-id", "partner", "--service", "TEST"];
        let server_words = ["--base-url", &issuer, "--timeout", "2"];
        let files: &[(&str, &Path)] = &[("--cacert", &ca), ("--user-identifier-token-file", &user)];
        let outcome = client.run(&[&words_of[..], &server_words].concat(), files);
        outcome.failed(code, words);
        assert_eq!(outcome.stdout, "", "{reply:?}");
        nothing_leaks(&outcome.stderr, &server);
        // The metadata are read again.
        let tries = if begun == 0 && matches!(reply, Reply::Close) {
            4
        } else {
            begun + 1
        };
        assert_eq!(server.requests().len(), tries, "{begun} {reply:?}");
    }
}

/// There is no way to ask for less.
#[test]
fn no_switch_turns_verification_off() {
    for command in [
        "token",
        "ciba",
        "ishare",
        "ishare party",
        "ishare check",
        "doctor",
    ] {
        let mut help = Command::new(privyseal::path());
        let outcome = Outcome::of(help.args(command.split(' ')).arg("--help"));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let text = outcome.stdout.to_lowercase();
        for word in [
            "insecure",
            "no-verify",
            "skip-tls",
            "no-check",
            "allow-invalid",
            "danger",
        ] {
            assert!(!text.contains(word), "{command} has {word}");
        }
        for switch in ["-k", "--insecure", "--no-verify", "--no-check-certificate"] {
            let mut with = Command::new(privyseal::path());
            let outcome = Outcome::of(with.args(command.split(' ')).arg(switch));
            assert_eq!(outcome.code, Some(2), "{command} takes {switch}");
        }
    }
}
