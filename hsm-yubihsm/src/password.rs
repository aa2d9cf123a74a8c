//! The password of an authentication key, and who gives it.

use std::fmt;

use yubihsm::authentication;
use zeroize::Zeroizing;

use crate::limits::MAX_PASSWORD;

/// A password: 1 to [`MAX_PASSWORD`] bytes of UTF-8, without NUL. Wiped when dropped; `Debug` does not
/// show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a copy of `password`. An empty one is refused: it can hardly be right.
    pub fn new(password: &str) -> Result<Self, PasswordUnavailable> {
        match password.len() {
            0 => Err(PasswordUnavailable::new("the password is empty")),
            len if len > MAX_PASSWORD => Err(PasswordUnavailable::new(format!(
                "the password is longer than {MAX_PASSWORD} bytes"
            ))),
            _ if password.contains('\0') => {
                Err(PasswordUnavailable::new("the password has a NUL byte"))
            }
            _ => Ok(Self(Zeroizing::new(password.to_owned()))),
        }
    }

    /// The two AES keys that Yubico derives from it (PBKDF2, 10,000 rounds). Wiped when dropped.
    pub(crate) fn derive(&self) -> authentication::Key {
        authentication::Key::derive_from_password(self.0.as_bytes())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Which password is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordRequest {
    /// The device, as `http://127.0.0.1:12345` or `usb`.
    pub device: String,
    /// The authentication key it belongs to.
    pub auth_key: u16,
}

/// Gives the password when a session is to be opened: a file, an environment variable, a prompt.
///
/// A YubiHSM 2 counts no tries and never locks, so a wrong password costs nothing.
pub trait PasswordProvider {
    /// The password for `request`. Called once for each opening of a device.
    fn password(&mut self, request: &PasswordRequest) -> Result<Password, PasswordUnavailable>;
}

impl<F: FnMut(&PasswordRequest) -> Result<Password, PasswordUnavailable>> PasswordProvider for F {
    fn password(&mut self, request: &PasswordRequest) -> Result<Password, PasswordUnavailable> {
        self(request)
    }
}

/// Why there is no password. The message is printed: it must not contain the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordUnavailable(String);

impl PasswordUnavailable {
    /// With the reason, as one clause: `pin-source file:/run/pin cannot be read: permission denied`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for PasswordUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PasswordUnavailable {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert!(Password::new("").is_err());
        assert!(Password::new("12\x0034").is_err());
        assert!(Password::new(&"1".repeat(MAX_PASSWORD)).is_ok());
        assert!(Password::new(&"1".repeat(MAX_PASSWORD + 1)).is_err());
    }

    #[test]
    fn debug_does_not_show_it() {
        let password = Password::new("471147").unwrap();
        assert_eq!(format!("{password:?}"), "Password(..)");
        assert!(!format!("{:?}", password.derive()).contains("47"));
    }

    /// The factory's password and keys, as the YubiHSM 2 user guide gives them.
    #[test]
    fn derivation() {
        let key = Password::new("password").unwrap().derive();
        let expected = [
            0x09, 0x0b, 0x47, 0xdb, 0xed, 0x59, 0x56, 0x54, 0x90, 0x1d, 0xee, 0x1c, 0xc6, 0x55,
            0xe4, 0x20, 0x59, 0x2f, 0xd4, 0x83, 0xf7, 0x59, 0xe2, 0x99, 0x09, 0xa0, 0x4c, 0x45,
            0x05, 0xd2, 0xce, 0x0a,
        ];
        assert_eq!(key.as_secret_slice(), expected);
    }
}
