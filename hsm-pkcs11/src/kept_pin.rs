//! The PIN that keys keep to log in again.
//!
//! A login is the process's, not a key's: a second key of a token finds the process logged in already and is asked for no
//! PIN. So the keys of a token share the one that was given, and it is wiped with the last key that may keep it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use privyseal_hsm::{Secret, lock};

/// The PIN of one token, where it was given.
pub(crate) type KeptPin = Arc<Mutex<Option<Secret>>>;

/// What names a token: label, serial number, manufacturer and model.
pub(crate) type TokenName = [String; 4];

/// The kept PINs of a module's tokens.
#[derive(Default)]
pub(crate) struct KeptPins(Mutex<BTreeMap<TokenName, Weak<Mutex<Option<Secret>>>>>);

impl KeptPins {
    /// The place of the PIN of the token with this name.
    pub(crate) fn of(&self, token: TokenName) -> KeptPin {
        let mut all = lock(&self.0);
        all.retain(|_, pin| pin.strong_count() > 0);
        let place = all.entry(token).or_default();
        let pin = place.upgrade().unwrap_or_default();
        *place = Arc::downgrade(&pin);
        pin
    }
}
