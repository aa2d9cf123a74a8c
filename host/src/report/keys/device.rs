//! What a gateway lists: its one key, and the certificates that were provisioned with it.

use super::{CertificateEntry, KeyCheckOptions, KeyEntry, KeyReport};
use privyseal_gateway::{DeviceError, DeviceKey, DeviceUri};

impl KeyReport {
    pub(super) fn of_device(
        uri: &DeviceUri,
        key: &DeviceKey,
        judge: KeyCheckOptions,
    ) -> Result<Self, DeviceError> {
        let info = key.info();
        let uri = match info.key {
            Some(digest) => uri.clone().with_key(digest).to_string(),
            None => uri.to_string(),
        };
        let signs = key.check_signs().is_ok();
        let does = if signs {
            "signs the statements of its schemes, which it builds itself, and nothing else"
        } else {
            "unwraps content keys and signs nothing"
        };
        let mut notes = vec![format!("{does}; it is {}", info.state)];
        for entry in &key.policy()?.schemes {
            notes.push(format!(
                "serves {} as {}",
                entry.scheme.rules().name(),
                entry.client_id.escape_default()
            ));
        }
        let certificates = key.certificates().iter().enumerate();
        let report = Self {
            certificates: certificates
                .map(|(position, der)| {
                    // The leaf comes first, and was proved to be the key's.
                    let key = (position == 0).then(|| uri.clone());
                    CertificateEntry::new(uri.clone(), der, key, judge)
                })
                .collect(),
            keys: vec![KeyEntry {
                kind: Some(format!("RSA-{}", key.public_key().bits())),
                mechanism: None,
                fit: Some(signs && key.is_ready()),
                notes,
                uri,
            }],
            notes: Vec::new(),
        };
        Ok(report.with_keys_judged())
    }
}
