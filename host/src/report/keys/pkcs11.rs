//! What is on a token behind a PKCS #11 module.

use privyseal_pkcs11::{Listed, ListedKey};

use super::{CertificateEntry, Judge, KeyEntry, KeyReport};

impl KeyReport {
    pub(super) fn of_pkcs11(listed: &[Listed], judge: Judge) -> Self {
        let mut report = Self::default();
        for entry in listed {
            match entry {
                Listed::Key(key) => report.keys.push(KeyEntry::new(key)),
                Listed::Certificate(certificate) => {
                    let key = certificate.key.as_ref().map(ToString::to_string);
                    let uri = certificate.uri.to_string();
                    report.certificates.push(CertificateEntry::new(
                        uri,
                        &certificate.der,
                        key,
                        judge,
                    ));
                }
                // A kind of object that this version does not know.
                _ => {}
            }
        }
        report.with_keys_judged()
    }
}

impl KeyEntry {
    fn new(key: &ListedKey) -> Self {
        Self {
            uri: key.uri.to_string(),
            kind: key
                .public_key
                .as_ref()
                .map(|key| format!("RSA-{}", key.bits())),
            mechanism: key.mechanism.map(|mechanism| mechanism.to_string()),
            fit: key.is_fit(),
            notes: key.notes.iter().map(ToString::to_string).collect(),
        }
    }
}
