//! Hexadecimal, as people read and paste it.

use core::array;

/// Lower-case digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    privyseal_core::encoding::hex(bytes, |digit| text.push(digit));
    text
}

/// The bytes of exactly twice as many digits, in either case.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect();
    let digits = digits.filter(|digits| Some(digits.len()) == N.checked_mul(2))?;
    let mut pairs = digits.chunks_exact(2);
    Some(array::from_fn(|_| match pairs.next() {
        Some([high, low]) => high << 4 | low,
        _ => 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode::<256>(&encode(&all)).map(Vec::from), Some(all));
        assert_eq!(decode("aBcD"), Some([0xab, 0xcd]));
        for text in ["", "a", "abc", "abcde", "ab cd", "+1-1", "\u{660}\u{660}00"] {
            assert_eq!(decode::<2>(text), None, "{text}");
        }
    }
}
