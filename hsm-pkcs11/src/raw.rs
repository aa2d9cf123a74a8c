//! The module's functions, called through one table. All `unsafe` of this crate is in this module.
//!
//! `C_GetFunctionList` need not give the same table twice: `p11-kit-proxy.so` and `p11-kit-client.so` give a separate
//! one per call, and what was initialized through the first is not through the second. So the table is asked for
//! once, and every call of the module goes through it.
//!
//! No call is made whose answer is known or not needed: `C_Sign` gets a buffer that is large enough, instead of
//! being asked for the length first, and an object's attributes are read in one call.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use cryptoki_sys::{
    CK_C_INITIALIZE_ARGS, CK_FUNCTION_LIST, CK_INFO, CK_MECHANISM, CK_MECHANISM_INFO,
    CK_MECHANISM_TYPE, CK_OBJECT_HANDLE, CK_RSA_PKCS_OAEP_PARAMS, CK_SESSION_HANDLE,
    CK_SESSION_INFO, CK_SLOT_ID, CK_SLOT_INFO, CK_TOKEN_INFO, CK_ULONG, CK_USER_TYPE,
    CKF_OS_LOCKING_OK, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL,
    CKR_CANT_LOCK, CKR_CRYPTOKI_ALREADY_INITIALIZED,
};

use crate::error::CallError;
use crate::limits::{CALL_WAIT, MAX_MECHANISMS, MAX_SLOTS};

/// A loaded library and its table of functions.
pub(crate) struct RawModule {
    path: Arc<Path>,
    functions: CK_FUNCTION_LIST,
    /// Whether the module wants to be called by one thread at a time.
    serial: AtomicBool,
    turn: Mutex<()>,
    /// Whether its slots were not listed since it was initialized.
    fresh: AtomicBool,
    /// Keeps the library loaded: the functions are in it.
    _library: cryptoki_sys::Pkcs11,
}

/// `CK_C_INITIALIZE_ARGS` as NSS reads it: the place of `pReserved` holds a text, and a null pointer
/// follows. A module that knows the official structure only never looks that far.
#[cfg_attr(not(windows), repr(C))]
#[cfg_attr(windows, repr(C, packed))]
struct InitializeArgs {
    official: CK_C_INITIALIZE_ARGS,
    _null: *mut c_void,
}

/// What an attribute of a key permits or forbids: `CKA_SIGN`, `CKA_DECRYPT`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyUse {
    /// `CKA_SIGN`.
    Sign,
    /// `CKA_DECRYPT`.
    Decrypt,
}

/// Calls a function of the module's table. Each use says why it is sound.
macro_rules! call {
    ($module:ident.$function:ident($($argument:expr),* $(,)?)) => {{
        let is_serial = $module.serial.load(Ordering::Acquire);
        let turn = is_serial.then(|| crate::timed_lock::lock_within(CALL_WAIT, || $module.turn.try_lock()));
        match (turn, $module.functions.$function) {
            (Some(None), _) => Err(CallError::busy(stringify!($function))),
            (_, None) => Err(CallError::no_function(stringify!($function))),
            (_turn, Some(function)) => {
                let _under_way = crate::watch::UnderWay::begin(&$module.path, stringify!($function));
                // SAFETY: the function is the module's; the arguments are as the caller of this macro says.
                CallError::check(stringify!($function), unsafe { function($($argument),*) })
            }
        }
    }};
}

mod object;
mod table;
#[cfg(all(test, target_os = "linux"))]
mod tests;

pub(crate) use object::Attribute;
use object::template;

impl RawModule {
    /// `C_Initialize`, with `text` for modules that want one. Whether it was done here; if not, other code had done it.
    ///
    /// A module that has no locks, or does not know the arguments, is initialized for one thread at a time, and
    /// called so.
    pub(crate) fn initialize(&self, text: Option<&CStr>) -> Result<bool, CallError> {
        let mut args = InitializeArgs {
            official: CK_C_INITIALIZE_ARGS {
                CreateMutex: None,
                DestroyMutex: None,
                LockMutex: None,
                UnlockMutex: None,
                flags: CKF_OS_LOCKING_OK,
                pReserved: text.map_or(ptr::null_mut(), |text| {
                    text.as_ptr().cast::<c_char>().cast_mut().cast()
                }),
            },
            _null: ptr::null_mut(),
        };
        // The arguments and the text outlive the call, and modules only read them.
        let mut result = call!(self.C_Initialize((&raw mut args).cast()));
        if let Err(call) = &result
            && matches!(call.rv(), Some(CKR_CANT_LOCK | CKR_ARGUMENTS_BAD))
        {
            args.official.flags = 0;
            let simple = text.map_or(ptr::null_mut(), |_| (&raw mut args).cast());
            // Null, or the arguments, as above.
            if let Ok(()) = call!(self.C_Initialize(simple)) {
                self.serial.store(true, Ordering::Release);
                result = Ok(());
            }
        }
        self.fresh.store(result.is_ok(), Ordering::Release);
        match result {
            Ok(()) => Ok(true),
            Err(call) if call.rv() == Some(CKR_CRYPTOKI_ALREADY_INITIALIZED) => Ok(false),
            Err(call) => Err(call),
        }
    }

    /// `C_Finalize`.
    pub(crate) fn finalize(&self) -> Result<(), CallError> {
        // The argument is reserved, and null.
        call!(self.C_Finalize(ptr::null_mut()))
    }

    /// `C_GetInfo`.
    pub(crate) fn info(&self) -> Result<CK_INFO, CallError> {
        let mut info = CK_INFO::default();
        // The module writes one structure; all bytes are valid values of its fields.
        call!(self.C_GetInfo(&raw mut info))?;
        Ok(info)
    }

    /// The slots with a token in them. They are asked for their number first: that is when a module looks for new ones
    /// (PKCS #11 3.1 section 5.5.1), which one that was initialized a moment ago need not.
    pub(crate) fn slots(&self) -> Result<Vec<CK_SLOT_ID>, CallError> {
        if self.fresh.swap(false, Ordering::AcqRel) {
            match self.slots_of(FEW_SLOTS) {
                Err(call) if call.rv() == Some(CKR_BUFFER_TOO_SMALL) => {}
                slots => return slots,
            }
        }
        let mut count = 0;
        call!(self.C_GetSlotList(1, ptr::null_mut(), &raw mut count))?;
        // One more may come meanwhile.
        self.slots_of(
            usize::try_from(count)
                .unwrap_or(MAX_SLOTS)
                .saturating_add(8),
        )
    }

    fn slots_of(&self, room: usize) -> Result<Vec<CK_SLOT_ID>, CallError> {
        let mut slots = vec![0; room.min(MAX_SLOTS)];
        let mut count = ulong(slots.len());
        // The buffer is valid for the number given.
        call!(self.C_GetSlotList(1, slots.as_mut_ptr(), &raw mut count))?;
        slots.truncate(usize::try_from(count).unwrap_or(0));
        Ok(slots)
    }

    /// `C_GetSlotInfo`.
    pub(crate) fn slot_info(&self, slot: CK_SLOT_ID) -> Result<CK_SLOT_INFO, CallError> {
        let mut info = CK_SLOT_INFO::default();
        call!(self.C_GetSlotInfo(slot, &raw mut info))?;
        Ok(info)
    }

    /// `C_GetTokenInfo`, unjudged: an odd clock must not hide the PIN flags.
    pub(crate) fn token_info(&self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO, CallError> {
        let mut info = CK_TOKEN_INFO::default();
        call!(self.C_GetTokenInfo(slot, &raw mut info))?;
        Ok(info)
    }

    /// `C_GetMechanismList`.
    pub(crate) fn mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<CK_MECHANISM_TYPE>, CallError> {
        let mut list = vec![0; MAX_MECHANISMS];
        let mut count = ulong(list.len());
        call!(self.C_GetMechanismList(slot, list.as_mut_ptr(), &raw mut count))?;
        list.truncate(usize::try_from(count).unwrap_or(0));
        Ok(list)
    }

    /// The flags of `C_GetMechanismInfo`.
    pub(crate) fn mechanism_flags(
        &self,
        slot: CK_SLOT_ID,
        mechanism: CK_MECHANISM_TYPE,
    ) -> Result<CK_ULONG, CallError> {
        let mut info = CK_MECHANISM_INFO::default();
        call!(self.C_GetMechanismInfo(slot, mechanism, &raw mut info))?;
        Ok(info.flags)
    }

    /// `C_OpenSession`. One that writes is for setting a token up only.
    pub(crate) fn open_session(
        &self,
        slot: CK_SLOT_ID,
        writes: bool,
    ) -> Result<CK_SESSION_HANDLE, CallError> {
        let mut session = 0;
        let flags = if writes { CKF_RW_SESSION } else { 0 } | CKF_SERIAL_SESSION;
        let application = ptr::null_mut();
        // No function is given to be called back.
        call!(self.C_OpenSession(slot, flags, application, None, &raw mut session))?;
        Ok(session)
    }

    /// `C_CloseSession`.
    pub(crate) fn close_session(&self, session: CK_SESSION_HANDLE) -> Result<(), CallError> {
        // A number goes in, and nothing is written. A stale handle is the module's to refuse.
        call!(self.C_CloseSession(session))
    }

    /// The state that `C_GetSessionInfo` gives.
    pub(crate) fn session_state(&self, session: CK_SESSION_HANDLE) -> Result<CK_ULONG, CallError> {
        let mut info = CK_SESSION_INFO::default();
        call!(self.C_GetSessionInfo(session, &raw mut info))?;
        Ok(info.state)
    }

    /// `C_Login`; without a PIN, the PIN pad asks.
    pub(crate) fn login(
        &self,
        session: CK_SESSION_HANDLE,
        user: CK_USER_TYPE,
        pin: Option<&str>,
    ) -> Result<(), CallError> {
        let len = ulong(pin.map_or(0, str::len));
        let pin = pin.map_or(ptr::null_mut(), |pin| pin.as_ptr().cast_mut());
        // PKCS #11 has no `const`: the module only reads the PIN, and all other input.
        call!(self.C_Login(session, user, pin, len))
    }

    /// `C_GenerateKeyPair`: the handle of the private key.
    pub(crate) fn generate_key_pair(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        public: &[Attribute<'_>],
        private: &[Attribute<'_>],
    ) -> Result<CK_OBJECT_HANDLE, CallError> {
        let mut mechanism = without_parameter(mechanism);
        let (mut public, mut private) = (template(public), template(private));
        let (public_len, private_len) = (ulong(public.len()), ulong(private.len()));
        let (mut public_key, mut private_key) = (0, 0);
        // Templates are valid for the lengths given, and so are the values in them.
        call!(self.C_GenerateKeyPair(
            session,
            &raw mut mechanism,
            public.as_mut_ptr(),
            public_len,
            private.as_mut_ptr(),
            private_len,
            &raw mut public_key,
            &raw mut private_key
        ))?;
        Ok(private_key)
    }

    /// `C_SignInit` or `C_DecryptInit`.
    pub(crate) fn begin(
        &self,
        key_use: KeyUse,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        mut parameters: Option<CK_RSA_PKCS_OAEP_PARAMS>,
        key: CK_OBJECT_HANDLE,
    ) -> Result<(), CallError> {
        let mut mechanism = without_parameter(mechanism);
        if let Some(parameters) = &mut parameters {
            mechanism.ulParameterLen = ulong(size_of_val(parameters));
            mechanism.pParameter = ptr::from_mut(parameters).cast();
        }
        // The parameters outlive the call.
        match key_use {
            KeyUse::Sign => call!(self.C_SignInit(session, &raw mut mechanism, key)),
            KeyUse::Decrypt => call!(self.C_DecryptInit(session, &raw mut mechanism, key)),
        }
    }

    /// `C_Sign` or `C_Decrypt`: the operation that was begun in `session`. `output` should have the length of the
    /// modulus; what is returned is how much of it the module wrote.
    pub(crate) fn finish(
        &self,
        key_use: KeyUse,
        session: CK_SESSION_HANDLE,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CallError> {
        let mut len = ulong(output.len());
        let (data, size) = (input.as_ptr().cast_mut(), ulong(input.len()));
        let output = output.as_mut_ptr();
        // Both buffers are valid for the lengths given.
        match key_use {
            KeyUse::Sign => call!(self.C_Sign(session, data, size, output, &raw mut len)),
            KeyUse::Decrypt => call!(self.C_Decrypt(session, data, size, output, &raw mut len)),
        }?;
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }
}

privyseal_core::opaque_debug! { [] RawModule; }

const fn without_parameter(mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    }
}

/// Slots that there is room for at first.
const FEW_SLOTS: usize = 32;

/// A length or number as PKCS #11 has it. What does not fit (32 bits on some systems) is no length of ours.
fn ulong<T>(number: T) -> CK_ULONG
where
    CK_ULONG: TryFrom<T>,
{
    CK_ULONG::try_from(number).unwrap_or(CK_ULONG::MAX)
}
