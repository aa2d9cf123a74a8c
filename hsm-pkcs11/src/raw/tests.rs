use std::sync::atomic::AtomicUsize;

use cryptoki_sys::{CK_ATTRIBUTE, CK_RV, CK_UNAVAILABLE_INFORMATION, CKA_VALUE, CKR_OK};

use super::*;
use crate::limits::MAX_ATTRIBUTE;

/// The room that the module was last told of.
static ROOM: AtomicUsize = AtomicUsize::new(0);

/// Says that the value has twice the bytes that are read at most.
unsafe extern "C" fn of_twice_the_size(
    _: CK_SESSION_HANDLE,
    _: CK_OBJECT_HANDLE,
    attribute: *mut CK_ATTRIBUTE,
    _: CK_ULONG,
) -> CK_RV {
    // SAFETY: the caller gives one attribute.
    let attribute = unsafe { &mut *attribute };
    if attribute.pValue.is_null() {
        attribute.ulValueLen = ulong(2 * MAX_ATTRIBUTE);
        return CKR_OK;
    }
    let room = usize::try_from(attribute.ulValueLen).unwrap_or(usize::MAX);
    ROOM.store(room, Ordering::Relaxed);
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    CKR_BUFFER_TOO_SMALL
}

#[test]
fn a_module_is_never_told_of_more_room_than_there_is() {
    // Some library, whose functions are not called.
    // SAFETY: it is loaded already.
    let library = unsafe { cryptoki_sys::Pkcs11::new("libc.so.6") }.unwrap();
    let functions = CK_FUNCTION_LIST {
        C_GetAttributeValue: Some(of_twice_the_size),
        ..CK_FUNCTION_LIST::default()
    };
    let module = RawModule {
        path: Path::new("/m.so").into(),
        functions,
        serial: AtomicBool::new(false),
        turn: Mutex::default(),
        fresh: AtomicBool::new(false),
        _library: library,
    };
    assert_eq!(module.attribute(1, 1, CKA_VALUE).unwrap(), None);
    assert_eq!(ROOM.load(Ordering::Relaxed), MAX_ATTRIBUTE);
}
