//! Pseudo-terminals: a person at a program's terminal, or a serial line.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub use rustix::process::Signal;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// A program that says nothing for so long hangs.
const SILENCE: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// One end for the test, the other for the program that opens the path. As it comes it is a terminal: it echoes, waits for
/// lines, and takes some bytes for itself. Those settings stay as long as this lives.
#[derive(Debug)]
pub struct Terminal {
    ours: File,
    theirs: File,
    path: PathBuf,
}

/// How a program at a terminal ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<Signal>,
    /// All that the terminal showed.
    pub shown: String,
    /// Whether what was typed at the prompt was hidden.
    pub hid: bool,
    /// Whether it is hidden in the end.
    pub hides: bool,
}

impl Terminal {
    /// A new one.
    ///
    /// # Panics
    /// If the system has none.
    #[allow(clippy::new_without_default)] // It may fail.
    pub fn new() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&ours).expect("the other end");
        unlockpt(&ours).expect("the other end");
        let name = ptsname(&ours, Vec::new()).expect("a name").into_bytes();
        let path = PathBuf::from(OsString::from_vec(name));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = rustix::fs::open(&path, flags, Mode::empty()).expect("the other end");
        Self {
            ours: ours.into(),
            theirs: theirs.into(),
            path,
        }
    }

    /// Where a program finds its end.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The test's end.
    pub fn ours(&self) -> &File {
        &self.ours
    }

    /// Runs a program to its end; this is its controlling terminal, where `^C` is a signal. When it has shown `prompt`,
    /// `typed` is typed.
    ///
    /// # Panics
    /// If it cannot be run, or says nothing for a minute.
    pub fn run(self, program: &Command, prompt: &str, typed: &str) -> Ended {
        self.run_until(program, prompt, |mut terminal, _| {
            terminal.write_all(typed.as_bytes()).expect("a terminal");
        })
    }

    /// The same with a signal in place of what is typed.
    ///
    /// # Panics
    /// As [`Terminal::run`].
    pub fn run_and_signal(self, program: &Command, prompt: &str, signal: Signal) -> Ended {
        self.run_until(program, prompt, |_, child| {
            kill_process(Pid::from_child(child), signal).expect("a process");
        })
    }

    fn run_until(
        mut self,
        program: &Command,
        prompt: &str,
        then: impl FnOnce(&File, &Child),
    ) -> Ended {
        let mut child = self.spawn(program);
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains(prompt) {
            assert!(self.read(&mut shown), "{}", String::from_utf8_lossy(&shown));
        }
        let hid = self.hides();
        then(&self.ours, &child);
        let status = child.wait().expect("a child");
        let hides = self.hides();
        // When nobody has the other end, reading ends behind the last word, however late that comes.
        self.theirs = self.ours.try_clone().expect("a descriptor");
        while self.read(&mut shown) {}
        Ended {
            code: status.code(),
            signal: status.signal().and_then(Signal::from_named_raw),
            shown: String::from_utf8_lossy(&shown).into_owned(),
            hid,
            hides,
        }
    }

    fn spawn(&self, program: &Command) -> Child {
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program.get_program());
        command.args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let theirs = || Stdio::from(self.theirs.try_clone().expect("a descriptor"));
        command.stdin(theirs()).stdout(theirs()).stderr(theirs());
        command.spawn().expect("setsid")
    }

    fn hides(&self) -> bool {
        let settings = tcgetattr(&self.theirs).expect("a terminal");
        !settings.local_modes.contains(LocalModes::ECHO)
    }

    /// What comes next; `false` at the end.
    fn read(&mut self, shown: &mut Vec<u8>) -> bool {
        let mut ready = [PollFd::new(&self.ours, PollFlags::IN)];
        let ready = retry_on_intr(|| poll(&mut ready, Some(&SILENCE))).expect("a terminal");
        assert_ne!(ready, 0, "silent: {}", String::from_utf8_lossy(shown));
        let mut piece = [0; 4096];
        match self.ours.read(&mut piece) {
            Ok(len @ 1..) => {
                shown.extend(&piece[..len]);
                true
            }
            Ok(0) | Err(_) => false,
        }
    }
}
