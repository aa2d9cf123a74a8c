//! Runs other programs: shown before they run, never with our stdin, never longer than their
//! time limit.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure, fail};
use crate::paths;

/// A small tool answers well within this.
pub(crate) const QUICK: Duration = Duration::from_secs(60);
/// A whole build on a slow machine, downloads included.
pub(crate) const BUILD: Duration = Duration::from_secs(60 * 60);

/// A program with its arguments, started in the root of the repository.
pub(crate) struct Run {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    without: Vec<OsString>,
    limit: Duration,
}

/// What a program that ended well has printed.
pub(crate) struct Output {
    pub(crate) stdout: Vec<u8>,
}

impl Output {
    /// Its standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            without: Vec::new(),
            limit: QUICK,
        }
    }

    /// The cargo that runs us.
    pub(crate) fn cargo() -> Self {
        Self::new(cargo()).limit(BUILD)
    }

    /// Cargo with another of rustup's toolchains than the one that runs us.
    pub(crate) fn cargo_of(toolchain: &str) -> Self {
        let cargo = Self::new("cargo").arg(format!("+{toolchain}")).limit(BUILD);
        cargo.env_remove("RUSTC").env_remove("RUSTDOC")
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args<I: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Words that need no quotes, as one types them.
    pub(crate) fn words(self, words: &str) -> Self {
        self.args(words.split_whitespace())
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.without.push(name.as_ref().to_owned());
        self
    }

    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The command line as one would type it in a shell. The environment is not shown: it may hold
    /// a PIN.
    pub(crate) fn shown(&self) -> String {
        let program = Path::new(&self.program);
        let name = match program.file_name() {
            // The path that cargo gives itself is of no use to a person.
            Some(name) if cargo() == self.program => name.to_string_lossy().into_owned(),
            _ => paths::shown(program),
        };
        let mut words = vec![name];
        words.extend(self.args.iter().map(|arg| quoted(&arg.to_string_lossy())));
        words.join(" ")
    }

    /// Runs it with its output going straight to ours.
    pub(crate) fn stream(&self) -> Result<(), Failure> {
        let mut child = self.spawn(Stdio::null(), Stdio::inherit(), Stdio::inherit())?;
        let status = self.wait(&mut child)?;
        self.judge(status, "")
    }

    /// Runs it, prints each line of its output and hands it to `each`, in the order of both streams.
    pub(crate) fn tee(&self, mut each: impl FnMut(&str)) -> Result<(), Failure> {
        let (reader, writer) = io::pipe().context("a pipe")?;
        let other = writer.try_clone().context("a pipe")?;
        let mut child = self.spawn(Stdio::null(), writer.into(), other.into())?;
        let lines = lines_of(Some(reader));
        let end = Instant::now() + self.limit;
        while let Some(line) = next_line(&lines, end) {
            println!("{line}");
            each(&line);
        }
        let status = self.wait_until(&mut child, end)?;
        self.judge(status, "")
    }

    /// Runs it quietly; what it says on standard error becomes part of a failure.
    pub(crate) fn capture(&self) -> Result<Output, Failure> {
        let mut child = self.spawn(Stdio::null(), Stdio::piped(), Stdio::piped())?;
        let stdout = bytes_of(child.stdout.take());
        let stderr = bytes_of(child.stderr.take());
        let status = self.wait(&mut child)?;
        // A grandchild may hold the pipe open after the child has ended: do not wait for it long.
        let rest = Duration::from_secs(5);
        let stdout = stdout.recv_timeout(rest).unwrap_or_default();
        let stderr = stderr.recv_timeout(rest).unwrap_or_default();
        self.judge(status, String::from_utf8_lossy(&stderr).trim_end())?;
        Ok(Output { stdout })
    }

    /// How long it takes, from before its start to its end. Its standard output is thrown away. There is
    /// no time limit: looking at a clock meanwhile would be measured too.
    pub(crate) fn time(&self) -> Result<Duration, Failure> {
        let started = Instant::now();
        let mut child = self.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
        let status = child.wait().context("cannot wait for a child process")?;
        let took = started.elapsed();
        self.judge(status, "")?;
        Ok(took)
    }

    /// Starts it with piped stdin and stdout and leaves it running.
    pub(crate) fn start(&self) -> Result<Child, Failure> {
        self.spawn(Stdio::piped(), Stdio::piped(), Stdio::inherit())
    }

    fn spawn(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Result<Child, Failure> {
        let mut command = Command::new(&self.program);
        for name in &self.without {
            command.env_remove(name);
        }
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(paths::root())
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .context(format_args!(
                "cannot start `{}`",
                self.program.to_string_lossy()
            ))
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, Failure> {
        self.wait_until(child, Instant::now() + self.limit)
    }

    fn wait_until(&self, child: &mut Child, end: Instant) -> Result<ExitStatus, Failure> {
        loop {
            let ended = child
                .try_wait()
                .context("cannot wait for a child process")?;
            if let Some(status) = ended {
                return Ok(status);
            }
            if Instant::now() >= end {
                stop(child);
                return fail!("`{}` ran over {} s", self.shown(), self.limit.as_secs());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn judge(&self, status: ExitStatus, said: &str) -> Result<(), Failure> {
        if status.success() {
            return Ok(());
        }
        let gap = if said.is_empty() { "" } else { "\n" };
        fail!("`{}` ended with {status}{gap}{said}", self.shown())
    }
}

/// Ends a child for good and reaps it. One that has already ended is fine too.
pub(crate) fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The lines a child prints, read on a thread so that waiting for one can have a limit.
pub(crate) fn lines_of(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line)
                .trim_end_matches(['\r', '\n'])
                .to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// The next line, or nothing at the end of the output or of the time.
pub(crate) fn next_line(lines: &mpsc::Receiver<String>, end: Instant) -> Option<String> {
    lines
        .recv_timeout(end.saturating_duration_since(Instant::now()))
        .ok()
}

fn bytes_of(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A word as a POSIX shell needs it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted("--key-type"), "--key-type");
        assert_eq!(quoted("pkcs11:token=t;id=%01"), "'pkcs11:token=t;id=%01'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_program_over_its_time_is_ended_and_named() {
        let run = Run::new("sleep").arg("30").limit(Duration::from_millis(50));
        let started = Instant::now();
        let failure = run
            .capture()
            .map(|_| ())
            .expect_err("it must not end by itself");
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(
            failure.to_string().starts_with("`sleep 30` ran over"),
            "{failure}"
        );
    }

    #[test]
    fn a_failing_program_is_named_with_what_it_said() {
        let run = Run::new("sh").args(["-c", "echo because >&2; exit 3"]);
        let failure = run.capture().map(|_| ()).expect_err("it exits with 3");
        let message = failure.to_string();
        assert!(
            message.contains("exit status: 3") && message.ends_with("because"),
            "{message}"
        );
    }
}
