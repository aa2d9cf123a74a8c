//! What is on a device: keys and certificates, each with the URI that names it.

use privyseal_hsm::{FitnessNote, HeldCertificate, SecretProvider, SignerOptions, is_for};
use yubihsm::object;

use crate::device::Device;
use crate::error::Error;
use crate::key::{KeyFacts, notes};
use crate::uri::YubihsmUri;

/// What a session sees of a device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listing {
    /// Asymmetric keys, by id.
    pub keys: Vec<ListedKey>,
    /// Opaque objects that hold a certificate, by id.
    pub certificates: Vec<ListedCertificate>,
    /// Objects that the device holds, of all domains and kinds.
    pub objects_on_device: u16,
    /// Objects that its list showed to this session.
    pub objects_listed: usize,
}

/// An asymmetric key on a device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedKey {
    /// Names it in full, ready to paste.
    pub uri: YubihsmUri,
    /// What the device says about it.
    pub facts: KeyFacts,
    /// What makes it unfit, and warnings.
    pub notes: Vec<FitnessNote>,
}

/// A certificate in an opaque object.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListedCertificate {
    /// Names it in full, ready to paste.
    pub uri: YubihsmUri,
    /// Id of the object.
    pub id: u16,
    /// Label of the object.
    pub label: String,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// The listed key that it is for.
    pub key_id: Option<u16>,
}

impl ListedKey {
    /// Whether it can sign assertions.
    pub fn is_fit(&self) -> bool {
        !self.notes.iter().any(FitnessNote::is_obstacle)
    }
}

impl Listing {
    /// Objects that were not listed: they belong to other domains, or the list was cut off at one of a
    /// kind that the `yubihsm` crate does not know. Those are still found by their ids.
    pub fn hidden(&self) -> usize {
        usize::from(self.objects_on_device).saturating_sub(self.objects_listed)
    }
}

/// Lists what the session of `uri` sees, and says which keys a signer with these options would refuse. With
/// `key-id`, only that key, found by its id.
///
/// # Errors
/// The device cannot be opened, has no such key, or a call of it fails.
pub fn list(
    uri: &YubihsmUri,
    passwords: &mut dyn SecretProvider,
    options: &SignerOptions,
) -> Result<Listing, Error> {
    let device = Device::open(uri, passwords)?;
    let listed = device.call("ListObjects", |client| client.list_objects(&[]))?;
    let storage = device.call("GetStorageInfo", yubihsm::Client::get_storage_info)?;
    let mut key_ids = ids(&listed, object::Type::AsymmetricKey);
    if let Some(wanted) = uri.key_id() {
        key_ids = vec![wanted];
    }
    let session = device.session_capabilities();
    let mut keys = Vec::new();
    for id in key_ids {
        keys.push(ListedKey {
            uri: uri.with_key_id(id),
            facts: device.key(id)?,
            notes: Vec::new(),
        });
    }
    let certificates = certificates(uri, &device, ids(&listed, object::Type::Opaque), &keys)?;
    for key in &mut keys {
        let leaf = certificates
            .iter()
            .find(|it| it.key_id == Some(key.facts.id));
        let held = leaf.map_or(HeldCertificate::None, |_| HeldCertificate::Matching);
        key.notes = notes(&key.facts, session, device.auth_key(), held, &options.key);
        match leaf {
            None => key.notes.push(FitnessNote::NoCertificate),
            // It is not found by the key's own label.
            Some(leaf) if leaf.label != key.facts.label && !leaf.label.is_empty() => {
                key.uri.cert_label = Some(leaf.label.clone());
            }
            Some(_) => {}
        }
    }
    Ok(Listing {
        keys,
        certificates,
        objects_on_device: storage.total_records.saturating_sub(storage.free_records),
        objects_listed: listed.len(),
    })
}

/// Opaque objects hold anything; what is no certificate, or may not be read, is not listed.
fn certificates(
    base: &YubihsmUri,
    device: &Device,
    ids: Vec<u16>,
    keys: &[ListedKey],
) -> Result<Vec<ListedCertificate>, Error> {
    let mut certificates = Vec::new();
    for id in ids {
        let der = match device.certificate(id) {
            Ok(der) => der,
            Err(Error::Certificates(_) | Error::Call(_)) => continue,
            Err(error) => return Err(error),
        };
        let label = device.opaque_label(id)?.unwrap_or_default();
        let is_its = |key: &&ListedKey| {
            key.facts
                .public_key
                .as_ref()
                .is_ok_and(|public| is_for(&der, public))
        };
        let key_id = keys.iter().find(is_its).map(|key| key.facts.id);
        let uri = YubihsmUri {
            key_id: None,
            cert_ids: vec![id],
            cert_label: None,
            ..base.clone()
        };
        certificates.push(ListedCertificate {
            uri,
            id,
            label,
            der,
            key_id,
        });
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
