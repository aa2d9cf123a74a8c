//! One line a call. Names and numbers only.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cryptoki_sys::{CK_RV, CK_SESSION_HANDLE};

/// Appends `C_Sign 1 0x0` or `C_Sign 1 0x32 fault`. In one write, so that lines of threads do not mix.
pub(crate) fn write(
    function: &str,
    session: Option<CK_SESSION_HANDLE>,
    result: CK_RV,
    fault: bool,
) {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let open = || {
        let path = std::env::var_os("FAULT_SHIM_LOG")?;
        OpenOptions::new().append(true).create(true).open(path).ok()
    };
    let Some(mut file) = FILE.get_or_init(open).as_ref() else {
        return;
    };
    let session = session.unwrap_or(0);
    let mark = if fault { " fault" } else { "" };
    let line = format!("{function} {session} {result:#x}{mark}\n");
    // A log that cannot be written shows as calls that are missing, which fails the test that counts.
    let _ = file.write_all(line.as_bytes());
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
