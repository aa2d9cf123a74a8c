//! Objects on a token and their attributes.
//!
//! Attributes are read one at a time: some modules stop at the first one that they do not know, and
//! what they left unread would look like zeros. An attribute that is absent, sensitive or unreadable is
//! `None`; the reader decides on its default.

use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;

use crate::error::CallError;
use crate::uri::{ObjectType, Pkcs11Uri};

/// The objects that fit `template`.
pub(crate) fn find(
    session: &Session,
    template: &[Attribute],
) -> Result<Vec<ObjectHandle>, CallError> {
    session
        .find_objects(template)
        .map_err(|error| CallError::new("C_FindObjects", &error))
}

/// One attribute.
pub(crate) fn attribute(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Option<Attribute>, CallError> {
    match session.get_attributes(object, &[kind]) {
        Ok(attributes) => Ok(attributes.into_iter().next()),
        Err(error) => match CallError::new("C_GetAttributeValue", &error) {
            call if call.is_loss() => Err(call),
            _ => Ok(None),
        },
    }
}

/// An attribute that is true or false.
pub(crate) fn flag(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Option<bool>, CallError> {
    Ok(
        attribute(session, object, kind)?.and_then(|attribute| match attribute {
            Attribute::Sign(value)
            | Attribute::Decrypt(value)
            | Attribute::Private(value)
            | Attribute::Sensitive(value)
            | Attribute::Extractable(value)
            | Attribute::AlwaysAuthenticate(value) => Some(value),
            _ => None,
        }),
    )
}

/// An attribute that is bytes. Absent ones are empty.
pub(crate) fn bytes(
    session: &Session,
    object: ObjectHandle,
    kind: AttributeType,
) -> Result<Vec<u8>, CallError> {
    Ok(match attribute(session, object, kind)? {
        Some(
            Attribute::Id(value)
            | Attribute::Label(value)
            | Attribute::Modulus(value)
            | Attribute::PublicExponent(value)
            | Attribute::Value(value),
        ) => value,
        _ => Vec::new(),
    })
}

/// How an object is called: `CKA_LABEL` and `CKA_ID`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ObjectName {
    pub(crate) label: String,
    pub(crate) id: Vec<u8>,
}

impl ObjectName {
    pub(crate) fn read(session: &Session, object: ObjectHandle) -> Result<Self, CallError> {
        let label = bytes(session, object, AttributeType::Label)?;
        Ok(Self {
            label: String::from_utf8_lossy(&label).into_owned(),
            id: bytes(session, object, AttributeType::Id)?,
        })
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

    /// The object alone, for lists in messages.
    pub(crate) fn short(&self, kind: ObjectType) -> String {
        self.uri(&Pkcs11Uri::default(), kind).to_string()
    }
}
