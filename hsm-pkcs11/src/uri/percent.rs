//! Percent-encoding (RFC 3986 section 2.1) with the character sets of RFC 7512 section 2.3.

use zeroize::Zeroizing;

use super::error::UriFault;

/// Decodes a value. The buffer is wiped when dropped: it may hold a PIN.
pub(super) fn decode(text: &str, allowed: fn(u8) -> bool) -> Result<Zeroizing<Vec<u8>>, UriFault> {
    // The final capacity at once: growing would leave copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let position = text.len() - rest.len();
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let (Some(high), Some(low)) = (hex(*high), hex(*low)) else {
                    return Err(UriFault::Percent { position });
                };
                bytes.push(high << 4 | low);
                tail
            }
            (b'%', _) => return Err(UriFault::Percent { position }),
            (byte, tail) if allowed(*byte) => {
                bytes.push(*byte);
                tail
            }
            _ => return Err(UriFault::Character { position }),
        };
    }
    Ok(bytes)
}

/// Encodes a value: what is not `plain` becomes `%` and two upper-case digits.
pub(super) fn encode(bytes: &[u8], plain: fn(u8) -> bool, out: &mut String) {
    for &byte in bytes {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(
                    char::from_digit(digit.into(), 16)
                        .unwrap_or('0')
                        .to_ascii_uppercase(),
                );
            }
        }
    }
}

/// `unreserved` of RFC 3986 section 2.3.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `pk11-pchar` without the percent sign, and `/`, which paths in use leave bare.
pub(super) const fn is_path_char(byte: u8) -> bool {
    is_common(byte) || matches!(byte, b'&' | b'/')
}

/// `pk11-qchar` without the percent sign.
pub(super) const fn is_query_char(byte: u8) -> bool {
    is_common(byte) || matches!(byte, b'/' | b'?' | b'|')
}

/// `unreserved` and `pk11-res-avail`.
const fn is_common(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b':' | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
        )
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
