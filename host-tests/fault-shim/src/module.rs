//! The real module.

use std::sync::OnceLock;

use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_SESSION_HANDLE, CK_SESSION_HANDLE_PTR, CK_SESSION_INFO, CKR_OK, Pkcs11,
};

use crate::rule::Loss;

struct Loaded {
    real: CK_FUNCTION_LIST,
    ours: CK_FUNCTION_LIST,
    /// Its functions live as long as the library is loaded.
    _library: Pkcs11,
}

static LOADED: OnceLock<Option<Loaded>> = OnceLock::new();

/// The list that callers get, made with `with_ours` the first time. None if there is no real module.
pub(crate) fn ours(
    with_ours: fn(&CK_FUNCTION_LIST) -> CK_FUNCTION_LIST,
) -> Option<&'static CK_FUNCTION_LIST> {
    let loaded = LOADED.get_or_init(|| load(with_ours));
    loaded.as_ref().map(|loaded| &loaded.ours)
}

/// The real list.
pub(crate) fn real() -> Option<&'static CK_FUNCTION_LIST> {
    let loaded = LOADED.get()?.as_ref()?;
    Some(&loaded.real)
}

fn load(with_ours: fn(&CK_FUNCTION_LIST) -> CK_FUNCTION_LIST) -> Option<Loaded> {
    let path = std::env::var_os("FAULT_SHIM_MODULE")?;
    // SAFETY: loading runs the library's initializers; the test names a module that is meant for it.
    let library = unsafe { Pkcs11::new(path) }.ok()?;
    let get = *library.C_GetFunctionList.as_ref().ok()?;
    let mut list = std::ptr::null_mut();
    // SAFETY: `list` is where a pointer may be written.
    if unsafe { get(&raw mut list) } != CKR_OK || list.is_null() {
        return None;
    }
    // SAFETY: a module that says CKR_OK has put its list there, which it never frees or changes.
    let real = unsafe { *list };
    Some(Loaded {
        real,
        ours: with_ours(&real),
        _library: library,
    })
}

/// The session that `C_OpenSession` wrote, if it did.
pub(crate) fn opened(session: CK_SESSION_HANDLE_PTR) -> Option<CK_SESSION_HANDLE> {
    // SAFETY: null, or where the caller of C_OpenSession wants a number and has room for one. Before the
    // call it may be any number, which is only shown.
    unsafe { session.as_ref() }.copied()
}

/// Loses the login, the sessions or the whole module for real, behind the caller's back; gives the
/// function that did it, and its session.
pub(crate) fn lose(
    loss: Loss,
    session: Option<CK_SESSION_HANDLE>,
) -> (&'static str, Option<CK_SESSION_HANDLE>) {
    let Some(real) = real() else {
        return ("C_NotLoaded", session);
    };
    let handle = session.unwrap_or(0);
    // SAFETY: handles are numbers that the real module checks; the structure is filled before it is read.
    unsafe {
        match loss {
            Loss::Login => {
                real.C_Logout.map(|logout| logout(handle));
                ("C_Logout", session)
            }
            Loss::Session => {
                real.C_CloseSession.map(|close| close(handle));
                ("C_CloseSession", session)
            }
            Loss::Sessions => {
                let mut info = CK_SESSION_INFO::default();
                let known = real
                    .C_GetSessionInfo
                    .is_some_and(|get| get(handle, &raw mut info) == CKR_OK);
                if !known {
                    return ("C_UnknownSession", session);
                }
                real.C_CloseAllSessions.map(|close| close(info.slotID));
                ("C_CloseAllSessions", None)
            }
            Loss::Module => {
                real.C_Finalize
                    .map(|finalize| finalize(std::ptr::null_mut()));
                ("C_Finalize", None)
            }
        }
    }
}
