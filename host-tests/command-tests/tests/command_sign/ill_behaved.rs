//! Modules that hang, or end the process that called them.

use std::fs;
use std::thread;
use std::time::Duration;

use privyseal_test_base::tool;
use privyseal_test_suite::fault_shim::FaultShim;

use crate::stage::{KEY, Outcome, Stage, TOKEN, uri_with};

/// All that a token says of its user PIN.
const NO_PIN_FLAGS: &str = "C_GetTokenInfo * unset 0x70000";

/// A script takes 0 for a token.
#[test]
fn a_module_that_ends_the_process_as_if_all_were_well_is_no_success() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let mut command = stage.command_through(&shim, &stage.token.pin_file());
    for function in ["C_Initialize", "C_Login", "C_Sign"] {
        shim.rules(&[&format!("{function} 1 exit")]);
        let words = format!("ended this process in {function}");
        Outcome::of(&mut command).is_refused(3, &[&words]);
    }
}

#[test]
fn a_call_that_takes_its_time_is_said() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let mut command = stage.command_through(&shim, &stage.token.pin_file());
    shim.rules(&["C_Login 1 hang 8000", "C_Sign 1 hang 8000"]);
    let outcome = Outcome::of(&mut command);
    outcome.token();
    for function in ["C_Login", "C_Sign"] {
        let said = format!("waiting for {function} of PKCS #11 module /");
        let count = outcome.stderr().matches(&said).count();
        assert_eq!(count, 1, "{}", outcome.stderr());
    }
}

/// The loader's lock stays taken then, which the usual end of a process waits for.
#[test]
fn a_library_that_hangs_while_it_is_loaded_does_not_keep_the_process() {
    let stage = Stage::new();
    let (source, module) = (
        stage.token.dir().join("hangs.c"),
        stage.token.dir().join("hangs.so"),
    );
    let text = "#include <unistd.h>\n__attribute__((constructor)) static void hang(void) { for (;;) pause(); }\n";
    fs::write(&source, text).unwrap();
    let mut compiler = tool::command("cc", ["-shared", "-fPIC", "-o"]);
    tool::run(compiler.arg(&module).arg(&source));
    let path = format!("token={TOKEN};object={KEY}");
    let uri = uri_with(&path, &module, &stage.token.pin_file());
    let outcome = stage.sign(&[("--key", &uri)]);
    outcome.is_refused(3, &[module.to_str().unwrap()]);
}

/// As by a time limit of systemd: the token may have refused the PIN, and shows no lost try.
#[test]
fn a_pin_is_not_offered_a_third_time_where_the_process_was_killed_twice() {
    let stage = Stage::new();
    let shim = FaultShim::new(stage.token.dir());
    let folder = stage.token.dir().join("state");
    let mut command = stage.command_through(&shim, &stage.token.pin_file());
    command.env("STATE_DIRECTORY", &folder);
    let remembered = || fs::metadata(folder.join("refused-pins")).map_or(0, |it| it.len());
    for _ in 0..2 {
        shim.rules(&[NO_PIN_FLAGS, "C_Login * hang 600000"]);
        let before = remembered();
        let mut child = command.spawn().unwrap();
        while remembered() == before {
            assert!(child.try_wait().unwrap().is_none());
            thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    shim.rules(&[NO_PIN_FLAGS]);
    Outcome::of(&mut command).is_refused(3, &["ended twice while it was offered"]);
    assert_eq!(shim.calls("C_Login"), 0);
    command.arg("--spend-final-pin-try");
    Outcome::of(&mut command).token();
    assert!(!folder.join("refused-pins").exists());
}
