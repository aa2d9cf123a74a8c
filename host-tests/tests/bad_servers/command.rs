//! The same from outside: exit code 4 (or 1), one line of cause, and no secret on either stream.

use std::path::Path;
use std::process::Command;

use privyseal_host_tests::bad_server::{BadServer, Reply};
use privyseal_host_tests::flow::{Client, Outcome};
use privyseal_host_tests::pki::pem_chain;
use privyseal_host_tests::privyseal;

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

/// There is no way to ask for less.
#[test]
fn no_switch_turns_verification_off() {
    for command in ["token", "ishare", "ishare party", "ishare check", "doctor"] {
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
