//! Answers of the real module, made wrong before the caller sees them. Each function says whether it did.

use cryptoki_sys::{CK_ATTRIBUTE_PTR, CK_BYTE_PTR, CK_TOKEN_INFO_PTR, CK_ULONG, CK_ULONG_PTR};

use crate::rule::Action;

/// After `C_Sign` and `C_SignFinal`.
pub(crate) fn signature(action: &Action, bytes: CK_BYTE_PTR, len: CK_ULONG_PTR) -> bool {
    if len.is_null() {
        return false;
    }
    // SAFETY: the real module has just written `*len`, and `*len` bytes where `bytes` is not null.
    unsafe {
        match (action, bytes.is_null()) {
            (Action::WrongSignature, false) if *len > 0 => *bytes.add(*len as usize / 2) ^= 1,
            (Action::ShortSignature(by), false) => *len = len.read().saturating_sub(*by),
            (Action::Length(other), _) => *len = *other,
            _ => return false,
        }
    }
    true
}

/// After `C_GetSlotList`.
pub(crate) fn slots(action: &Action, count: CK_ULONG_PTR) -> bool {
    if *action != Action::NoSlots || count.is_null() {
        return false;
    }
    // SAFETY: the real module has just written it.
    unsafe { *count = 0 };
    true
}

/// After `C_GetTokenInfo`.
pub(crate) fn token_info(action: &Action, info: CK_TOKEN_INFO_PTR) -> bool {
    // SAFETY: null, or the real module has just filled it for a caller who reads it after this.
    let Some(info) = (unsafe { info.as_mut() }) else {
        return false;
    };
    match action {
        Action::TokenFlags(flags) => info.flags |= flags,
        Action::NoTokenFlags(flags) => info.flags &= !flags,
        Action::TokenSessions(max) => info.ulMaxSessionCount = *max,
        _ => return false,
    }
    true
}

/// After `C_GetAttributeValue`.
pub(crate) fn attributes(action: &Action, template: CK_ATTRIBUTE_PTR, count: CK_ULONG) -> bool {
    let Action::False(kind) = action else {
        return false;
    };
    if template.is_null() {
        return false;
    }
    let mut altered = false;
    for place in 0..count as usize {
        // SAFETY: the caller gave `count` attributes, and the real module has just written `ulValueLen`
        // bytes to each that it could read.
        unsafe {
            let attribute = &*template.add(place);
            if attribute.type_ == *kind && attribute.ulValueLen == 1 && !attribute.pValue.is_null()
            {
                *attribute.pValue.cast::<u8>() = 0;
                altered = true;
            }
        }
    }
    altered
}
