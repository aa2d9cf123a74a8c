//! Which key does a URI mean?

use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use privyseal_core::RsaPublicKey;

use super::KeyFacts;
use crate::error::{CallError, Error, SelectError};
use crate::object;
use crate::raw::RawModule;
use crate::session::OpenSession;
use crate::uri::{ObjectType, Pkcs11Uri, UriError, UriFault};

/// The one private key that `uri` means. If its label and id fit several keys, or if it gives none, the
/// one among them that can sign: RSA, and `CKA_SIGN` not false.
pub(crate) fn select(
    module: &RawModule,
    session: &OpenSession,
    uri: &Pkcs11Uri,
) -> Result<KeyFacts, Error> {
    if uri
        .object_type()
        .is_some_and(|kind| kind != ObjectType::Private)
    {
        return Err(UriError::attribute(crate::uri::Attribute::Type, UriFault::NotAKey).into());
    }
    let matching = all(module, session, uri)?;
    if matching.is_empty() {
        return Err(none(&all(module, session, &Pkcs11Uri::default())?));
    }
    the_one(matching)
}

/// The handle of the key that was found before, in a new session: of those that `uri` names, the one with
/// this public key.
pub(crate) fn again(
    module: &RawModule,
    session: &OpenSession,
    uri: &Pkcs11Uri,
    public: &RsaPublicKey,
) -> Result<ObjectHandle, Error> {
    let named = all(module, session, uri)?;
    if named.is_empty() {
        return Err(none(&[]));
    }
    let same = |key: &&KeyFacts| key.public.as_ref().is_ok_and(|its| its == public);
    named
        .iter()
        .find(same)
        .map(|key| key.handle)
        .ok_or(Error::KeyChanged)
}

/// All private keys that `uri`'s label and id fit.
pub(crate) fn all(
    module: &RawModule,
    session: &OpenSession,
    uri: &Pkcs11Uri,
) -> Result<Vec<KeyFacts>, CallError> {
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    template.extend(
        uri.object()
            .map(|label| Attribute::Label(label.as_bytes().to_vec())),
    );
    template.extend(uri.id().map(|id| Attribute::Id(id.to_vec())));
    object::find(session, &template)?
        .into_iter()
        .map(|handle| KeyFacts::read(module, session, handle))
        .collect()
}

fn the_one(mut matching: Vec<KeyFacts>) -> Result<KeyFacts, Error> {
    if matching.len() > 1 {
        let (can_sign, others): (Vec<_>, Vec<_>) = matching
            .into_iter()
            .partition(|key| key.is_rsa && key.may_sign);
        if can_sign.is_empty() {
            return Err(none(&others));
        }
        matching = can_sign;
    }
    match matching.pop() {
        Some(key) if matching.is_empty() => Ok(key),
        last => {
            matching.extend(last);
            let matching = matching.iter().map(short).collect();
            Err(Error::KeySelection(SelectError::Several { matching }))
        }
    }
}

fn none(present: &[KeyFacts]) -> Error {
    Error::KeySelection(SelectError::None {
        present: present.iter().map(short).collect(),
    })
}

/// As an URI, and what stands in the way.
fn short(key: &KeyFacts) -> String {
    let uri = key.name.short(ObjectType::Private);
    match (key.is_rsa, key.may_sign) {
        (false, _) => format!("{uri} (not RSA)"),
        (_, false) => format!("{uri} (may not sign)"),
        _ => uri,
    }
}
