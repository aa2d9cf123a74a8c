//! Which key does a URI mean?

use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use privyseal_core::RsaPublicKey;

use super::KeyFacts;
use crate::error::{CallError, Error, SelectError};
use crate::mechanism::{KeyOperation, SigningMechanism};
use crate::object;
use crate::raw::RawModule;
use crate::session::OpenSession;
use crate::uri::{ObjectType, Pkcs11Uri};

/// The one private key that `uri` means. If its label and id fit several keys, or if it gives none, the
/// one among them that can do the operation: RSA, and `CKA_SIGN` (or `CKA_DECRYPT`) not false.
pub(crate) fn select<O: KeyOperation>(
    module: &RawModule,
    session: &OpenSession,
    uri: &Pkcs11Uri,
) -> Result<KeyFacts, Error> {
    uri.check_names_key()?;
    let matching = all(module, session, uri)?;
    if matching.is_empty() {
        return Err(none::<O>(&all(module, session, &Pkcs11Uri::default())?));
    }
    the_one::<O>(matching)
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
        return Err(none::<SigningMechanism>(&[]));
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

fn the_one<O: KeyOperation>(mut matching: Vec<KeyFacts>) -> Result<KeyFacts, Error> {
    if matching.len() > 1 {
        let (able, others): (Vec<_>, Vec<_>) = matching
            .into_iter()
            .partition(|key| key.is_rsa && key.permits(O::USE));
        if able.is_empty() {
            return Err(none::<O>(&others));
        }
        matching = able;
    }
    match matching.pop() {
        Some(key) if matching.is_empty() => Ok(key),
        last => {
            matching.extend(last);
            let matching = matching.iter().map(short::<O>).collect();
            Err(Error::KeySelection(SelectError::Several { matching }))
        }
    }
}

fn none<O: KeyOperation>(present: &[KeyFacts]) -> Error {
    Error::KeySelection(SelectError::None {
        present: present.iter().map(short::<O>).collect(),
    })
}

/// As an URI, and what stands in the way.
fn short<O: KeyOperation>(key: &KeyFacts) -> String {
    let uri = key.name.short(ObjectType::Private);
    match (key.is_rsa, key.permits(O::USE)) {
        (false, _) => format!("{uri} (not RSA)"),
        (_, false) => format!("{uri} ({})", O::USE.forbidden()),
        _ => uri,
    }
}
