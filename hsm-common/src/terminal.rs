//! A line that is typed unseen.
//!
//! The unsafe code catches signals while the terminal hides what is typed. The handler stores a number and does nothing else.

#![allow(unsafe_code)]

use std::io;

use zeroize::Zeroizing;

/// Prints `question` and reads the answer without echo. A signal that ends or stops the process (Ctrl-C, Ctrl-\, Ctrl-Z) does
/// so once the terminal is as it was.
#[cfg(unix)]
pub(crate) fn read_unseen(question: &str) -> io::Result<Zeroizing<String>> {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use std::io::Write as _;

    struct Restored(Termios);
    impl Drop for Restored {
        fn drop(&mut self) {
            // There is nobody to tell.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
            let _ = writeln!(io::stderr());
        }
    }

    let before = tcgetattr(io::stdin())?;
    let mut unseen = before.clone();
    unseen.local_modes -= LocalModes::ECHO;
    // Dropped last.
    let signals = signals::Caught::new();
    let _restored = Restored(before);
    tcsetattr(io::stdin(), OptionalActions::Flush, &unseen)?;
    write!(io::stderr(), "{question}")?;
    signals.wait_for_input()?;
    let mut line = Zeroizing::new([0; crate::secret::MAX_SECRET + 1]);
    let len = rustix::io::read(io::stdin(), line.as_mut_slice())?;
    match line.get(..len).unwrap_or_default() {
        [typed @ .., b'\n'] | typed => str::from_utf8(typed)
            .map(|typed| Zeroizing::new(typed.to_owned()))
            .map_err(io::Error::other),
    }
}

#[cfg(unix)]
mod signals {
    use std::io;
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::atomic::{AtomicI32, Ordering};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// What ends, or stops, a process that does not care.
    const DEADLY: [i32; 5] = [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGTSTP,
    ];

    /// How often it is looked whether one came: it may be another thread's.
    const POLL: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 50_000_000,
    };

    static CAME: AtomicI32 = AtomicI32::new(0);

    extern "C" fn note(signal: i32) {
        CAME.store(signal, Ordering::Relaxed);
    }

    /// As long as it lives those signals wait, unless they are ignored; then what handled them before does so.
    pub(super) struct Caught(Vec<(i32, libc::sigaction)>);

    impl Caught {
        pub(super) fn new() -> Self {
            CAME.store(0, Ordering::Relaxed);
            let handler: extern "C" fn(i32) = note;
            let catch = |signal| {
                let mut before = MaybeUninit::uninit();
                // SAFETY: `before` is written where the call succeeds, and read only then. A `sigaction` of zeros is one without flags
                // that blocks nothing; the handler may run at any time, and in any thread.
                unsafe {
                    if libc::sigaction(signal, ptr::null(), before.as_mut_ptr()) != 0 {
                        return None;
                    }
                    let before: libc::sigaction = before.assume_init();
                    let mut ours: libc::sigaction = MaybeUninit::zeroed().assume_init();
                    ours.sa_sigaction = handler as libc::sighandler_t;
                    let is_heard = before.sa_sigaction != libc::SIG_IGN;
                    (is_heard && libc::sigaction(signal, &raw const ours, ptr::null_mut()) == 0)
                        .then_some((signal, before))
                }
            };
            Self(DEADLY.into_iter().filter_map(catch).collect())
        }

        /// Returns when there is something to read, or a signal came.
        #[allow(clippy::unused_self, reason = "only while they are caught")]
        pub(super) fn wait_for_input(&self) -> io::Result<()> {
            loop {
                let stdin = io::stdin();
                let ready = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&POLL));
                if CAME.load(Ordering::Relaxed) != 0 {
                    return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
                }
                match ready {
                    Ok(0) | Err(rustix::io::Errno::INTR) => {}
                    Ok(_) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    impl Drop for Caught {
        fn drop(&mut self) {
            for (signal, before) in &self.0 {
                // SAFETY: what the system said of this signal before.
                unsafe { libc::sigaction(*signal, before, ptr::null_mut()) };
            }
            let came = CAME.swap(0, Ordering::Relaxed);
            if came != 0 {
                // SAFETY: a signal as any other program may send it.
                unsafe { libc::raise(came) };
            }
        }
    }
}

/// Prints `question` and reads the answer without echo.
#[cfg(not(unix))]
pub(crate) fn read_unseen(question: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(question).map(Zeroizing::new)
}
