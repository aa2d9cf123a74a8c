//! The calls that cryptoki 0.12 has no safe way for. All `unsafe` of this crate is in this file.
//!
//! - `C_Sign` into a buffer that is known to be large enough: cryptoki's `sign` asks for the length
//!   first, which costs a third round trip for every signature, and offers no way to log in between
//!   `C_SignInit` and `C_Sign`, as keys with `CKA_ALWAYS_AUTHENTICATE` want it.
//! - `C_Decrypt`, likewise.
//! - `C_GetTokenInfo` as it comes: cryptoki refuses the whole answer if the token's clock is odd, and with
//!   it the PIN flags that must be read before a login.
//! - `CKA_ALLOWED_MECHANISMS` as numbers: cryptoki refuses the whole list for one mechanism that it does
//!   not know.
//! - `C_Initialize` with a text for modules that cannot do without (NSS).
//!
//! cryptoki hides its table of functions, so the module is asked for it once more, with the question that
//! cryptoki asked: loading a library that is loaded gives the same library, and asking it again gives the
//! same table. Session and object handles are cryptoki's own (`Session::handle`).
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::path::Path;
use std::ptr;

use cryptoki::context::Function;
use cryptoki::error::{Error as Cryptoki, Rv};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_C_INITIALIZE_ARGS, CK_C_Sign, CK_FUNCTION_LIST,
    CK_INTERFACE, CK_RV, CK_TOKEN_INFO, CK_ULONG, CK_UNAVAILABLE_INFORMATION, CKF_OS_LOCKING_OK,
};

use crate::error::CallError;

/// The functions of a loaded module that are called without cryptoki.
pub(crate) struct RawModule {
    functions: CK_FUNCTION_LIST,
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

impl RawModule {
    /// The functions of the module at `path`, which cryptoki has loaded already.
    pub(crate) fn load(path: &Path) -> Result<Self, Cryptoki> {
        // SAFETY: loading a library runs its initializers. They have run: cryptoki loaded it, and will
        // never unload it.
        let library =
            unsafe { cryptoki_sys::Pkcs11::new(path) }.map_err(Cryptoki::LibraryLoading)?;
        let list = function_list(&library)?;
        Ok(Self {
            functions: list,
            _library: library,
        })
    }

    /// `C_Initialize` for use from many threads, with `text` for modules that want one.
    pub(crate) fn initialize(&self, text: Option<&CStr>) -> Result<(), Cryptoki> {
        let initialize = self
            .functions
            .C_Initialize
            .ok_or(Cryptoki::NullFunctionPointer)?;
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
        // SAFETY: the arguments and the text outlive the call, and modules only read them.
        let rv = unsafe { initialize((&raw mut args).cast()) };
        Rv::from(rv).into_result(Function::Initialize)
    }

    /// `C_GetTokenInfo`, unjudged.
    pub(crate) fn token_info(&self, slot_id: u64) -> Result<CK_TOKEN_INFO, CallError> {
        let get = self.functions.C_GetTokenInfo;
        let mut info = CK_TOKEN_INFO::default();
        // SAFETY: the module writes one CK_TOKEN_INFO; all bytes are valid values of its fields.
        let call = get.map(|get| unsafe { get(ulong(slot_id), &raw mut info) });
        checked(call, Function::GetTokenInfo)?;
        Ok(info)
    }

    /// `C_Sign`: the operation that was begun in `session` with `C_SignInit`. `signature` must have the
    /// length of the modulus; what is returned is how much of it the module wrote.
    pub(crate) fn sign(
        &self,
        session: &Session,
        data: &[u8],
        signature: &mut [u8],
    ) -> Result<usize, CallError> {
        let call = self.functions.C_Sign;
        single_part(call, Function::Sign, session, data, signature)
    }

    /// `C_Decrypt`: the operation that was begun in `session` with `C_DecryptInit`. `plain` should have the
    /// length of the modulus; what is returned is how much of it the module wrote.
    pub(crate) fn decrypt(
        &self,
        session: &Session,
        encrypted: &[u8],
        plain: &mut [u8],
    ) -> Result<usize, CallError> {
        let call = self.functions.C_Decrypt;
        single_part(call, Function::Decrypt, session, encrypted, plain)
    }

    /// `C_CloseSession`. cryptoki's own wants to own the session, which is dropped meanwhile.
    pub(crate) fn close(&self, session: &Session) -> Result<(), CallError> {
        let close = self.functions.C_CloseSession;
        // SAFETY: a number goes in, and nothing is written.
        let call = close.map(|close| unsafe { close(session.handle()) });
        checked(call, Function::CloseSession)
    }

    /// An attribute that is a list of numbers. None: the object does not show it.
    pub(crate) fn numbers(
        &self,
        session: &Session,
        object: ObjectHandle,
        kind: CK_ATTRIBUTE_TYPE,
    ) -> Result<Option<Vec<CK_ULONG>>, CallError> {
        let Some(len) = self.read(session, object, kind, &mut [])? else {
            return Ok(None);
        };
        let mut numbers = vec![0; (len / size_of::<CK_ULONG>()).min(crate::limits::MAX_MECHANISMS)];
        let read = self.read(session, object, kind, &mut numbers)?;
        Ok(read.map(|len| {
            numbers.truncate(len / size_of::<CK_ULONG>());
            numbers
        }))
    }

    /// `C_GetAttributeValue` of one attribute: its length in bytes. Without room it only asks for that.
    fn read(
        &self,
        session: &Session,
        object: ObjectHandle,
        kind: CK_ATTRIBUTE_TYPE,
        room: &mut [CK_ULONG],
    ) -> Result<Option<usize>, CallError> {
        let mut attribute = CK_ATTRIBUTE {
            type_: kind,
            pValue: if room.is_empty() {
                ptr::null_mut()
            } else {
                room.as_mut_ptr().cast()
            },
            ulValueLen: ulong(size_of_val(room)),
        };
        let call = self.functions.C_GetAttributeValue.map(|get| {
            // SAFETY: one attribute, whose buffer is `room` with its length in bytes, or null to ask for
            // the length. CK_ULONG has no invalid bit patterns.
            unsafe { get(session.handle(), object.handle(), &raw mut attribute, 1) }
        });
        match checked(call, Function::GetAttributeValue) {
            Ok(()) if attribute.ulValueLen != CK_UNAVAILABLE_INFORMATION => {
                Ok(usize::try_from(attribute.ulValueLen).ok())
            }
            Err(error) if error.is_loss() => Err(error),
            Ok(()) | Err(_) => Ok(None),
        }
    }
}

/// `C_Sign` and `C_Decrypt` are called alike: what is read, and room for what is written; its length.
fn single_part(
    call: CK_C_Sign,
    function: Function,
    session: &Session,
    input: &[u8],
    output: &mut [u8],
) -> Result<usize, CallError> {
    let mut len = ulong(output.len());
    let call = call.map(|call| {
        let (input_len, input) = (ulong(input.len()), input.as_ptr().cast_mut());
        // SAFETY: both buffers are valid for the lengths given. PKCS #11 has no `const`: the module only
        // reads `input`. A handle that is stale is the module's to refuse.
        unsafe {
            call(
                session.handle(),
                input,
                input_len,
                output.as_mut_ptr(),
                &raw mut len,
            )
        }
    });
    checked(call, function)?;
    Ok(usize::try_from(len).unwrap_or(usize::MAX))
}

impl fmt::Debug for RawModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawModule")
    }
}

/// The table that cryptoki uses: that of the default interface where the module has one of version 3,
/// else that of `C_GetFunctionList`. The tables of version 3 begin as that of version 2 does.
fn function_list(library: &cryptoki_sys::Pkcs11) -> Result<CK_FUNCTION_LIST, Cryptoki> {
    if library.C_GetInterface.is_ok() {
        let mut interface: *mut CK_INTERFACE = ptr::null_mut();
        // SAFETY: null for name and version asks for the default; the module sets the pointer.
        let rv = unsafe {
            library.C_GetInterface(ptr::null_mut(), ptr::null_mut(), &raw mut interface, 0)
        };
        Rv::from(rv).into_result(Function::GetInterface)?;
        // SAFETY: what the module set is null or an interface that lives as long as the library.
        let list = unsafe { interface.as_ref() }
            .map_or(ptr::null_mut(), |interface| interface.pFunctionList);
        // SAFETY: every function list begins with these fields.
        if let Some(list) = unsafe { list.cast::<CK_FUNCTION_LIST>().as_ref() }
            && list.version.major >= 3
        {
            return Ok(*list);
        }
    }
    if library.C_GetFunctionList.is_err() {
        return Err(Cryptoki::MissingSymbol("C_GetFunctionList"));
    }
    let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
    // SAFETY: the module sets the pointer to its table, which lives as long as the library.
    let rv = unsafe { library.C_GetFunctionList(&raw mut list) };
    Rv::from(rv).into_result(Function::GetFunctionList)?;
    // SAFETY: as above.
    unsafe { list.as_ref() }
        .copied()
        .ok_or(Cryptoki::NullFunctionPointer)
}

fn checked(call: Option<CK_RV>, function: Function) -> Result<(), CallError> {
    let result = match call {
        Some(rv) => Rv::from(rv).into_result(function),
        None => Err(Cryptoki::NullFunctionPointer),
    };
    result.map_err(|error| CallError::of(function, &error))
}

/// A length or number as PKCS #11 has it. What does not fit (32 bits on some systems) is no length of ours.
fn ulong<T>(number: T) -> CK_ULONG
where
    CK_ULONG: TryFrom<T>,
{
    CK_ULONG::try_from(number).unwrap_or(CK_ULONG::MAX)
}
