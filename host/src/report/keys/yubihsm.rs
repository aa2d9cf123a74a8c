//! What is on a YubiHSM 2.

use privyseal_yubihsm::{ListedKey, Listing};

use super::{CertificateEntry, Judge, KeyEntry, KeyReport};

impl KeyReport {
    pub(super) fn of_yubihsm(listing: &Listing, judge: Judge) -> Self {
        let uri_of = |id| {
            let key = listing.keys.iter().find(|key| Some(key.facts.id) == id)?;
            Some(key.uri.to_string())
        };
        let certificates = listing
            .certificates
            .iter()
            .map(|it| CertificateEntry::new(it.uri.to_string(), &it.der, uri_of(it.key_id), judge));
        let notes = match listing.hidden() {
            0 => Vec::new(),
            hidden => vec![format!(
                "{hidden} objects of the device are not listed: they are in other domains, or of a kind \
                 that the yubihsm library does not know (which can hide others; name those by id)"
            )],
        };
        Self {
            keys: listing.keys.iter().map(entry).collect(),
            certificates: certificates.collect(),
            notes,
        }
        .with_keys_judged()
    }
}

fn entry(key: &ListedKey) -> KeyEntry {
    let kind = key
        .facts
        .public_key
        .as_ref()
        .ok()
        .map(|key| format!("RSA-{}", key.bits()));
    KeyEntry {
        uri: key.uri.to_string(),
        kind,
        mechanism: None,
        fit: key.is_fit(),
        notes: key.notes.iter().map(ToString::to_string).collect(),
    }
}
