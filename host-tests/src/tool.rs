//! Runs the tools of the system: `softhsm2-util`, `pkcs11-tool`, `openssl`, `python3`.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Output, Stdio};
use std::thread;

/// What a person does when a tool is missing.
const REMEDY: &str = "run `cargo xtask setup`";

/// Runs a command to its end, with `input` on its stdin.
///
/// # Panics
/// If the tool is missing, saying how to install it.
pub fn output(command: &mut Command, input: &[u8]) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("`{name}` is not installed: {REMEDY}")
        }
        Err(error) => panic!("cannot run `{name}`: {error}"),
    };
    let mut stdin = child.stdin.take().expect("stdin is piped");
    thread::scope(|scope| {
        // A tool may end without reading all of its input; what it says then is in its output.
        scope.spawn(move || stdin.write_all(input));
        child
            .wait_with_output()
            .unwrap_or_else(|error| panic!("cannot wait for `{name}`: {error}"))
    })
}

/// Runs a command that must succeed; gives its stdout.
///
/// # Panics
/// If the tool is missing or fails; the message has its stderr.
pub fn run(command: &mut Command) -> Vec<u8> {
    let output = output(command, b"");
    assert!(
        output.status.success(),
        "{} failed ({}):\n{}{}",
        command.get_program().to_string_lossy(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output.stdout
}

/// A command with arguments.
pub fn command<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
