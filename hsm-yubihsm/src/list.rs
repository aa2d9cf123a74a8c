//! What is on a device: keys and certificates, each with the URI that names it.

use privyseal_hsm::{
    FitnessNote, HeldCertificate, ListedKey, Listing, SecretProvider, SignerOptions, public_key,
};
use yubihsm::object;

use crate::audit;
use crate::device::Device;
use crate::error::Error;
use crate::key::notes;
use crate::uri::YubihsmUri;

/// Lists what the session of `uri` sees, and says which keys a signer with these options would refuse. With
/// `key-id`, only that key, found by its id.
///
/// Objects that are not listed belong to other domains, or the list was cut off at one of a
/// kind that the `yubihsm` crate does not know. Those are still found by their ids.
///
/// # Errors
/// The device cannot be opened, has no such key, or a call of it fails.
pub fn list(
    uri: &YubihsmUri,
    passwords: &mut dyn SecretProvider,
    options: &SignerOptions,
) -> Result<Listing<YubihsmUri>, Error> {
    let (device, _) = audit::open(uri, passwords)?;
    let listed = device.call("ListObjects", |client| client.list_objects(&[]))?;
    let objects = device.info()?.objects.0;
    let session = device.session_capabilities();
    let certificates = certificates(&device, ids(&listed, object::Type::Opaque))?;
    let mut keys = Vec::new();
    let all = || ids(&listed, object::Type::AsymmetricKey);
    for id in uri.key_id().map_or_else(all, |wanted| vec![wanted]) {
        let facts = device.key(id)?;
        let its_key = facts.public_key.clone().ok();
        let is_its =
            |(_, _, der): &&(_, _, Vec<u8>)| its_key.is_some() && public_key(der) == its_key;
        let leaf = certificates.iter().find(is_its);
        let held = leaf.map_or(HeldCertificate::None, |_| HeldCertificate::Matching);
        let mut notes = notes(&facts, session, device.auth_key(), held, &options.key);
        notes.extend(leaf.is_none().then_some(FitnessNote::NoCertificate));
        // One with another label is not found by the key's own.
        let label = leaf.map(|(_, label, _)| label);
        let label = label.filter(|label| **label != facts.label && !label.is_empty());
        keys.push(ListedKey {
            uri: YubihsmUri {
                cert_label: label.cloned(),
                ..uri.with_key_id(id)
            },
            public_key: its_key,
            mechanism: None,
            notes,
        });
    }
    let certificates = certificates
        .into_iter()
        .map(|(id, _, der)| (uri.for_certificate(id), der));
    let mut listing = Listing::new(keys, certificates);
    listing.hidden = usize::from(objects).saturating_sub(listed.len());
    Ok(listing)
}

/// Id, label and DER. Opaque objects hold anything; what is no certificate, or may not be read, is not listed.
fn certificates(device: &Device, ids: Vec<u16>) -> Result<Vec<(u16, String, Vec<u8>)>, Error> {
    let mut certificates = Vec::new();
    for id in ids {
        match device.certificate(id) {
            Ok(der) => certificates.push((id, device.opaque_label(id)?.unwrap_or_default(), der)),
            Err(Error::Certificates(_) | Error::Call(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(certificates)
}

fn ids(listed: &[object::Entry], kind: object::Type) -> Vec<u16> {
    let mut ids: Vec<u16> = listed
        .iter()
        .filter(|entry| entry.object_type == kind)
        .map(|entry| entry.object_id)
        .collect();
    ids.sort_unstable();
    ids
}
