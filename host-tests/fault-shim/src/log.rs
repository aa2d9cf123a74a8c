//! One line a call. Names and numbers only.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cryptoki_sys::{CK_RV, CK_SESSION_HANDLE};

/// A line: `C_Sign 1 0x0`, `C_Sign 1 0x32 fault`, `C_Login 1 0x0 context`.
pub(crate) struct Entry(String);

impl Entry {
    pub(crate) fn new(function: &str, session: Option<CK_SESSION_HANDLE>, result: CK_RV) -> Self {
        let session = session.unwrap_or(0);
        Self(format!("{function} {session} {result:#x}"))
    }

    pub(crate) fn context(self, is: bool) -> Self {
        self.marked(is, "context")
    }

    pub(crate) fn faulty(self, is: bool) -> Self {
        self.marked(is, "fault")
    }

    /// Appends it, in one write, so that lines of threads do not mix.
    pub(crate) fn write(self) {
        static FILE: OnceLock<Option<File>> = OnceLock::new();
        let open = || {
            let path = std::env::var_os("FAULT_SHIM_LOG")?;
            OpenOptions::new().append(true).create(true).open(path).ok()
        };
        let Some(mut file) = FILE.get_or_init(open).as_ref() else {
            return;
        };
        // A log that cannot be written shows as calls that are missing, which fails the test that counts.
        let _ = file.write_all((self.0 + "\n").as_bytes());
    }

    fn marked(mut self, is: bool, mark: &str) -> Self {
        if is {
            self.0 += " ";
            self.0 += mark;
        }
        self
    }
}

/// Held over a call that opens or closes sessions, and over its line in the log, so that reading the log
/// from its beginning tells which sessions are open.
pub(crate) fn table(function: &str) -> Option<MutexGuard<'static, ()>> {
    static TABLE: Mutex<()> = Mutex::new(());
    let changes = matches!(
        function,
        "C_OpenSession" | "C_CloseSession" | "C_CloseAllSessions" | "C_Finalize"
    );
    changes.then(|| TABLE.lock().unwrap_or_else(PoisonError::into_inner))
}
