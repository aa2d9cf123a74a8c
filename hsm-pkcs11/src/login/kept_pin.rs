//! The PIN that keys keep to log in again.
//!
//! A login is the process's, not a key's: whoever opens the second key of a token is logged in already and asked for no
//! PIN. So the keys of a token share the one that was given, and it is wiped with the last key that may keep it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use privyseal_hsm::Secret;

use crate::slot::TokenInfo;

/// The PIN of one token, where it was given.
#[derive(Clone)]
pub(super) struct KeptPin(Arc<Mutex<Option<Secret>>>);

/// The kept PINs of a module's tokens, by what names a token: label, serial number, manufacturer and model.
#[derive(Default)]
pub(crate) struct KeptPins(Mutex<BTreeMap<[String; 4], Weak<Mutex<Option<Secret>>>>>);

impl KeptPins {
    /// The place of the PIN of `token`.
    pub(super) fn of(&self, token: &TokenInfo) -> KeptPin {
        let TokenInfo {
            label,
            serial,
            manufacturer,
            model,
            ..
        } = token.clone();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, pin| pin.strong_count() > 0);
        let place = all.entry([label, serial, manufacturer, model]).or_default();
        let pin = place.upgrade().unwrap_or_default();
        *place = Arc::downgrade(&pin);
        KeptPin(pin)
    }
}

impl KeptPin {
    pub(super) fn get(&self) -> Option<Secret> {
        self.pin().clone()
    }

    pub(super) fn set(&self, pin: Secret) {
        *self.pin() = Some(pin);
    }

    /// Nobody tries it again. Another one, given since, stays.
    pub(super) fn refused(&self, pin: &Secret) {
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
