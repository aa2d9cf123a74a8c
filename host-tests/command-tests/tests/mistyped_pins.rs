//! A command line that is wrong is not repeated with the PIN that stands in it: a key's URI may have one, and
//! people put it where another thing belongs.

// A test stops where something is wrong, and says what it saw.
#![allow(clippy::unwrap_used)]

use std::io::{Write as _, stdout};
use std::process::Command;

use privyseal_test_base::{privyseal, tool};

const PIN: &str = "Zq7right";

/// URIs with a PIN, of keys that are not there.
fn uris() -> Vec<String> {
    let pkcs11 = "pkcs11:token=T;object=K?module-path=/nonexistent/m.so";
    vec![
        format!("{pkcs11}&pin-value={PIN}"),
        format!("{pkcs11}&pin-source={PIN}"),
        format!("{pkcs11}&pin={PIN}"),
        format!("yubihsm:host=127.0.0.1;port=1;key-id=100?pin-value={PIN}"),
        format!("?pin-value={PIN}"),
    ]
}

/// Runs the command; it must fail and not say the PIN.
#[track_caller]
fn is_refused_in_silence(arguments: &[&str]) {
    let mut command = Command::new(privyseal::path());
    command.args(arguments).env_remove("PRIVYSEAL_PIN");
    let output = tool::output(&mut command, b"");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let words = arguments.join(" ").replace(PIN, "(PIN)");
    // Not with the text: a failure must not print what must not be printed.
    assert!(!said.contains(PIN), "the PIN shows: {words}");
    assert!(!output.status.success(), "{words}");
    assert!(said.contains("error: "), "{words}: {said}");
}

/// What `--help` says after these words: subcommands, and long options.
fn help(words: &[String]) -> (Vec<String>, Vec<String>) {
    let mut command = Command::new(privyseal::path());
    let output = tool::output(command.args(words).arg("--help"), b"");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(str::trim_start);
    let (_, after) = text.split_once("Commands:\n").unwrap_or_default();
    let subcommands = after.lines().take_while(|line| !line.is_empty());
    let subcommands = subcommands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    let options = lines.filter_map(|line| {
        let long = line.strip_prefix("-h, ").unwrap_or(line);
        long.starts_with("--").then(|| {
            long.split([' ', '=', '['])
                .next()
                .unwrap_or(long)
                .to_owned()
        })
    });
    (subcommands.map(str::to_owned).collect(), options.collect())
}

/// All subcommands, each with its options.
fn commands() -> Vec<(Vec<String>, Vec<String>)> {
    let (mut found, mut open) = (Vec::new(), vec![Vec::new()]);
    while let Some(words) = open.pop() {
        let (subcommands, options) = help(&words);
        open.extend(
            subcommands
                .into_iter()
                .map(|name| [&words[..], &[name]].concat()),
        );
        found.push((words, options));
    }
    found
}

#[test]
fn a_uri_in_the_place_of_another_thing() {
    let mut runs = 0;
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for (words, options) in &commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for uri in &uris() {
            is_refused_in_silence(&[&words[..], &[uri]].concat());
            runs += 1;
        }
        let uri = &uris()[0];
        for option in options.iter().filter(|option| *option != "--help") {
            is_refused_in_silence(&[&words[..], &[&format!("{option}={uri}")]].concat());
            runs += 1;
        }
    }
    writeln!(stdout(), "{runs} mistyped command lines").unwrap();
}

/// Where the command line is whole, and it is a file that is not there.
#[test]
fn a_uri_in_the_place_of_a_file() {
    let key = "pkcs11:token=T?module-path=/nonexistent/m.so";
    let server = ["--base-url", "https://127.0.0.1:1"];
    let sign = ["--scheme", "fiam", "--client-id", "EU.EORI.NL123456789"];
    for uri in &uris() {
        for words in [
            &["chain", "--chain", uri][..],
            &["check", "--trust", uri, "e30.e30.e30"],
            &["check", "--jwks", uri, "e30.e30.e30"],
            &["check", "--crl", uri, "e30.e30.e30"],
            &["check", uri],
            &["jwks", "--key", uri],
            &["keys", "--key", uri],
            &["doctor", "--key", uri],
            &["csr", "--subject", "CN=x", "--key", uri],
            &["csr", "--subject", uri, "--key", key],
            &["device", "info", "--device", uri],
            &["completions", uri],
        ] {
            is_refused_in_silence(words);
        }
        for words in [
            &["--key", uri][..],
            &["--key", key, "--chain", uri],
            &["--key", key, "--audience", uri],
        ] {
            is_refused_in_silence(&[&["sign"], &sign[..], words].concat());
            is_refused_in_silence(&[&["token"], &sign[..], &server, words].concat());
        }
        let cacert = ["--key", key, "--cacert", uri];
        is_refused_in_silence(&[&["token"], &sign[..], &server, &cacert].concat());
    }
}
