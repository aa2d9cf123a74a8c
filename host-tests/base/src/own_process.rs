//! Tests that load a PKCS #11 module into their own process, each with an environment of its own.
//!
//! A module is configured by environment variables, is initialized once a process, and a fault may leave
//! it in any state, or hang. So such a test runs again as a child, in which the variables are set from the
//! start, and the parent watches over its time: a deadlock is a failed test, not a build that never ends.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Names the test that runs as a child.
pub const MARKER: &str = "PRIVYSEAL_TEST_AS_CHILD";

/// What a child prints before each line that is meant for the parent.
const PREFIX: &str = "@@ ";

/// A test that runs again in a process of its own.
#[derive(Debug)]
pub struct OwnProcess {
    name: String,
    environment: Vec<(String, OsString)>,
    silence: Duration,
}

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// It ended in time, and its test passed.
    pub passed: bool,
    /// It was silent for longer than it may be, and was killed.
    pub hung: bool,
    /// What it printed that was not meant for the parent, both streams.
    pub output: String,
}

/// Whether this process is the child that runs the test of that name.
pub fn is_child(name: &str) -> bool {
    env::var(MARKER).is_ok_and(|running| running == name)
}

/// Tells the parent something, in one line.
#[expect(clippy::print_stdout, reason = "how a child talks to its parent")]
pub fn tell(line: &str) {
    // On a line of its own: the test harness leaves its cursor where it likes.
    println!("\n{PREFIX}{line}");
}

impl OwnProcess {
    /// `name` is the test's path, as `cargo test -- --list` shows it.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            environment: Vec::new(),
            silence: Duration::from_secs(60),
        }
    }

    /// Sets variables.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, OsString)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// For how long it may tell the parent nothing.
    #[must_use]
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// Runs it to its end; `each` gets the lines that it tells.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn run(&self, mut each: impl FnMut(&str)) -> Ended {
        let mut child = Command::new(env::current_exe().expect("this test has a path"))
            .args(["--exact", &self.name, "--nocapture", "--test-threads=1"])
            .env(MARKER, &self.name)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test can be started again");
        let (sender, lines) = channel();
        let streams = [
            reader(child.stdout.take(), sender.clone()),
            reader(child.stderr.take(), sender),
        ];
        let mut output = String::new();
        let hung = self.listen(&lines, &mut each, &mut output);
        let status = end(&mut child, hung);
        let passed = status.is_some_and(|status| status.success()) && output.contains("1 passed");
        if let Some(signal) = status.and_then(|status| status.signal()) {
            let _ = writeln!(output, "ended by signal {signal}");
        }
        for stream in streams {
            // It only reads, and the pipe is closed.
            let _ = stream.join();
        }
        Ended {
            passed,
            hung,
            output,
        }
    }

    /// Runs it; it must pass.
    ///
    /// # Panics
    /// If it does not, with what it printed.
    pub fn must_pass(&self) -> Vec<String> {
        let mut told = Vec::new();
        let ended = self.run(|line| told.push(line.to_owned()));
        let how = if ended.hung { "hung" } else { "failed" };
        assert!(
            ended.passed,
            "{} {how} in its own process:\n{}\n{}",
            self.name,
            told.join("\n"),
            ended.output
        );
        told
    }

    /// Whether it was silent for too long.
    fn listen(
        &self,
        lines: &Receiver<String>,
        each: &mut impl FnMut(&str),
        output: &mut String,
    ) -> bool {
        loop {
            match lines.recv_timeout(self.silence) {
                Ok(line) => match line.strip_prefix(PREFIX) {
                    Some(told) => each(told),
                    None => *output += &(line + "\n"),
                },
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }
}

/// How it ended, if it did so by itself.
fn end(child: &mut Child, hung: bool) -> Option<ExitStatus> {
    if hung {
        // One that has just ended is fine too.
        let _ = child.kill();
    }
    child.wait().ok().filter(|_| !hung)
}

fn reader(
    stream: Option<impl Read + Send + 'static>,
    lines: std::sync::mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let Some(stream) = stream else { return };
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if lines
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    })
}
