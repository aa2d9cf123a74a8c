//! PINs and passwords, and who gives them.

use std::fmt;

use crate::locked::LockedText;
use crate::text::is_invisible;
use thiserror::Error;

/// The longest secret, in bytes. `yubihsm-shell` reads at most 256; PINs of PKCS #11 tokens are shorter.
pub const MAX_SECRET: usize = 256;

/// A PIN or a password: 1 to [`MAX_SECRET`] bytes of UTF-8 without control characters and what nobody sees, which
/// nobody types: files, shells and web pages add them. It is wiped when dropped and, where the system allows, neither swapped out
/// nor part of a core dump; `Debug` does not show it.
pub struct Secret(LockedText);

/// Why there is no PIN or password. The message is printed: it must not contain the secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecretUnavailable {
    /// It is empty. It would cost a try and can hardly be right.
    #[error("the PIN or password is empty")]
    Empty,
    /// It is too long.
    #[error("the PIN or password is longer than {max} bytes")]
    #[non_exhaustive]
    TooLong {
        /// The most bytes it may have.
        max: usize,
    },
    /// It has a control character.
    #[error("the PIN or password has a control character (a newline at its end?)")]
    Control,
    /// It has a character that nobody sees.
    #[error(
        "character {position} of the PIN or password is U+{code_point:04X}, which nobody sees or types: an editor added \
         it, or it was copied along"
    )]
    #[non_exhaustive]
    Invisible {
        /// Which one it is, from 1 on.
        position: usize,
        /// Its number in Unicode.
        code_point: u32,
    },
    /// It has another length than the token's PINs have.
    #[error("the PIN is not of the token's length, {min} to {max} bytes")]
    #[non_exhaustive]
    TokenLength {
        /// The token's minimum.
        min: usize,
        /// The token's maximum.
        max: usize,
    },
    /// The token refused it before, or twice nobody heard what it said.
    #[error(
        "the token refused this PIN before, or the process was ended twice while it was offered, so it is not offered again"
    )]
    RefusedBefore,
    /// The source of the secret failed, for this reason.
    #[error("{0}")]
    Source(String),
}

/// Which secret is asked for. `Display` prints it as a question: `PIN of token "eSeal"`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretRequest {
    /// The user PIN of a token behind a PKCS #11 module.
    Pin {
        /// The token's label.
        token: String,
        /// The token's serial number.
        serial: String,
        /// Whether tries are running out.
        state: PinState,
    },
    /// The password of an authentication key of a YubiHSM 2, which counts no tries.
    Password {
        /// The device, as `http://127.0.0.1:12345` or `usb`.
        device: String,
        /// The id of the authentication key.
        auth_key: u16,
    },
}

/// What a token's flags say about the PIN tries that are left, the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinState {
    /// `CKF_USER_PIN_LOCKED`: no try is left.
    Locked,
    /// `CKF_USER_PIN_FINAL_TRY`: one try is left.
    FinalTry,
    /// The flags cannot be read: perhaps one try is left.
    #[default]
    Unknown,
    /// `CKF_USER_PIN_COUNT_LOW`: a wrong PIN was given since the last right one.
    CountLow,
    /// None of these flags. Says little of a token that does not count its tries. SoftHSM, which never locks,
    /// still reports a wrong PIN (`CountLow`), to all processes, until the right one is given.
    Ok,
}

/// What a login may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginPolicy {
    /// Spend the last try too, and try where the flags cannot be read. A wrong PIN then locks the
    /// token.
    pub spend_final_try: bool,
}

impl LoginPolicy {
    /// Whether to spend the last try too.
    pub const fn new(spend_final_try: bool) -> Self {
        Self { spend_final_try }
    }
}

/// What became of a secret that hardware was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretOffer {
    /// It is offered now. A process that ends before it hears more may have spent a try.
    Begun,
    /// It was right.
    Accepted,
    /// It was wrong.
    Refused,
    /// Something else failed.
    Unjudged,
}

/// Gives the PIN or password when hardware needs one: a file, an environment variable, a prompt.
pub trait SecretProvider {
    /// The secret that `request` names. A backend calls this at most once for a login, and only where a
    /// secret is needed and a try may be spent.
    ///
    /// # Errors
    /// There is no such secret, or it cannot be one.
    fn secret(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable>;

    /// Whether the hardware refused this secret before, so that it is not offered again. Asked right before it would be:
    /// somebody else may have offered it since it was given.
    fn was_refused(&mut self, _request: &SecretRequest, _secret: &Secret) -> bool {
        false
    }

    /// Told what becomes of the secret that was given. Where it was refused, `request` says how the token's flags are
    /// since.
    fn outcome(&mut self, _request: &SecretRequest, _secret: &Secret, _offer: SecretOffer) {}
}

impl Secret {
    /// Takes a copy of `text`.
    ///
    /// # Errors
    /// `text` is empty, longer than [`MAX_SECRET`] bytes, or has a control character or one that nobody sees. A blank other
    /// than the space is seen between other characters only.
    pub fn new(text: &str) -> Result<Self, SecretUnavailable> {
        let is_unseen = |&(_, (at, c)): &(usize, (usize, char))| {
            let is_at_end = at == 0 || at.saturating_add(c.len_utf8()) == text.len();
            is_invisible(c) || (is_at_end && c.is_whitespace() && c != ' ')
        };
        match text {
            "" => Err(SecretUnavailable::Empty),
            _ if text.contains(char::is_control) => Err(SecretUnavailable::Control),
            _ if text.len() > MAX_SECRET => Err(SecretUnavailable::TooLong { max: MAX_SECRET }),
            _ => match (1..).zip(text.char_indices()).find(is_unseen) {
                Some((position, (_, c))) => Err(SecretUnavailable::Invisible {
                    position,
                    code_point: c.into(),
                }),
                None => Ok(Self(LockedText::new(text))),
            },
        }
    }

    /// The same secret, if it has no more than `max` bytes.
    ///
    /// # Errors
    /// It has more.
    pub fn at_most(self, max: usize) -> Result<Self, SecretUnavailable> {
        if self.expose().len() > max {
            return Err(SecretUnavailable::TooLong { max });
        }
        Ok(self)
    }

    /// The same secret, if it has a length that the token's PINs have.
    ///
    /// # Errors
    /// It has not.
    pub fn within(self, min: usize, max: usize) -> Result<Self, SecretUnavailable> {
        if (min..=max).contains(&self.expose().len()) {
            return Ok(self);
        }
        Err(SecretUnavailable::TokenLength { min, max })
    }

    /// The text itself. A copy that is made of it must be wiped by who makes it.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self(LockedText::new(self.expose()))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl SecretUnavailable {
    /// With the reason, as one clause: `pin-source file:/run/pin cannot be read: permission denied`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self::Source(reason.into())
    }
}

impl<F: FnMut(&SecretRequest) -> Result<Secret, SecretUnavailable>> SecretProvider for F {
    fn secret(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        self(request)
    }
}

privyseal_core::opaque_debug! { [] Secret; }

impl fmt::Display for SecretRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pin { token, state, .. } => {
                let tries = match state {
                    PinState::Ok => "",
                    PinState::FinalTry => " (THE LAST TRY)",
                    _ => " (few tries left)",
                };
                write!(f, "PIN of token {token:?}{tries}")
            }
            Self::Password { device, auth_key } => {
                write!(f, "Password of authentication key {auth_key} of {device}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert_eq!(Secret::new(""), Err(SecretUnavailable::Empty));
        for text in ["12\x0034", "1234\n", "1234\r", "\x1b1234", "12\u{85}34"] {
            assert_eq!(
                Secret::new(text),
                Err(SecretUnavailable::Control),
                "{text:?}"
            );
        }
        let length = SecretUnavailable::TokenLength { min: 5, max: 8 };
        assert_eq!(Secret::new("1234").unwrap().within(5, 8), Err(length));
        assert!(Secret::new("12345678").unwrap().within(5, 8).is_ok());
        assert!(Secret::new(&"1".repeat(MAX_SECRET)).is_ok());
        assert!(Secret::new(&"1".repeat(MAX_SECRET + 1)).is_err());
        let pin = Secret::new(&"1".repeat(MAX_SECRET)).unwrap();
        assert!(pin.clone().at_most(MAX_SECRET).is_ok());
        let error = pin.at_most(MAX_SECRET - 1).unwrap_err();
        assert!(error.to_string().contains("longer than 255"), "{error}");
    }

    #[test]
    fn what_nobody_sees_is_no_part_of_a_pin() {
        for (text, position, code_point) in [
            ("\u{feff}1234", 1, 0xfeff),
            ("12\u{feff}34", 3, 0xfeff),
            ("1234\u{200b}", 5, 0x200b),
            ("1234\u{a0}", 5, 0xa0),
            ("\u{a0}1234", 1, 0xa0),
            ("12\u{2067}34", 3, 0x2067),
            ("1\u{e0041}", 2, 0xe0041),
        ] {
            let expected = SecretUnavailable::Invisible {
                position,
                code_point,
            };
            assert_eq!(Secret::new(text), Err(expected.clone()), "{text:?}");
            let message = expected.to_string();
            let said =
                format!("character {position} of the PIN or password is U+{code_point:04X},");
            assert!(
                message.starts_with(&said) && !message.contains("34"),
                "{message}"
            );
        }
        for text in [
            " 12 34 ",
            "1\u{a0}2",
            "p\u{e4}ss w\u{f6}rd",
            "\u{5bc6}\u{7801}",
            "\u{1f511}",
        ] {
            assert_eq!(Secret::new(text).unwrap().expose(), text);
        }
    }

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(
            format!("{:?}", Secret::new("471147").unwrap()),
            "Secret(..)"
        );
    }

    #[test]
    fn a_question_says_what_a_wrong_answer_costs() {
        let pin = |state| SecretRequest::Pin {
            token: "eSeal".into(),
            serial: "1".into(),
            state,
        };
        let text = pin(PinState::FinalTry).to_string();
        assert_eq!(text, "PIN of token \"eSeal\" (THE LAST TRY)");
        assert_eq!(pin(PinState::Ok).to_string(), "PIN of token \"eSeal\"");
        assert!(
            pin(PinState::Unknown)
                .to_string()
                .contains("few tries left")
        );
    }
}
