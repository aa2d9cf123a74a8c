//! Percent-encoding (RFC 3986 section 2.1) with the character sets of RFC 7512 section 2.3.

use privyseal_core::encoding::hex_value;
use zeroize::Zeroizing;

use super::{Component, UriFault};

/// Decodes a value. The buffer is wiped when dropped: it may hold a secret.
pub(super) fn decode(text: &str, component: Component) -> Result<Zeroizing<Vec<u8>>, UriFault> {
    // The final capacity at once: growing would leave copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let position = text.len() - rest.len();
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low)) else {
                    return Err(UriFault::Percent { position });
                };
                bytes.push(high << 4 | low);
                tail
            }
            (b'%', _) => return Err(UriFault::Percent { position }),
            (byte, tail) if is_allowed(*byte, component) => {
                bytes.push(*byte);
                tail
            }
            _ => return Err(UriFault::Character { position }),
        };
    }
    Ok(bytes)
}

/// Encodes a value: what is not `plain` becomes `%` and two upper-case digits.
pub(super) fn encode(bytes: &[u8], plain: impl Fn(u8) -> bool, out: &mut String) {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    for &byte in bytes {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(digit);
            out.push('%');
            out.extend(digits.map(|digit| digit.to_ascii_uppercase()));
        }
    }
}

/// `unreserved` of RFC 3986 section 2.3.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `pk11-pchar` and `pk11-qchar` without the percent sign; in the path also `/`, which paths in use leave
/// bare.
fn is_allowed(byte: u8, component: Component) -> bool {
    is_unreserved(byte)
        || b":[]@!$'()*+,=/".contains(&byte)
        || match component {
            Component::Path => byte == b'&',
            Component::Query => matches!(byte, b'?' | b'|'),
        }
}
