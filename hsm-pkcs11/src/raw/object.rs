//! Objects: searches, and their attributes.

use std::array;
use std::ptr;
use std::sync::atomic::Ordering;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_OBJECT_HANDLE, CK_SESSION_HANDLE, CK_ULONG,
    CK_UNAVAILABLE_INFORMATION, CKA_ALWAYS_AUTHENTICATE, CKA_DECRYPT, CKA_EXTRACTABLE,
    CKA_KEY_TYPE, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN, CKR_BUFFER_TOO_SMALL,
};

use super::{RawModule, ulong};
use crate::error::CallError;
use crate::limits::{CALL_WAIT, MAX_ATTRIBUTE, MAX_OBJECTS};

/// An attribute and its value.
pub(crate) type Attribute<'v> = (CK_ATTRIBUTE_TYPE, &'v [u8]);

/// As a module reads it; the values must outlive the call.
pub(super) fn template(attributes: &[Attribute<'_>]) -> Vec<CK_ATTRIBUTE> {
    let attributes = attributes.iter().map(|(kind, value)| CK_ATTRIBUTE {
        type_: *kind,
        pValue: value.as_ptr().cast_mut().cast(),
        ulValueLen: ulong(value.len()),
    });
    attributes.collect()
}

impl RawModule {
    /// The objects that have all of `wanted`: attributes, each with its value.
    pub(crate) fn find(
        &self,
        session: CK_SESSION_HANDLE,
        wanted: &[Attribute<'_>],
    ) -> Result<Vec<CK_OBJECT_HANDLE>, CallError> {
        let mut template = template(wanted);
        let len = ulong(template.len());
        call!(self.C_FindObjectsInit(session, template.as_mut_ptr(), len))?;
        let found = self.found(session);
        let end = call!(self.C_FindObjectsFinal(session));
        found.and_then(|found| end.map(|()| found))
    }

    fn found(&self, session: CK_SESSION_HANDLE) -> Result<Vec<CK_OBJECT_HANDLE>, CallError> {
        let mut found = Vec::new();
        let mut some = [0; 256];
        while found.len() < MAX_OBJECTS {
            let mut count = 0;
            let room = ulong(some.len());
            call!(self.C_FindObjects(session, some.as_mut_ptr(), room, &raw mut count))?;
            match some.get(..usize::try_from(count).unwrap_or(0)) {
                Some(some) if !some.is_empty() => found.extend_from_slice(some),
                _ => break,
            }
        }
        Ok(found)
    }

    /// The values of an object's attributes, in the order of `kinds`, in one call where each fits `WORDS`. None: absent,
    /// sensitive or unreadable.
    pub(crate) fn attributes<const WORDS: usize, const N: usize>(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        kinds: [CK_ATTRIBUTE_TYPE; N],
    ) -> Result<[Option<Vec<u8>>; N], CallError> {
        let mut words = [[UNTOUCHED; WORDS]; N];
        let mut rooms = words.iter_mut();
        let room = |kind| ulong(fixed_len(kind).unwrap_or(size_of::<[CK_ULONG; WORDS]>()));
        let mut template = kinds.map(|kind| CK_ATTRIBUTE {
            type_: kind,
            pValue: rooms
                .next()
                .map_or(ptr::null_mut(), |words| words.as_mut_ptr().cast()),
            ulValueLen: room(kind),
        });
        // Each buffer is valid for its length. CK_ULONG has no invalid bit patterns.
        let read =
            call!(self.C_GetAttributeValue(session, object, template.as_mut_ptr(), ulong(N)));
        let whole = match &read {
            Ok(()) => true,
            Err(call) if call.is_loss() => return Err(call.clone()),
            Err(_) => false,
        };
        let small = read.is_err_and(|call| call.rv() == Some(CKR_BUFFER_TOO_SMALL));
        let mut values = array::from_fn(|_| None);
        for ((value, attribute), words) in values.iter_mut().zip(&template).zip(&words) {
            let (kind, len) = (attribute.type_, attribute.ulValueLen);
            let read = bytes(words, len);
            // Some modules stop at the first attribute that they do not know, and leave the rest as it was.
            let left = || {
                let untouched = |it: &Vec<u8>| it.iter().all(|byte| *byte == u8::MAX);
                len == room(kind) && read.as_ref().is_none_or(untouched)
            };
            *value = if !whole && (small && len == CK_UNAVAILABLE_INFORMATION || left()) {
                self.attribute(session, object, kind)?
            } else {
                read
            };
        }
        Ok(values)
    }

    /// One attribute, of any length.
    pub(super) fn attribute(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        kind: CK_ATTRIBUTE_TYPE,
    ) -> Result<Option<Vec<u8>>, CallError> {
        let mut attribute = CK_ATTRIBUTE {
            type_: kind,
            pValue: ptr::null_mut(),
            ulValueLen: 0,
        };
        let mut words: Vec<CK_ULONG> = Vec::new();
        for _ in ["its length", "its value"] {
            // Null asks for the length; then the buffer is valid for it.
            match call!(self.C_GetAttributeValue(session, object, &raw mut attribute, 1)) {
                Ok(()) => {}
                Err(call) if call.is_loss() => return Err(call),
                Err(_) => return Ok(None),
            }
            if words.is_empty() {
                let len = usize::try_from(attribute.ulValueLen).unwrap_or(usize::MAX);
                words = vec![0; len.min(MAX_ATTRIBUTE).div_ceil(size_of::<CK_ULONG>())];
                attribute.pValue = words.as_mut_ptr().cast();
                // Never more than there is room for, whatever length the module says.
                let room = ulong(size_of_val(words.as_slice()));
                attribute.ulValueLen = attribute.ulValueLen.min(room);
            }
        }
        Ok(bytes(&words, attribute.ulValueLen))
    }

    /// `C_CreateObject`.
    pub(crate) fn create_object(
        &self,
        session: CK_SESSION_HANDLE,
        attributes: &[Attribute<'_>],
    ) -> Result<(), CallError> {
        let (mut template, mut object) = (template(attributes), 0);
        let len = ulong(template.len());
        call!(self.C_CreateObject(session, template.as_mut_ptr(), len, &raw mut object))
    }

    /// `C_DestroyObject`.
    pub(crate) fn destroy_object(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
    ) -> Result<(), CallError> {
        call!(self.C_DestroyObject(session, object))
    }
}

/// What stands in a buffer before a module writes to it.
const UNTOUCHED: CK_ULONG = CK_ULONG::MAX;

/// The length of an attribute that is a number or true or false. NSS gives a number in a form of its own where the room
/// for it is larger.
const fn fixed_len(kind: CK_ATTRIBUTE_TYPE) -> Option<usize> {
    match kind {
        CKA_KEY_TYPE => Some(size_of::<CK_ULONG>()),
        CKA_SIGN
        | CKA_DECRYPT
        | CKA_PRIVATE
        | CKA_SENSITIVE
        | CKA_EXTRACTABLE
        | CKA_ALWAYS_AUTHENTICATE => Some(1),
        _ => None,
    }
}

/// The first `len` bytes of what a module wrote. None: it says that there is nothing to be had.
fn bytes(words: &[CK_ULONG], len: CK_ULONG) -> Option<Vec<u8>> {
    let len = usize::try_from(len).ok()?;
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .take(len)
        .collect();
    (bytes.len() == len).then_some(bytes)
}
