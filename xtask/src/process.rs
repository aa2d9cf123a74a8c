//! Runs other programs: shown before they run, never with our stdin, never longer than their
//! time limit.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
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
    command: Command,
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
        let mut command = Command::new(program);
        command.current_dir(paths::root());
        let limit = QUICK;
        Self { command, limit }
    }

    /// The cargo that runs us, with words as one types them. It does not hear that a package of ours runs it: ring's build
    /// script looks at these variables, and with others it, and all that stands on it, would be built again.
    pub(crate) fn cargo(words: &str) -> Self {
        let is_ours =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        let names = env::vars_os().map(|(name, _)| name);
        let names = names.filter(|name| is_ours(&name.to_string_lossy()));
        let cargo = Self::new(cargo()).limit(BUILD).words(words);
        names.fold(cargo, Self::env_remove)
    }

    /// Cargo with another of rustup's toolchains than the one that runs us.
    pub(crate) fn cargo_of(toolchain: &str, words: &str) -> Self {
        let cargo = Self::new("cargo").arg(format!("+{toolchain}")).words(words);
        cargo.limit(BUILD).env_remove("RUSTC").env_remove("RUSTDOC")
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<I: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.command.args(args);
        self
    }

    /// Arguments that need no quotes, as one types them.
    pub(crate) fn words(self, words: &str) -> Self {
        self.args(words.split_whitespace())
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The command line as one would type it in a shell. The environment is not shown: it may hold
    /// a PIN.
    pub(crate) fn shown(&self) -> String {
        let program = Path::new(self.command.get_program());
        let name = match program.file_name() {
            // The path that cargo gives itself is of no use to a person.
            Some(name) if cargo() == program => name.to_string_lossy().into_owned(),
            _ => paths::shown(program),
        };
        let mut words = vec![name];
        let args = self.command.get_args();
        words.extend(args.map(|arg| quoted(&arg.to_string_lossy())));
        words.join(" ")
    }

    /// Shows it, then runs it with its output going straight to ours.
    pub(crate) fn show_and_stream(self) -> Result<(), Failure> {
        println!("$ {}", self.shown());
        self.stream()
    }

    /// Runs it with its output going straight to ours.
    pub(crate) fn stream(mut self) -> Result<(), Failure> {
        let mut child = self.spawn(Stdio::inherit(), Stdio::inherit())?;
        self.end(&mut child, "")
    }

    /// Runs it, prints each line of its output and hands it to `each`, in the order of both streams.
    pub(crate) fn tee(self, mut each: impl FnMut(&str)) -> Result<(), Failure> {
        self.lines(|line| {
            println!("{line}");
            each(line);
        })
    }

    /// Runs it and hands each line of its output to `each`, in the order of both streams.
    pub(crate) fn lines(mut self, mut each: impl FnMut(&str)) -> Result<(), Failure> {
        let (reader, writer) = io::pipe().context("a pipe")?;
        let other = writer.try_clone().context("a pipe")?;
        let mut child = self.spawn(writer.into(), other.into())?;
        // Its ends of the pipe would keep the lines from ending.
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        let lines = lines_of(reader);
        let end = Instant::now() + self.limit;
        let mut has_ended = false;
        loop {
            match lines.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => each(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                // A grandchild may hold the pipe open after the child has ended, whose last lines may have come since.
                Err(_) if has_ended => break,
                Err(_) if Instant::now() >= end => return self.stop(&mut child),
                Err(_) => has_ended = matches!(child.try_wait(), Ok(Some(_))),
            }
        }
        self.end(&mut child, "")
    }

    /// Runs it quietly; what it says on standard error becomes part of a failure.
    pub(crate) fn capture(&mut self) -> Result<Output, Failure> {
        let mut child = self.spawn(Stdio::piped(), Stdio::piped())?;
        let stdout = bytes_of(child.stdout.take());
        let stderr = bytes_of(child.stderr.take());
        self.wait(&mut child)?;
        // A grandchild may hold the pipe open after the child has ended: do not wait for it long.
        let rest = Duration::from_secs(5);
        let stdout = stdout.recv_timeout(rest).unwrap_or_default();
        let stderr = stderr.recv_timeout(rest).unwrap_or_default();
        self.end(&mut child, String::from_utf8_lossy(&stderr).trim_end())?;
        Ok(Output { stdout })
    }

    /// How long it takes, from before its start to its end. Its standard output is thrown away. There is
    /// no time limit: looking at a clock meanwhile would be measured too.
    pub(crate) fn time(&mut self) -> Result<Duration, Failure> {
        let started = Instant::now();
        let mut child = self.spawn(Stdio::null(), Stdio::inherit())?;
        child.wait().context("cannot wait for a child process")?;
        let took = started.elapsed();
        self.end(&mut child, "")?;
        Ok(took)
    }

    fn spawn(&mut self, stdout: Stdio, stderr: Stdio) -> Result<Child, Failure> {
        let name = self.command.get_program().to_string_lossy().into_owned();
        let command = self
            .command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
        command
            .spawn()
            .context(format_args!("cannot start `{name}`"))
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, Failure> {
        let end = Instant::now() + self.limit;
        loop {
            let ended = child.try_wait();
            if let Some(status) = ended.context("cannot wait for a child process")? {
                return Ok(status);
            }
            if Instant::now() >= end {
                return self.stop(child);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn stop<T>(&self, child: &mut Child) -> Result<T, Failure> {
        stop(child);
        fail!("`{}` ran over {} s", self.shown(), self.limit.as_secs())
    }

    /// Waits for its end and fails if that is not a good one.
    fn end(&self, child: &mut Child, said: &str) -> Result<(), Failure> {
        let status = self.wait(child)?;
        if status.success() {
            return Ok(());
        }
        let gap = if said.is_empty() { "" } else { "\n" };
        fail!("`{}` ended with {status}{gap}{said}", self.shown())
    }
}

/// Kills a child and reaps it. One that has already ended is fine too.
fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The lines a child prints, read on a thread so that waiting for one can have a limit.
fn lines_of(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            let text = String::from_utf8_lossy(&line);
            if sender.send(text.trim_end_matches('\r').to_owned()).is_err() {
                return;
            }
        }
    });
    receiver
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
        let mut run = Run::new("sleep").arg("30").limit(Duration::from_millis(50));
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
        let mut run = Run::new("sh").args(["-c", "echo because >&2; exit 3"]);
        let failure = run.capture().map(|_| ()).expect_err("it exits with 3");
        let message = failure.to_string();
        assert!(
            message.contains("exit status: 3") && message.ends_with("because"),
            "{message}"
        );
    }
}
