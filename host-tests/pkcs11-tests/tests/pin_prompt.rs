//! PINs that are waited for: from a person at a pseudo-terminal, from another program.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::process::Command;

use privyseal_test_base::terminal::{Ended, Signal, Terminal};
use privyseal_test_base::{privyseal, tool};
use privyseal_test_suite::flow::KEY;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

const PROMPT: &str = "PIN of token \"T\": ";

fn uri() -> String {
    let module = SoftHsmToken::module();
    format!(
        "pkcs11:token=T;object={KEY}?module-path={}",
        module.display()
    )
}

fn keys(token: &SoftHsmToken) -> Command {
    // Who started the tests may ignore signals, as nohup does.
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(privyseal::path());
    command.args(["keys", "--key", &uri()]);
    command.env_remove("PRIVYSEAL_PIN");
    command.env("SOFTHSM2_CONF", token.configuration());
    command
}

fn at_a_terminal(token: &SoftHsmToken, typed: &str) -> Ended {
    let ended = Terminal::new().run(&keys(token), PROMPT, typed);
    assert!(ended.hid && !ended.hides, "{ended:?}");
    ended
}

#[test]
fn the_terminal_is_as_it_was_whatever_is_typed() {
    let token = SoftHsmToken::new("T");
    token.generate_key(2048, "01", KEY);
    let ended = at_a_terminal(&token, &format!("{PIN}\n"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.shown.contains(PIN), "{ended:?}");
    // Ctrl-C and Ctrl-\, also behind some digits.
    for (typed, signal) in [
        ("\x03", Signal::INT),
        ("24\x03", Signal::INT),
        ("\x1c", Signal::QUIT),
    ] {
        let ended = at_a_terminal(&token, typed);
        assert_eq!(ended.signal, Some(signal), "{ended:?}");
    }
}

#[test]
fn who_ignores_signals_is_asked_all_the_same() {
    let token = SoftHsmToken::new("T");
    token.generate_key(2048, "01", KEY);
    let mut command = Command::new("env");
    command.arg("--ignore-signal=INT").arg("env");
    command.args(keys(&token).get_args().skip(1));
    command.env("SOFTHSM2_CONF", token.configuration());
    let ended = Terminal::new().run(&command, PROMPT, &format!("24\x03{PIN}\n"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_signal_ends_the_command_once_the_terminal_is_as_it_was() {
    let token = SoftHsmToken::new("T");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let ended = Terminal::new().run_and_signal(&keys(&token), PROMPT, signal);
        assert!(ended.hid && !ended.hides, "{ended:?}");
        assert_eq!(ended.signal, Some(signal), "{ended:?}");
    }
}

#[test]
fn a_pin_comes_through_a_pipe() {
    let token = SoftHsmToken::new("T");
    token.generate_key(2048, "01", KEY);
    let fifo = token.dir().join("fifo");
    tool::run(tool::command("mkfifo", [&fifo]).arg("--mode=600"));
    let run = |script: &str| {
        let mut command = tool::command("bash", ["-c", script]);
        command.arg(privyseal::path()).arg(uri());
        command.args([token.pin_file(), fifo.clone()]);
        command.env_remove("PRIVYSEAL_PIN");
        command.env("SOFTHSM2_CONF", token.configuration());
        let output = tool::output(&mut command, b"");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{script}: {said}");
        said
    };
    for script in [
        r#"exec "$0" keys --key "$1&pin-source=file:"<(cat "$2")"#,
        r#""$0" doctor --key "$1&pin-source="<(cat "$2") | grep "the key can be used""#,
        r#"cat "$2" | "$0" keys --key "$1&pin-source=/dev/stdin""#,
    ] {
        run(script);
    }
    let said = run(r#"(sleep 3; cat "$2" >"$3") & exec "$0" keys --key "$1&pin-source=$3""#);
    assert!(said.contains("waiting for a PIN from pin-source"), "{said}");
}
