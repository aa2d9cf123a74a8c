//! The secret that a device needs at each start, if its key is kept under one.

use privyseal_protocol::UNLOCK_LEN;
use thiserror::Error;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::hex;

/// 256 random bits, wiped when they are dropped. Not a password: a reader of a device's flash may try as many as
/// they like.
pub struct UnlockSecret([u8; UNLOCK_LEN]);

/// What is read is no unlock secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an unlock secret has {digits} hexadecimal digits and nothing else", digits = 2 * UNLOCK_LEN)]
#[non_exhaustive]
pub struct UnlockSecretError;

impl UnlockSecret {
    /// From 64 hexadecimal digits, as in a file: one line break may stand behind them.
    ///
    /// # Errors
    /// [`UnlockSecretError`] for anything else.
    pub fn from_hex(text: &[u8]) -> Result<Self, UnlockSecretError> {
        let text = core::str::from_utf8(text).map_err(|_| UnlockSecretError)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let bytes = Zeroizing::new(hex::decode(text).ok_or(UnlockSecretError)?);
        Ok(Self(*bytes))
    }

    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) const fn sent(&self) -> privyseal_protocol::UnlockSecret {
        privyseal_protocol::UnlockSecret(self.0)
    }
}

impl Drop for UnlockSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for UnlockSecret {}

privyseal_core::opaque_debug! { [] UnlockSecret; }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_digits_and_nothing_else() {
        let digits = "0123456789abcdefABCDEF0123456789".repeat(2);
        for end in ["", "\n", "\r\n"] {
            let secret = UnlockSecret::from_hex(format!("{digits}{end}").as_bytes()).unwrap();
            assert_eq!(secret.as_bytes()[..3], [0x01, 0x23, 0x45]);
            assert_eq!(format!("{secret:?}"), "UnlockSecret(..)");
        }
        for wrong in [
            "",
            "00",
            &digits[1..],
            &format!("{digits}0"),
            &format!("{digits}\n\n"),
        ] {
            assert_eq!(
                UnlockSecret::from_hex(wrong.as_bytes()).err(),
                Some(UnlockSecretError),
                "{wrong:?}"
            );
        }
        assert!(UnlockSecret::from_hex(&[0xff; 64]).is_err());
    }
}
