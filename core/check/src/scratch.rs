//! Room for what is decoded: handed out in pieces from one buffer, never given back.

use base64ct::{Base64UrlUnpadded, Encoding as _};

use privyseal_core::encoding::unescape::Unescape;
use privyseal_core::token::text::JsonText;

/// The rest of the caller's buffer.
pub(super) struct Scratch<'t>(&'t mut [u8]);

impl<'t> Scratch<'t> {
    pub(super) const fn new(buffer: &'t mut [u8]) -> Self {
        Self(buffer)
    }

    /// Bytes that are left.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The next `len` bytes; `None` where that many are not left.
    pub(super) fn take(&mut self, len: usize) -> Option<&'t mut [u8]> {
        let whole = core::mem::take(&mut self.0);
        match whole.split_at_mut_checked(len) {
            Some((piece, rest)) => {
                self.0 = rest;
                Some(piece)
            }
            None => None,
        }
    }

    /// What base64url without padding stands for (RFC 7515 section 2).
    pub(super) fn base64url(&mut self, text: &str) -> Option<&'t [u8]> {
        // Four characters stand for three bytes.
        let place = self.take(text.len().div_ceil(4).saturating_mul(3))?;
        Base64UrlUnpadded::decode(text, place).ok()
    }

    /// The text itself, in place where nothing in it is escaped.
    pub(super) fn text(&mut self, text: &JsonText<'t>) -> Option<&'t str> {
        let escaped = text.as_escaped();
        if !escaped.contains('\\') {
            return Some(escaped);
        }
        // An escape is longer than the character it stands for.
        let place = self.take(escaped.len())?;
        let mut end: usize = 0;
        for character in Unescape::new(escaped) {
            let mut utf8 = [0; 4];
            let bytes = character?.encode_utf8(&mut utf8).as_bytes();
            let start = end;
            end = start.checked_add(bytes.len())?;
            for (to, from) in place.get_mut(start..end)?.iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        let place: &'t [u8] = place;
        core::str::from_utf8(place.get(..end)?).ok()
    }
}
