//! What a person sees who waits for a slow server, on a terminal that `script` (bsdutils) makes.

use std::path::Path;
use std::process::Command;

use privyseal_test_pki::pem_chain;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::flow::{Client, Outcome};

use crate::stage::BEARER;

/// The command line as a shell reads it, run on a terminal of its own.
fn on_a_terminal(command: &Command) -> Outcome {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let words = words.map(|word| format!("'{}'", word.to_str().unwrap()));
    let line = words.collect::<Vec<_>>().join(" ");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    Outcome::of(script.env("TERM", "xterm"))
}

/// The same run, where somebody looks and where nobody does.
fn both(replies: &[Reply], words: &[&str], trust: bool) -> [Outcome; 2] {
    let client = Client::new();
    [true, false].map(|is_terminal| {
        let server = BadServer::start(replies.to_vec());
        let ca = client.file("ca.pem", pem_chain(&[server.certificate()]));
        let root = client.file("root.pem", pem_chain(&client.chain[3..]));
        let base_url = server.base_url();
        let to = if words[0] == "doctor" {
            "--server"
        } else {
            "--base-url"
        };
        let mut command = client.command(words);
        command.args([to, &base_url, "--timeout", "2"]);
        command.arg("--cacert").arg::<&Path>(&ca);
        if trust {
            command.arg("--trust").arg(&root);
        }
        if is_terminal {
            on_a_terminal(&command)
        } else {
            Outcome::of(&mut command)
        }
    })
}

const TOKEN: [&str; 5] = [
    "token",
    "--scheme",
    "fiam",
    "--client-id",
    "EU.EORI.NL123456789",
];

fn granted() -> Reply {
    let token = format!(r#"{{"access_token":"{BEARER}","token_type":"Bearer"}}"#);
    Reply::json("200 OK", &token)
}

#[track_caller]
fn sees([terminal, plain]: &[Outcome; 2], words: &str) {
    assert!(
        terminal.stdout.contains(words),
        "no {words:?} in: {}",
        terminal.stdout
    );
    assert!(!terminal.stdout.contains(BEARER), "{}", terminal.stdout);
    assert_eq!(terminal.code, plain.code, "{}", terminal.stdout);
    for text in [&plain.stdout, &plain.stderr] {
        assert!(
            !text.contains("asking") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}

#[test]
fn which_server_is_waited_for_and_how_long_yet() {
    let outcomes = both(&[Reply::Silence], &TOKEN, false);
    sees(&outcomes, "asking 127.0.0.1 for an access token, 0:01 left");
    outcomes[1].failed(4, "no complete answer in time");
}

#[test]
fn which_page_of_how_many() {
    let page = r#"{"page":1,"page_count":3,"total_count":3,"records":[{"id":"a"}]}"#;
    let replies = [granted(), Reply::json("200 OK", page), Reply::Silence];
    let words = [&TOKEN[..], &["--call", "/contracts", "--all-pages"]].concat();
    let outcomes = both(&replies, &words, false);
    sees(&outcomes, "asking 127.0.0.1 for page 2 of 3, 0:0");
}

/// A registry is asked for something else, and so is the clock that `doctor` compares.
#[test]
fn the_other_commands() {
    let registry = ["ishare", "trusted-list", "--scheme", "ishare"];
    let words = [&registry[..], &["--audience", "EU.EORI.NL000000000"]].concat();
    let outcomes = both(&[granted(), Reply::Silence], &words, true);
    sees(&outcomes, "asking 127.0.0.1 for the trusted list, 0:0");
    let outcomes = both(&[Reply::Silence], &["doctor"], false);
    sees(&outcomes, "asking 127.0.0.1 for its time, 0:0");
}

#[test]
fn that_a_busy_server_is_given_its_time() {
    let replies = [Reply::busy("429 Busy", "2"), granted()];
    let words = [&TOKEN[..], &["--call", "/contracts"]].concat();
    let outcomes = both(
        &[&replies[..], &[Reply::json("200 OK", "{}")]].concat(),
        &words,
        false,
    );
    let words = "127.0.0.1 is asked again for an access token in 0:0";
    sees(&outcomes, words);
}

/// Whoever need not wait sees the result and nothing else.
#[test]
fn nothing_of_what_is_done_at_once() {
    let words = [&TOKEN[..], &["--call", "/contracts"]].concat();
    let outcomes = both(&[granted(), Reply::json("200 OK", "{}")], &words, false);
    assert_eq!(outcomes[0].code, Some(0));
    assert_eq!(outcomes[0].stdout.trim(), "{}");
    assert_eq!(outcomes[1].stdout, "{}\n");
}
