//! Runs the tools of the system: `softhsm2-util`, `pkcs11-tool`, `openssl`, `python3`.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What a person does when a tool is missing.
const REMEDY: &str = "run `cargo xtask setup`";

/// How long a command may take: none of them has much to do, so one that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// How long one may take that downloads or builds something, or runs tests.
pub const LONG_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Runs a command to its end, with `input` on its stdin.
///
/// # Panics
/// If the tool is missing, saying how to install it; if it does not end within two minutes, with what it has
/// said so far.
pub fn output(command: &mut Command, input: &[u8]) -> Output {
    output_within(LIMIT, command, input)
}

/// The same with another limit.
///
/// # Panics
/// As [`output`].
pub fn output_within(limit: Duration, command: &mut Command, input: &[u8]) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let deadline = Instant::now() + limit;
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
    let input = input.to_vec();
    // A tool may end without reading all of its input; what it says then is in its output.
    thread::spawn(move || stdin.write_all(&input));
    let (sender, pieces) = channel();
    forward(child.stdout.take(), sender.clone(), 0);
    forward(child.stderr.take(), sender, 1);
    let mut said = [Vec::new(), Vec::new()];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match pieces.recv_timeout(left) {
            Ok((stream, piece)) => said[stream].extend::<Vec<u8>>(piece),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => hung(&mut child, &name, limit, &said),
        }
    }
    // Both streams are closed: mostly it has ended, too.
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Ok(None) => hung(&mut child, &name, limit, &said),
            Err(error) => panic!("cannot wait for `{name}`: {error}"),
        }
    };
    let [stdout, stderr] = said;
    Output {
        status,
        stdout,
        stderr,
    }
}

/// Sends on what comes, as it comes, until there is no more.
fn forward(
    stream: Option<impl Read + Send + 'static>,
    pieces: Sender<(usize, Vec<u8>)>,
    number: usize,
) {
    let mut stream = stream.expect("it is piped");
    thread::spawn(move || {
        let mut piece = [0; 8192];
        while let Ok(len @ 1..) = stream.read(&mut piece) {
            if pieces.send((number, piece[..len].to_vec())).is_err() {
                return;
            }
        }
    });
}

fn hung(child: &mut Child, name: &str, limit: Duration, said: &[Vec<u8>; 2]) -> ! {
    // It may be ending just now.
    let _ = child.kill();
    let _ = child.wait();
    let [stdout, stderr] = said.each_ref().map(|said| String::from_utf8_lossy(said));
    panic!("`{name}` did not end within {limit:?}; so far it said:\n{stdout}{stderr}")
}

/// The first line of a server's standard output, if it comes within `limit`.
pub fn first_line(stdout: impl Read + Send + 'static, limit: Duration) -> Option<String> {
    let (sender, line) = channel();
    thread::spawn(move || {
        let line = BufReader::new(stdout).lines().next();
        // Nobody waits any more where it came too late.
        let _ = sender.send(line.and_then(Result::ok));
    });
    line.recv_timeout(limit).ok().flatten()
}

/// Runs a command that must succeed; gives its stdout.
///
/// # Panics
/// If the tool is missing, hangs or fails; the message has its stderr.
pub fn run(command: &mut Command) -> Vec<u8> {
    run_within(LIMIT, command)
}

/// The same with another limit.
///
/// # Panics
/// As [`run`].
pub fn run_within(limit: Duration, command: &mut Command) -> Vec<u8> {
    let output = output_within(limit, command, b"");
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

/// The cargo that runs this test, with arguments. It does not hear of the package whose test this is: ring's build script
/// looks at these variables, and with others it, and all that stands on it, would be built again.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = command(&cargo, arguments);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        command("sh", ["-c", script])
    }

    #[test]
    fn what_ends_has_said_all() {
        let script = "cat; head -c 300000 /dev/zero; echo no >&2; exit 7";
        let output = output(&mut shell(script), b"yes");
        assert_eq!(output.status.code(), Some(7));
        assert!(output.stdout.starts_with(b"yes\0"));
        assert_eq!(output.stdout.len(), 300_003);
        assert_eq!(output.stderr, b"no\n");
    }

    #[test]
    #[should_panic(expected = "`sh` did not end within 300ms; so far it said:\nbegun")]
    fn what_hangs_is_ended() {
        let script = "echo begun; exec sleep 60";
        output_within(Duration::from_millis(300), &mut shell(script), b"");
    }

    /// A child of its own may outlive it, with its streams.
    #[test]
    #[should_panic(expected = "did not end within 300ms")]
    fn what_leaves_a_child_behind_is_not_waited_for() {
        output_within(Duration::from_millis(300), &mut shell("sleep 5 &"), b"");
    }

    #[test]
    #[should_panic(expected = "did not end within 300ms")]
    fn what_closes_its_streams_and_stays_is_ended() {
        let script = "exec >&- 2>&-; exec sleep 60";
        output_within(Duration::from_millis(300), &mut shell(script), b"");
    }

    #[test]
    fn a_server_that_does_not_speak_is_not_waited_for() {
        let line = |script: &str| {
            let mut child = shell(script).stdout(Stdio::piped()).spawn().expect("sh");
            let stdout = child.stdout.take().expect("piped");
            let line = first_line(stdout, Duration::from_millis(300));
            child.kill().expect("a child");
            child.wait().expect("a child");
            line
        };
        assert_eq!(line("echo ready; exec sleep 60").as_deref(), Some("ready"));
        assert_eq!(line("exec sleep 60"), None);
        assert_eq!(line("exec >&-; exec sleep 60"), None);
    }
}
