//! Objects on a token and their attributes.
//!
//! An attribute that is absent, sensitive or unreadable is `None`; the reader decides on its default.

use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CK_OBJECT_CLASS, CK_OBJECT_HANDLE, CK_ULONG, CKA_CLASS, CKA_ID, CKA_LABEL,
};

use crate::error::CallError;
use crate::raw::Attribute;
use crate::session::OpenSession;
use crate::uri::{ObjectType, Pkcs11Uri, fits};

/// The objects of a class that have these attributes too.
pub(crate) fn find(
    session: &OpenSession,
    class: CK_OBJECT_CLASS,
    others: &[Attribute<'_>],
) -> Result<Vec<CK_OBJECT_HANDLE>, CallError> {
    let class = class.to_ne_bytes();
    let wanted = [&[(CKA_CLASS, class.as_slice())], others].concat();
    session.raw().find(session.handle(), &wanted)
}

/// The objects of a class that `uri`'s label and id fit.
pub(crate) fn find_named(
    session: &OpenSession,
    class: CK_OBJECT_CLASS,
    uri: &Pkcs11Uri,
) -> Result<Vec<CK_OBJECT_HANDLE>, CallError> {
    let label = uri.object().map(|label| (CKA_LABEL, label.as_bytes()));
    let find = |id: Option<&[u8]>| {
        let id = id.map(|id| (CKA_ID, id));
        let named: Vec<_> = label.into_iter().chain(id).collect();
        find(session, class, &named)
    };
    let found = find(uri.id())?;
    match uri.id_in_hex() {
        Some(id) if found.is_empty() => find(Some(&id)),
        _ => Ok(found),
    }
}

/// The values of an object's attributes, in the order of `kinds`. One of up to `WORDS` words costs no call of its own.
pub(crate) fn read<const WORDS: usize, const N: usize>(
    session: &OpenSession,
    object: CK_OBJECT_HANDLE,
    kinds: [CK_ATTRIBUTE_TYPE; N],
) -> Result<[Option<Vec<u8>>; N], CallError> {
    session
        .raw()
        .attributes::<WORDS, N>(session.handle(), object, kinds)
}

/// An attribute that is true or false.
pub(crate) fn flag(value: Option<&[u8]>) -> Option<bool> {
    match value {
        Some([byte]) => Some(*byte != 0),
        _ => None,
    }
}

/// An attribute that is a number, or a list of them.
pub(crate) fn numbers(value: Option<&[u8]>) -> Vec<CK_ULONG> {
    let (numbers, _) = value.unwrap_or_default().as_chunks();
    numbers
        .iter()
        .copied()
        .map(CK_ULONG::from_ne_bytes)
        .collect()
}

/// How an object is called: `CKA_LABEL` and `CKA_ID`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ObjectName {
    pub(crate) label: String,
    pub(crate) id: Vec<u8>,
}

impl ObjectName {
    pub(crate) fn new(label: Option<Vec<u8>>, id: Option<Vec<u8>>) -> Self {
        Self {
            label: String::from_utf8_lossy(&label.unwrap_or_default()).into_owned(),
            id: id.unwrap_or_default(),
        }
    }

    /// The object on the token that `token` describes, as a URI.
    pub(crate) fn uri(&self, token: &Pkcs11Uri, kind: ObjectType) -> Pkcs11Uri {
        // A label that is not UTF-8 cannot stand in a URI, so it is left out.
        let label_fits = !self.label.is_empty() && !self.label.contains('\u{fffd}');
        Pkcs11Uri {
            object: label_fits.then(|| self.label.clone()),
            id: (!self.id.is_empty()).then(|| self.id.clone()),
            object_type: Some(kind),
            ..token.clone()
        }
    }

    /// Whether an object of this kind is one that `uri` means.
    pub(crate) fn fits(&self, uri: &Pkcs11Uri, kind: ObjectType) -> bool {
        fits(uri.object.as_ref(), &self.label)
            && (fits(uri.id.as_ref(), &self.id) || uri.id_in_hex().as_ref() == Some(&self.id))
            && fits(uri.object_type.as_ref(), &kind)
    }

    /// The object alone, for lists in messages.
    pub(crate) fn short(&self, kind: ObjectType) -> String {
        self.uri(&Pkcs11Uri::default(), kind).to_string()
    }
}
