use core::ffi::{CStr, c_char};
use core::ptr;

use super::*;

/// How it ended, and what was said.
fn called(call: impl FnOnce(*mut *mut c_char) -> Status) -> (Status, String) {
    let mut error = ptr::null_mut();
    let status = call(&raw mut error);
    if error.is_null() {
        return (status, String::new());
    }
    // SAFETY: it was just written by this library.
    let said = unsafe { CStr::from_ptr(error) }
        .to_string_lossy()
        .into_owned();
    // SAFETY: as before.
    unsafe { privyseal_free(error) };
    (status, said)
}

#[test]
fn a_panic_becomes_a_status() {
    let mut result = 0;
    let (status, said) = called(|error| {
        // SAFETY: both are places of this function.
        unsafe { ended(|| panic!("on purpose"), &raw mut result, error) }
    });
    assert_eq!((status, result), (Status::Defect, 0));
    assert!(said.starts_with("this library has a defect"), "{said}");
}

#[test]
fn null_is_refused_or_means_nothing() {
    let null: *const Client = ptr::null();
    let mut text = ptr::null_mut();
    // SAFETY: null is what these functions allow.
    let (status, said) = called(|error| unsafe { privyseal_token(null, &raw mut text, error) });
    assert_eq!((status, text.is_null()), (Status::Usage, true));
    assert_eq!(said, "there is no client: the pointer is null");
    // SAFETY: as before.
    let (status, said) =
        called(|error| unsafe { privyseal_assertion(null, ptr::null(), ptr::null_mut(), error) });
    assert_eq!(status, Status::Usage);
    assert_eq!(
        said,
        "there is no place for the result: the pointer is null"
    );
    // SAFETY: as before.
    unsafe {
        assert_eq!(privyseal_self_test(null, ptr::null_mut()), Status::Usage);
        privyseal_forget_token(null);
        privyseal_free(ptr::null_mut());
        privyseal_close(ptr::null_mut());
    }
}

#[test]
fn what_is_no_text_or_no_file_is_said() {
    let mut client = ptr::null_mut();
    for (config, expected) in [
        (
            c"/nowhere/config.toml",
            "/nowhere/config.toml cannot be read",
        ),
        (c"\xff", "an argument is not UTF-8"),
    ] {
        let (status, said) = called(|error| {
            // SAFETY: the texts end with a zero byte.
            unsafe { privyseal_open(config.as_ptr(), ptr::null(), &raw mut client, error) }
        });
        assert_eq!((status, client.is_null()), (Status::Usage, true));
        assert!(said.starts_with(expected), "{said}");
    }
}
