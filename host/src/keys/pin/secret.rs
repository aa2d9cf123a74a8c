//! PINs and passwords: text that is wiped, of the type that its backend wants.

use privyseal_pkcs11::{Pin, PinUnavailable};
use privyseal_yubihsm::Password;

/// A PIN or a password.
pub trait Secret: Sized {
    /// Takes a copy of `text`, or says what is wrong with it without repeating it.
    fn from_text(text: &str) -> Result<Self, PinUnavailable>;
}

impl Secret for Pin {
    fn from_text(text: &str) -> Result<Self, PinUnavailable> {
        Self::new(text)
    }
}

impl Secret for Password {
    fn from_text(text: &str) -> Result<Self, PinUnavailable> {
        Self::new(text).map_err(|error| PinUnavailable::new(error.to_string()))
    }
}
