//! The two base64 alphabets of JOSE, and a sticky-failure writer into a bounded buffer.
//!
//! RFC 7515 section 2 wants base64url without padding for the parts of a JWS; section 4.1.6 wants
//! padded standard base64 for the certificates in `x5c`. Both encode public data, so a plain,
//! incremental encoder that needs no buffer of the whole input is enough here.

pub mod base64;
mod digits;
pub mod json;
pub mod sink;
pub(crate) mod tlv;
pub mod unescape;

use digits::Digits;

/// Characters of padded base64 for `bytes` bytes (RFC 4648 section 4).
pub const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Characters of unpadded base64url for `bytes` bytes (RFC 7515 section 2).
pub const fn base64url_len(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

/// Gives the lower-case hexadecimal digits of `bytes`, in order.
pub fn hex(bytes: &[u8], mut digit: impl FnMut(char)) {
    for &byte in bytes {
        digit(char::from(hex_digit(byte >> 4)));
        digit(char::from(hex_digit(byte & 0x0f)));
    }
}

/// Gives the decimal digits of `number`, in order, without leading zeros.
pub fn decimal(number: u64, mut digit: impl FnMut(char)) {
    for &byte in Digits::new().of(number) {
        digit(char::from(byte));
    }
}

/// The lower-case hexadecimal digit of a value below 16.
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    let base = if nibble < 10 {
        b'0'
    } else {
        b'a'.wrapping_sub(10)
    };
    base.wrapping_add(nibble)
}
