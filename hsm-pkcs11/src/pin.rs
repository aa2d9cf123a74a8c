//! The PIN, and who gives it.

use std::fmt;

use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use crate::limits::MAX_PIN;
use crate::slot::TokenInfo;

/// A PIN: 1 to [`MAX_PIN`] bytes of UTF-8, without NUL. Wiped when dropped; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Takes a copy of `pin`. An empty one is refused: it would cost a try and can hardly be right.
    pub fn new(pin: &str) -> Result<Self, PinUnavailable> {
        match pin.len() {
            0 => Err(PinUnavailable::new("the PIN is empty")),
            len if len > MAX_PIN => Err(PinUnavailable::new(format!(
                "the PIN is longer than {MAX_PIN} bytes"
            ))),
            _ if pin.contains('\0') => Err(PinUnavailable::new("the PIN has a NUL byte")),
            _ => Ok(Self(Zeroizing::new(pin.to_owned()))),
        }
    }

    /// For `C_Login`. The copy is wiped as well.
    pub(crate) fn to_auth_pin(&self) -> AuthPin {
        AuthPin::from(self.0.as_str())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

/// Gives the PIN when a token needs one: a file, an environment variable, a prompt.
pub trait PinProvider {
    /// The PIN of `token`. Called at most once for a login, after the token's flags were read and allow
    /// a try; not called at all where none is needed (already logged in, no login required, PIN pad).
    /// `token` tells a prompt which token it is and whether tries are running out.
    fn pin(&mut self, token: &TokenInfo) -> Result<Pin, PinUnavailable>;
}

impl<F: FnMut(&TokenInfo) -> Result<Pin, PinUnavailable>> PinProvider for F {
    fn pin(&mut self, token: &TokenInfo) -> Result<Pin, PinUnavailable> {
        self(token)
    }
}

/// Why there is no PIN. The message is printed: it must not contain the PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinUnavailable(String);

impl PinUnavailable {
    /// With the reason, as one clause: `pin-source file:/run/pin cannot be read: permission denied`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for PinUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PinUnavailable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert!(Pin::new("").is_err());
        assert!(Pin::new("12\x0034").is_err());
        assert!(Pin::new(&"1".repeat(MAX_PIN)).is_ok());
        assert!(Pin::new(&"1".repeat(MAX_PIN + 1)).is_err());
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", Pin::new("471147").unwrap()), "Pin(..)");
    }
}
