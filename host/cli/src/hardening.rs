//! What the process does for its secrets before it does anything else.
//!
//! The unsafe code is a promise: no other thread runs yet; an end that calls nothing back; a signal that is ignored, and
//! some that a refresh answers; and what runs before `main`, where the standard library has not yet put `/dev/null` in the place of a standard output or
//! error that is closed.

#![allow(unsafe_code)]

use core::time::Duration;
#[cfg(target_os = "linux")]
use rustix::fs::OFlags;
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use privyseal::http::{HttpWatcher, Url};
use privyseal_hsm::lock;
use zeroize::Zeroizing;

use crate::exit::Exit;

static OUTPUT_IS_CLOSED: AtomicBool = AtomicBool::new(false);
static MESSAGES_ARE_CLOSED: AtomicBool = AtomicBool::new(false);
static IS_SENT: AtomicBool = AtomicBool::new(false);
/// What came, until it is printed.
static CAME: Mutex<Option<(Zeroizing<String>, &str)>> = Mutex::new(None);

// SAFETY: a function of C's form, which the system calls once for the program before `main`.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_OUTPUT: extern "C" fn() = look_at_output;

#[cfg(target_os = "linux")]
extern "C" fn look_at_output() {
    for (number, is_closed) in [(1, &OUTPUT_IS_CLOSED), (2, &MESSAGES_ARE_CLOSED)] {
        // SAFETY: the number is asked about and nothing else, whether it is open or not.
        let stream = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
        let flags = rustix::fs::fcntl_getfl(stream);
        let takes_nothing = flags.is_ok_and(|it| it.intersection(OFlags::RWMODE) == OFlags::RDONLY);
        is_closed.store(flags.is_err() || takes_nothing, Ordering::Relaxed);
    }
}

/// Whether the program was started without a standard output that can be written, so that nothing that is printed arrives.
pub(super) fn output_is_closed() -> bool {
    OUTPUT_IS_CLOSED.load(Ordering::Relaxed)
}

static RESULTS: OnceLock<File> = OnceLock::new();

/// Keeps standard output for results: what a module prints goes to standard error from now on.
pub(super) fn keep_output_for_results() {
    #[cfg(unix)]
    if let Ok(output) = rustix::io::fcntl_dupfd_cloexec(std::io::stdout(), 3)
        && rustix::stdio::dup2_stdout(std::io::stderr()).is_ok()
    {
        let _ = RESULTS.set(output.into());
    }
}

/// Where results go, once it is kept for them.
pub(super) fn results() -> Option<&'static File> {
    RESULTS.get()
}

/// Whether standard output is a pipe or a connection whose reader is gone.
pub(super) fn output_has_no_reader() -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use std::os::fd::AsFd;
        let stdout = std::io::stdout();
        let output = results().map_or(stdout.as_fd(), AsFd::as_fd);
        let mut polled = [PollFd::from_borrowed_fd(output, PollFlags::empty())];
        let is_polled = poll(&mut polled, Some(&Timespec::default()));
        let gone = PollFlags::ERR | PollFlags::HUP;
        is_polled.is_ok() && polled[0].revents().intersects(gone)
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Whether it was started without a standard error, so that nobody sees what is said.
pub(super) fn messages_are_closed() -> bool {
    MESSAGES_ARE_CLOSED.load(Ordering::Relaxed)
}

/// No core dump of this process, no end at a file-size limit, nobody else's look into its memory and environment, and no PIN in the environment of
/// programs that it or a module starts. Called first thing in `main`.
pub(super) fn harden() {
    #[cfg(target_os = "linux")]
    forbid_dumps();
    // A file that may not grow is an error of its write, not the end of the program.
    // SAFETY: nothing of this program handles that signal.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    // SAFETY: `main` has started no thread.
    unsafe { privyseal_hsm::take_pin_variable() };
}

/// Ends the process with that code, and does nothing that the loader or a module left to be done then: a module that hangs would
/// keep it alive.
#[cfg_attr(not(unix), expect(clippy::exit, reason = "there is no other way"))]
pub(super) fn end_at_once(exit: Exit) -> ! {
    // Who printed it was told whether that is possible.
    let _ = std::io::stdout().flush();
    // SAFETY: a number goes in.
    #[cfg(unix)]
    unsafe {
        libc::_exit(exit.code().into())
    }
    #[cfg(not(unix))]
    std::process::exit(exit.code().into())
}

/// Notes that a request has begun: until then nothing of it is spent.
pub(super) struct Sent;

impl HttpWatcher for Sent {
    fn asking(&self, _: &Url, _: Duration) {
        IS_SENT.store(true, Ordering::Relaxed);
    }

    fn answered(&self) {}

    fn pausing(&self, _: Duration) {}
}

/// Keeps what came, so that [`with_spent_token`] prints it and says this where the process is ended first; or no more.
pub(super) fn keep_what_came(text: Option<(Zeroizing<String>, &'static str)>) {
    *lock(&CAME) = text;
}

/// Does what must not be broken off: who ends the process once a request that [`Sent`] is told of has begun is told what that
/// costs, or gets what came.
#[cfg(unix)]
pub(super) fn with_spent_token<T>(work: impl FnOnce() -> T) -> T {
    // Those that end a process without its own fault, and that it can hear.
    use libc::{SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    const SIGNALS: [libc::c_int; 7] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2];
    IS_SENT.store(false, Ordering::Relaxed);
    let before = SIGNALS.map(|signal| {
        // SAFETY: `said_spent` calls only what a handler may call (signal-safety(7)); what was ignored stays so.
        unsafe {
            let before = libc::signal(signal, libc::SIG_IGN);
            if before != libc::SIG_IGN {
                let handler: extern "C" fn(libc::c_int) = said_spent;
                libc::signal(signal, handler as libc::sighandler_t);
            }
            before
        }
    });
    let outcome = work();
    for (signal, before) in SIGNALS.into_iter().zip(before) {
        // SAFETY: it is what was there.
        unsafe { libc::signal(signal, before) };
    }
    outcome
}

#[cfg(not(unix))]
pub(super) fn with_spent_token<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(unix)]
extern "C" fn said_spent(signal: libc::c_int) {
    const SPENT: &str = "the code or refresh token that was sent may be spent: use it no more, and have the person log in again";
    let printed = match (CAME.try_lock().as_deref(), results()) {
        (Ok(Some((came, said))), Some(mut file)) => {
            writeln!(file, "{}", came.as_str()).ok().map(|()| *said)
        }
        _ => None,
    };
    if IS_SENT.load(Ordering::Relaxed) {
        let text = printed.unwrap_or(SPENT);
        for text in ["error: ended from outside; ", text, "\n"] {
            // SAFETY: the text is as long as said, and it is safe in a handler.
            unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
        }
    }
    // SAFETY: numbers go in, and these are safe in a handler.
    unsafe {
        if printed.is_some() {
            libc::_exit(Exit::Partial.code().into());
        }
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

#[cfg(target_os = "linux")]
fn forbid_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // Where the system refuses, there is nothing else to be done.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

    #[test]
    fn the_process_is_not_dumped() {
        super::forbid_dumps();
        let set = dumpable_behavior().unwrap();
        // The others of this process may be looked at.
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
        assert_eq!(set, DumpableBehavior::NotDumpable);
    }
}
