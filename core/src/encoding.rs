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
pub(crate) const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Characters of unpadded base64url for `bytes` bytes (RFC 7515 section 2).
pub(crate) const fn base64url_len(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

/// The lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> impl Iterator<Item = char> {
    hex_digits(bytes).map(char::from)
}

/// The same as ASCII.
pub(crate) fn hex_digits(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes
        .iter()
        .flat_map(|&byte| [hex_digit(byte >> 4), hex_digit(byte & 0x0f)])
}

/// The bytes of exactly twice as many hexadecimal digits, in either case.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !odd.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(hex_value);
        *byte = high? << 4 | low?;
    }
    Some(bytes)
}

/// The value of a hexadecimal digit, in either case.
pub const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a' - 10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A' - 10)),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_without_leading_zeros() {
        for number in [0, 9, 10, 99, 100, 1_000_000, u64::MAX] {
            let mut digits = std::string::String::new();
            decimal(number, |digit| digits.push(digit));
            assert_eq!(digits, std::format!("{number}"));
        }
    }

    #[test]
    fn hexadecimal_there_and_back() {
        let all: [u8; 256] = core::array::from_fn(|byte| u8::try_from(byte).unwrap());
        let text: std::string::String = hex(&all).collect();
        assert_eq!(unhex(&text), Some(all));
        assert_eq!(unhex(&text.to_uppercase()), Some(all));
        for text in [
            "",
            "a",
            "abc",
            "abcde",
            "ab cd",
            "+1-1",
            "ag00",
            "\u{660}\u{660}00",
        ] {
            assert_eq!(unhex::<2>(text), None, "{text}");
        }
    }
}
