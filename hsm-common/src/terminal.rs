//! A line that is typed unseen.

use std::io;

use zeroize::Zeroizing;

/// Prints `question` and reads the answer without echo. An interrupt (Ctrl-C, Ctrl-\) ends the line here and no process, so
/// that the terminal is put back as it was.
#[cfg(unix)]
pub(crate) fn read_unseen(question: &str) -> io::Result<Zeroizing<String>> {
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };
    use std::io::Write as _;

    struct Restored(Termios);
    impl Drop for Restored {
        fn drop(&mut self) {
            // There is nobody to tell.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
            let _ = writeln!(io::stderr());
        }
    }

    let _restored = Restored(tcgetattr(io::stdin())?);
    let mut unseen = tcgetattr(io::stdin())?;
    unseen.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
    // They end the line instead.
    unseen.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    unseen.special_codes[SpecialCodeIndex::VEOL2] = QUIT;
    tcsetattr(io::stdin(), OptionalActions::Flush, &unseen)?;
    write!(io::stderr(), "{question}")?;
    let mut line = Zeroizing::new([0; crate::secret::MAX_SECRET + 1]);
    let len = rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), line.as_mut_slice()))?;
    match line.get(..len).unwrap_or_default() {
        [.., INTERRUPT | QUIT] => Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted")),
        [typed @ .., b'\n'] | typed => str::from_utf8(typed)
            .map(|typed| Zeroizing::new(typed.to_owned()))
            .map_err(io::Error::other),
    }
}

/// Ctrl-C.
#[cfg(unix)]
const INTERRUPT: u8 = 0x03;

/// Ctrl-\.
#[cfg(unix)]
const QUIT: u8 = 0x1c;

/// Prints `question` and reads the answer without echo.
#[cfg(not(unix))]
pub(crate) fn read_unseen(question: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(question).map(Zeroizing::new)
}
