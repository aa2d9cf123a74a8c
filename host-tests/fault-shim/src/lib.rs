//! A PKCS #11 module that forwards every call to a real one, counts what is called, and breaks what a
//! test tells it to break.
//!
//! - `FAULT_SHIM_MODULE`: the real module;
//! - `FAULT_SHIM_CONTROL`: a file of rules, one a line (see `rule.rs`), read again at every call, so that a
//!   test can change them under a running program; when it changes, the rules count from one again;
//! - `FAULT_SHIM_LOG`: a file to which one line a call is appended: function, session, return value,
//!   `context` where a login is for one use of a key, and `fault` where a rule fired; what a rule really lost
//!   has a line of its own. Never a PIN.
//!
//! Functions that a signer has no business with are forwarded without being looked at.
//!
//! `unsafe`: a module is a C library, called through pointers and calling through pointers. Whatever
//! points somewhere is the caller's and is handed on as it is; the few places that write through such a
//! pointer say why they may.

#![allow(clippy::cast_possible_truncation)] // Lengths of PKCS #11 fit the machine that they come from.
#![allow(unsafe_code)]

mod alter;
mod log;
mod module;
mod rule;
mod script;

use std::sync::{PoisonError, RwLock};

use cryptoki_sys::{
    CK_ATTRIBUTE_PTR, CK_BYTE_PTR, CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR_PTR,
    CK_INFO_PTR, CK_MECHANISM_INFO_PTR, CK_MECHANISM_PTR, CK_MECHANISM_TYPE, CK_MECHANISM_TYPE_PTR,
    CK_NOTIFY, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR, CK_RV, CK_SESSION_HANDLE,
    CK_SESSION_HANDLE_PTR, CK_SESSION_INFO_PTR, CK_SLOT_ID, CK_SLOT_ID_PTR, CK_SLOT_INFO_PTR,
    CK_TOKEN_INFO_PTR, CK_ULONG, CK_ULONG_PTR, CK_USER_TYPE, CK_UTF8CHAR_PTR,
    CKR_FUNCTION_NOT_SUPPORTED, CKR_GENERAL_ERROR, CKR_OK, CKU_CONTEXT_SPECIFIC,
};

use crate::log::Entry;
use crate::rule::Action;

/// Open to all calls, but shut while something is lost.
static GATE: RwLock<()> = RwLock::new(());

/// Writes a function of the module: `on Some(session)` says which session a rule may log out or close first,
/// `at slot` which slot is asked for, `as user` who logs in, `then` what an action does to the answer.
macro_rules! forwarded {
    ($(
        fn $name:ident($($arg:ident: $kind:ty),* $(,)?)
            $(on $session:expr)? $(, at $slot:ident)? $(, as $user:ident)? $(, then $alter:expr)?;
    )*) => {
        $(
            #[allow(non_snake_case, reason = "the name in the standard")]
            unsafe extern "C" fn $name($($arg: $kind),*) -> CK_RV {
                let Some(real) = module::real().and_then(|real| real.$name) else {
                    return CKR_FUNCTION_NOT_SUPPORTED;
                };
                let no_session = || None;
                #[allow(unused_mut, unused_assignments)]
                let mut session: &dyn Fn() -> Option<CK_SESSION_HANDLE> = &no_session;
                $(
                    let its_session = || $session;
                    session = &its_session;
                )?
                let nothing = |_: &Action| false;
                #[allow(unused_mut, unused_assignments)]
                let mut alter: &dyn Fn(&Action) -> bool = &nothing;
                $(
                    let given = $alter;
                    alter = &given;
                )?
                let about = About {
                    name: stringify!($name),
                    session,
                    slot: None $(.or(Some($slot)))?,
                    context: false $(|| $user == CKU_CONTEXT_SPECIFIC)?,
                };
                // SAFETY: the caller's arguments, handed on to the function that they are meant for.
                call(&about, &|| unsafe { real($($arg),*) }, alter)
            }
        )*

        /// The real list with these functions in front.
        fn with_ours(real: &CK_FUNCTION_LIST) -> CK_FUNCTION_LIST {
            CK_FUNCTION_LIST {
                C_GetFunctionList: Some(C_GetFunctionList),
                $($name: Some($name),)*
                ..*real
            }
        }
    };
}

forwarded! {
    fn C_Initialize(arguments: *mut std::ffi::c_void);
    fn C_Finalize(reserved: *mut std::ffi::c_void);
    fn C_GetInfo(info: CK_INFO_PTR);
    fn C_GetSlotList(present: u8, slots: CK_SLOT_ID_PTR, count: CK_ULONG_PTR),
        then |action: &Action| alter::slots(action, count);
    fn C_GetSlotInfo(slot: CK_SLOT_ID, info: CK_SLOT_INFO_PTR), at slot;
    fn C_GetTokenInfo(slot: CK_SLOT_ID, info: CK_TOKEN_INFO_PTR),
        at slot, then |action: &Action| alter::token_info(action, info);
    fn C_GetMechanismList(slot: CK_SLOT_ID, list: CK_MECHANISM_TYPE_PTR, count: CK_ULONG_PTR);
    fn C_GetMechanismInfo(slot: CK_SLOT_ID, mechanism: CK_MECHANISM_TYPE, info: CK_MECHANISM_INFO_PTR);
    fn C_OpenSession(
        slot: CK_SLOT_ID,
        flags: CK_FLAGS,
        application: *mut std::ffi::c_void,
        notify: CK_NOTIFY,
        session: CK_SESSION_HANDLE_PTR,
    ) on module::opened(session);
    fn C_CloseSession(session: CK_SESSION_HANDLE) on Some(session);
    fn C_CloseAllSessions(slot: CK_SLOT_ID);
    fn C_GetSessionInfo(session: CK_SESSION_HANDLE, info: CK_SESSION_INFO_PTR) on Some(session);
    fn C_Login(
        session: CK_SESSION_HANDLE,
        user: CK_USER_TYPE,
        pin: CK_UTF8CHAR_PTR,
        len: CK_ULONG,
    ) on Some(session), as user;
    fn C_Logout(session: CK_SESSION_HANDLE) on Some(session);
    fn C_GetAttributeValue(
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        template: CK_ATTRIBUTE_PTR,
        count: CK_ULONG,
    ) on Some(session), then |action: &Action| alter::attributes(action, template, count);
    fn C_FindObjectsInit(
        session: CK_SESSION_HANDLE,
        template: CK_ATTRIBUTE_PTR,
        count: CK_ULONG,
    ) on Some(session);
    fn C_FindObjects(
        session: CK_SESSION_HANDLE,
        objects: CK_OBJECT_HANDLE_PTR,
        room: CK_ULONG,
        count: CK_ULONG_PTR,
    ) on Some(session);
    fn C_FindObjectsFinal(session: CK_SESSION_HANDLE) on Some(session);
    fn C_SignInit(
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_PTR,
        key: CK_OBJECT_HANDLE,
    ) on Some(session);
    fn C_Sign(
        session: CK_SESSION_HANDLE,
        data: CK_BYTE_PTR,
        data_len: CK_ULONG,
        signature: CK_BYTE_PTR,
        len: CK_ULONG_PTR,
    ) on Some(session), then |action: &Action| alter::signature(action, signature, len);
    fn C_SignUpdate(session: CK_SESSION_HANDLE, data: CK_BYTE_PTR, len: CK_ULONG) on Some(session);
    fn C_SignFinal(
        session: CK_SESSION_HANDLE,
        signature: CK_BYTE_PTR,
        len: CK_ULONG_PTR,
    ) on Some(session), then |action: &Action| alter::signature(action, signature, len);
}

unsafe extern "C" {
    fn raise(signal: i32) -> i32;
}

/// What a call is about.
struct About<'a> {
    name: &'static str,
    /// Asked before and after the call, which may be the one that opens it.
    session: &'a dyn Fn() -> Option<CK_SESSION_HANDLE>,
    slot: Option<CK_SLOT_ID>,
    /// A login for one use of a key.
    context: bool,
}

/// One call: what the rules say, the real function or not, the log.
#[expect(clippy::exit, reason = "a module that does so is what is tested")]
fn call(about: &About<'_>, forward: &dyn Fn() -> CK_RV, alter: &dyn Fn(&Action) -> bool) -> CK_RV {
    let action = script::next(about.name, about.slot);
    if let Some(Action::Hang(time)) = &action {
        std::thread::sleep(*time);
    }
    if action == Some(Action::Print) {
        let _ = std::io::Write::write_all(&mut std::io::stdout(), b"a module prints\n");
    }
    if action == Some(Action::Abort) {
        std::process::abort();
    }
    while action == Some(Action::Crash) {
        // Again, because a handler of the program's may return.
        // SAFETY: a number goes in.
        unsafe { raise(11) };
    }
    if action == Some(Action::Exit) {
        std::process::exit(0);
    }
    // Nothing is lost while another thread is in the module: SoftHSM crashes then, as it may (a module need
    // not stand that its sessions are closed under it), and it is not SoftHSM that is tested.
    if let Some(Action::First(loss)) = &action {
        let _alone = GATE.write().unwrap_or_else(PoisonError::into_inner);
        let (function, session) = module::lose(*loss, (about.session)());
        Entry::new(function, session, CKR_OK).faulty(true).write();
    }
    let _inside = GATE.read().unwrap_or_else(PoisonError::into_inner);
    // Calls that open and close sessions are logged in the order in which they happened.
    let table = log::table(about.name);
    let mut faulty = action.is_some();
    let result = match &action {
        None | Some(Action::Hang(_) | Action::First(_)) => forward(),
        Some(Action::Return(code) | Action::Dead { code, .. }) => *code,
        Some(Action::ReturnAfter(code)) => {
            forward();
            *code
        }
        Some(action) => {
            let result = forward();
            faulty = result == CKR_OK && alter(action);
            result
        }
    };
    Entry::new(about.name, (about.session)(), result)
        .context(about.context)
        .faulty(faulty)
        .write();
    drop(table);
    result
}

/// The one symbol that a module must export (PKCS #11 2.40 section 5.4). There is no `C_GetInterface`, so
/// that callers take this list.
///
/// # Safety
/// `list` is null or points to where a pointer may be written, as the standard demands.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "the name in the standard")]
pub unsafe extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    let Some(ours) = module::ours(with_ours) else {
        return CKR_GENERAL_ERROR;
    };
    if list.is_null() {
        return cryptoki_sys::CKR_ARGUMENTS_BAD;
    }
    // SAFETY: not null; the caller vouches for the rest. Nobody writes to a function list.
    unsafe { *list = std::ptr::from_ref(ours).cast_mut() };
    CKR_OK
}
