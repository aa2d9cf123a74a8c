//! Several processes, one token.

use std::process::Command;
use std::thread;

use privyseal_test_base::{privyseal, tool};
use privyseal_test_suite::flow::Outcome;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

/// At once, all on tokens of one folder.
const PROCESSES: usize = 8;

/// Whether the processes have a folder for what they must remember; a container need not have one.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Kept,
    None,
}

/// Each with these words and a token by its number.
fn at_once(
    token: &SoftHsmToken,
    state: State,
    count: usize,
    words: &[&str],
    key: impl Fn(usize) -> String + Sync,
) -> Vec<Outcome> {
    let one = |number: usize| {
        let mut command = Command::new(privyseal::path());
        command.args(words).args(["--key", &key(number)]);
        command.env("PRIVYSEAL_PIN", PIN);
        command.env("SOFTHSM2_CONF", token.configuration());
        for name in ["STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"] {
            command.env_remove(name);
        }
        if state == State::Kept {
            command.env("STATE_DIRECTORY", token.dir());
        }
        Outcome::of(&mut command)
    };
    thread::scope(|scope| {
        let processes: Vec<_> = (0..count)
            .map(|it| {
                scope.spawn({
                    let one = &one;
                    move || one(it)
                })
            })
            .collect();
        let ended = processes.into_iter().map(|it| it.join().unwrap());
        ended.collect()
    })
}

fn uri(token: &str, key: &str) -> String {
    format!(
        "pkcs11:token={token};object={key}?module-path={}",
        SoftHsmToken::module().display()
    )
}

/// Left to itself SoftHSM fails in every fifth of them, and ends some.
#[test]
fn processes_that_start_at_once_all_sign() {
    let token = SoftHsmToken::new("T0");
    let pins = ["--pin", PIN, "--so-pin", "13579246"];
    let init = ["--init-token", "--free", "--label", "T1"];
    tool::run(&mut token.tool("softhsm2-util", &[&init[..], &pins].concat()));
    let key = |number: usize| uri(&format!("T{}", number % 2), "K");
    for number in 0..2 {
        let made = at_once(&token, State::Kept, 1, &["keys", "generate"], |_| {
            key(number)
        });
        assert_eq!(made[0].code, Some(0), "{}", made[0].stderr);
    }
    for state in [State::Kept, State::None] {
        for ended in at_once(
            &token,
            state,
            PROCESSES,
            &["csr", "--subject", "CN=seal"],
            key,
        ) {
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_name_is_taken_once_however_many_want_it_at_once() {
    let token = SoftHsmToken::new("T0");
    let ended = at_once(&token, State::Kept, 4, &["keys", "generate"], |_| {
        uri("T0", "new")
    });
    let made = ended.iter().filter(|it| it.code == Some(0)).count();
    assert_eq!(made, 1, "{ended:?}");
    for refused in ended.iter().filter(|it| it.code != Some(0)) {
        assert!(
            refused.stderr.contains("is on the token already"),
            "{}",
            refused.stderr
        );
    }
}
