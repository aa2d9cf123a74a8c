//! The library, and the table of its functions.

use std::path::Path;
use std::ptr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use cryptoki_sys::{CK_FUNCTION_LIST, CK_INTERFACE};

use super::RawModule;
use crate::error::CallError;
use crate::watch::{LOADING, UnderWay};

impl RawModule {
    /// Loads the library. A bare name is looked for by the system's loader.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let path: Arc<Path> = path.into();
        let _under_way = UnderWay::begin(&path, LOADING);
        // SAFETY: loading a library runs its initializers; the path names a PKCS #11 module, which is made for that.
        let library =
            unsafe { cryptoki_sys::Pkcs11::new(&*path) }.map_err(|error| error.to_string())?;
        Ok(Self {
            path,
            functions: function_list(&library)?,
            serial: AtomicBool::new(false),
            turn: Mutex::default(),
            fresh: AtomicBool::new(false),
            _library: library,
        })
    }
}

/// The table: that of the default interface where the module has one of version 3, else that of
/// `C_GetFunctionList`. The tables of version 3 begin as that of version 2 does.
fn function_list(library: &cryptoki_sys::Pkcs11) -> Result<CK_FUNCTION_LIST, String> {
    if library.C_GetInterface.is_ok() {
        let mut interface: *mut CK_INTERFACE = ptr::null_mut();
        // SAFETY: null for name and version asks for the default; the module sets the pointer.
        let rv = unsafe {
            library.C_GetInterface(ptr::null_mut(), ptr::null_mut(), &raw mut interface, 0)
        };
        CallError::check("C_GetInterface", rv).map_err(|call| call.to_string())?;
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
        return Err("it is no PKCS #11 library (it has no C_GetFunctionList)".into());
    }
    let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
    // SAFETY: the module sets the pointer to its table, which lives as long as the library.
    let rv = unsafe { library.C_GetFunctionList(&raw mut list) };
    CallError::check("C_GetFunctionList", rv).map_err(|call| call.to_string())?;
    // SAFETY: as above.
    let list = unsafe { list.as_ref() };
    list.copied()
        .ok_or_else(|| "C_GetFunctionList gave none".into())
}
