//! The devices of this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use yubihsm::Credentials;

use super::WorkersLock;
use crate::password::Password;
use crate::uri::Endpoint;

static DEVICES: Mutex<BTreeMap<Name, Arc<Shared>>> = Mutex::new(BTreeMap::new());

/// Device, authentication key, and the hash of its derived keys: whoever has another password must not
/// get the session that the right one opened.
type Name = (Endpoint, u16, [u8; 32]);

/// What all users of one device in this process share.
pub(crate) struct Shared {
    pub(super) endpoint: Endpoint,
    pub(super) credentials: Credentials,
    pub(super) workers: WorkersLock,
}

impl Shared {
    pub(super) fn get(endpoint: &Endpoint, auth_key: u16, password: &Password) -> Arc<Self> {
        let shared = Arc::new(Self {
            endpoint: endpoint.clone(),
            credentials: Credentials::new(auth_key, password.derive()),
            workers: WorkersLock::default(),
        });
        // A panic under the lock leaves the map as it was.
        let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(devices.entry(shared.registered_as()).or_insert(shared))
    }

    /// Takes it out again: its password is wrong.
    pub(super) fn forget(&self) {
        let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
        devices.remove(&self.registered_as());
    }

    fn registered_as(&self) -> Name {
        let keys = Sha256::digest(self.credentials.authentication_key.as_secret_slice());
        (
            self.endpoint.clone(),
            self.credentials.authentication_key_id,
            keys.into(),
        )
    }
}
