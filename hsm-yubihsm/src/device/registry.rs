//! The devices of this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use privyseal_hsm::{Secret, lock};
use sha2::{Digest as _, Sha256};
use yubihsm::{Credentials, authentication};

use super::WorkersLock;
use crate::uri::Endpoint;

static DEVICES: Mutex<BTreeMap<DeviceId, Arc<Shared>>> = Mutex::new(BTreeMap::new());

/// Device, authentication key, and the hash of its derived keys: a caller with another password must not
/// get the session that the right one opened.
type DeviceId = (Endpoint, u16, [u8; 32]);

/// What all users of one device in this process share.
pub(crate) struct Shared {
    pub(super) endpoint: Endpoint,
    pub(super) credentials: Credentials,
    pub(super) workers: WorkersLock,
}

impl Shared {
    pub(super) fn get(endpoint: &Endpoint, auth_key: u16, password: &Secret) -> Arc<Self> {
        let shared = Arc::new(Self {
            endpoint: endpoint.clone(),
            credentials: Credentials::new(auth_key, derive(password)),
            workers: WorkersLock::default(),
        });
        // A panic under the lock leaves the map as it was.
        let mut devices = lock(&DEVICES);
        Arc::clone(devices.entry(shared.registered_as()).or_insert(shared))
    }

    /// Takes it out again: its password is wrong.
    pub(super) fn forget(&self) {
        lock(&DEVICES).remove(&self.registered_as());
    }

    fn registered_as(&self) -> DeviceId {
        let keys = Sha256::digest(self.credentials.authentication_key.as_secret_slice());
        (
            self.endpoint.clone(),
            self.credentials.authentication_key_id,
            keys.into(),
        )
    }
}

/// The two AES keys that Yubico derives from a password (PBKDF2, 10,000 rounds). Wiped when dropped.
pub(crate) fn derive(password: &Secret) -> authentication::Key {
    authentication::Key::derive_from_password(password.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_it() {
        let key = derive(&Secret::new("471147").unwrap());
        assert!(!format!("{key:?}").contains("47"));
    }

    /// The factory's password and keys, as the YubiHSM 2 user guide gives them.
    #[test]
    fn derivation() {
        let key = derive(&Secret::new("password").unwrap());
        let expected = [
            0x09, 0x0b, 0x47, 0xdb, 0xed, 0x59, 0x56, 0x54, 0x90, 0x1d, 0xee, 0x1c, 0xc6, 0x55,
            0xe4, 0x20, 0x59, 0x2f, 0xd4, 0x83, 0xf7, 0x59, 0xe2, 0x99, 0x09, 0xa0, 0x4c, 0x45,
            0x05, 0xd2, 0xce, 0x0a,
        ];
        assert_eq!(key.as_secret_slice(), expected);
    }
}
