//! The only place that touches memory of the caller, or memory that was given to it.

use core::ffi::{CStr, c_char};
use std::ffi::CString;

use zeroize::Zeroize as _;

use crate::Failure;

/// A text of the caller; null is none.
///
/// # Safety
///
/// It is null, or ends with a zero byte and stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: what this function demands of its caller.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| Failure::NotText)
}

/// A value that was given to the caller before.
///
/// # Safety
///
/// It is null, or was made by `Box::into_raw` and is not taken back for `'a`.
pub(crate) unsafe fn reference<'a, T>(value: *const T) -> Result<&'a T, Failure> {
    // SAFETY: what this function demands of its caller.
    unsafe { value.as_ref() }.ok_or(Failure::NoClient)
}

/// Takes back what `Box::into_raw` gave.
///
/// # Safety
///
/// It is null, or was made by `Box::into_raw`, is not taken back, and nobody uses it.
pub(crate) unsafe fn take<T>(value: *mut T) -> Option<Box<T>> {
    // SAFETY: what this function demands of its caller.
    (!value.is_null()).then(|| unsafe { Box::from_raw(value) })
}

/// A copy for the caller, to be given back to [`free`]. What follows a zero byte is left out.
pub(crate) fn give(text: &str) -> *mut c_char {
    let end = text.find('\0').unwrap_or(text.len());
    // It has no zero byte, so there is always one.
    CString::new(&text[..end]).unwrap_or_default().into_raw()
}

/// Wipes and frees a text of [`give`].
///
/// # Safety
///
/// It is null, or comes from [`give`] and is not freed.
pub(crate) unsafe fn free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: what this function demands of its caller.
        let text = unsafe { CString::from_raw(text) };
        text.into_bytes().zeroize();
    }
}

/// Writes where the caller wants it, unless that is nowhere.
///
/// # Safety
///
/// `place` is null or can be written.
pub(crate) unsafe fn write<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: what this function demands of its caller.
        unsafe { place.write(value) };
    }
}
