//! Which key does a URI mean?

use cryptoki_sys::{CK_OBJECT_HANDLE, CKO_PRIVATE_KEY};
use privyseal_core::RsaPublicKey;

use super::{KeyFacts, find_public_keys};
use crate::error::{CallError, Error, SelectError};
use crate::limits::MAX_LISTED;
use crate::mechanism::{KeyOperation, SigningMechanism};
use crate::object;
use crate::session::OpenSession;
use crate::uri::{ObjectType, Pkcs11Uri};

/// The one private key that `uri` means. If its label and id fit several keys, or if it gives none, the
/// one among them that can do the operation: RSA, and `CKA_SIGN` (or `CKA_DECRYPT`) not false.
pub(crate) fn select<O: KeyOperation>(
    session: &OpenSession,
    uri: &Pkcs11Uri,
) -> Result<KeyFacts, Error> {
    let matching = all(session, &uri.of_private_key()?)?;
    if matching.is_empty() {
        let present = object::find(session, CKO_PRIVATE_KEY, &[])?;
        let some = read(session, present.iter().take(MAX_LISTED))?;
        return Err(none::<O>(&some, present.len()));
    }
    the_one::<O>(matching)
}

/// The handle of the key that was found before, in a new session: of those that `uri` names, the one with
/// this public key.
pub(crate) fn again(
    session: &OpenSession,
    uri: &Pkcs11Uri,
    public: &RsaPublicKey,
) -> Result<CK_OBJECT_HANDLE, Error> {
    let named = all(session, uri)?;
    if named.is_empty() {
        return Err(none::<SigningMechanism>(&[], 0));
    }
    let same = |key: &&KeyFacts| key.public.as_ref().is_ok_and(|its| its == public);
    named
        .iter()
        .find(same)
        .map(|key| key.handle)
        .ok_or(Error::KeyChanged)
}

/// All private keys that `uri`'s label and id fit.
pub(crate) fn all(session: &OpenSession, uri: &Pkcs11Uri) -> Result<Vec<KeyFacts>, CallError> {
    let handles = object::find_named(session, CKO_PRIVATE_KEY, uri)?;
    let mut keys = read(session, handles.iter())?;
    find_public_keys(session, &mut keys)?;
    Ok(keys)
}

fn read<'h>(
    session: &OpenSession,
    handles: impl Iterator<Item = &'h CK_OBJECT_HANDLE>,
) -> Result<Vec<KeyFacts>, CallError> {
    handles
        .map(|handle| KeyFacts::read(session, *handle))
        .collect()
}

fn the_one<O: KeyOperation>(mut matching: Vec<KeyFacts>) -> Result<KeyFacts, Error> {
    if matching.len() > 1 {
        let (able, others): (Vec<_>, Vec<_>) = matching
            .into_iter()
            .partition(|key| key.is_rsa && key.permits(O::USE));
        if able.is_empty() {
            return Err(none::<O>(&others, others.len()));
        }
        matching = able;
    }
    let alike = |one: &KeyFacts, other: &KeyFacts| one.name == other.name;
    let name = |key: &KeyFacts, is_alike: bool| {
        let modulus = is_alike.then(|| modulus(key));
        short::<O>(key) + &modulus.unwrap_or_default()
    };
    let only = SelectError::only(matching, alike, name).map_err(Error::KeySelection)?;
    only.ok_or_else(|| none::<O>(&[], 0))
}

/// What tells keys of the same label and id apart, though no URI says it.
fn modulus(key: &KeyFacts) -> String {
    let modulus = key.public.as_ref().map_or(&[][..], RsaPublicKey::modulus);
    let start = modulus.first_chunk().copied().map_or(0, u64::from_be_bytes);
    format!(" (modulus {start:016x}..; no URI tells it apart: give it another label or id)")
}

fn none<O: KeyOperation>(present: &[KeyFacts], count: usize) -> Error {
    Error::KeySelection(SelectError::none(present.iter().map(short::<O>), count))
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
