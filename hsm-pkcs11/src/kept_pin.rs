//! The PIN that keys keep to log in again.
//!
//! A login is the process's, not a key's: a second key of a token finds the process logged in already and is asked for no
//! PIN. So the keys of a token share the one that was given, and it is wiped with the last key that may keep it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use privyseal_hsm::Secret;

/// The PIN of one token, where it was given.
#[derive(Clone)]
pub(crate) struct KeptPin(Arc<Mutex<Option<Secret>>>);

/// What names a token: label, serial number, manufacturer and model.
pub(crate) type TokenName = [String; 4];

/// The kept PINs of a module's tokens.
#[derive(Default)]
pub(crate) struct KeptPins(Mutex<BTreeMap<TokenName, Weak<Mutex<Option<Secret>>>>>);

impl KeptPins {
    /// The place of the PIN of the token with this name.
    pub(crate) fn of(&self, token: TokenName) -> KeptPin {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, pin| pin.strong_count() > 0);
        let place = all.entry(token).or_default();
        let pin = place.upgrade().unwrap_or_default();
        *place = Arc::downgrade(&pin);
        KeptPin(pin)
    }
}

impl KeptPin {
    pub(crate) fn get(&self) -> Option<Secret> {
        self.pin().clone()
    }

    pub(crate) fn set(&self, pin: Secret) {
        *self.pin() = Some(pin);
    }

    /// Nobody tries it again. Another one, given since, stays.
    pub(crate) fn refused(&self, pin: &Secret) {
        let mut kept = self.pin();
        if kept
            .as_ref()
            .is_some_and(|kept| kept.expose() == pin.expose())
        {
            *kept = None;
        }
    }

    // Changed as a whole: a panic leaves one state or the other.
    fn pin(&self) -> MutexGuard<'_, Option<Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeptPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeptPin").field(&*self.pin()).finish()
    }
}
