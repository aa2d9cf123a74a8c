//! Percent-encoding (RFC 3986 section 2.1).

use zeroize::Zeroizing;

use super::error::UriFault;

/// Decodes a value. The text is wiped when dropped: it may hold a password.
pub(super) fn decode(text: &str) -> Result<Zeroizing<String>, UriFault> {
    // The final capacity at once: growing would leave copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|it| char::from(it).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else {
                    return Err(UriFault::Percent);
                };
                u8::try_from(high << 4 | low).map_err(|_| UriFault::Percent)?
            }
            // Space, controls and what no URI may hold bare.
            0x21..=0x7e if !br##""#<>\^`{}"##.contains(&byte) => byte,
            _ => return Err(UriFault::Character),
        });
    }
    let text = str::from_utf8(&bytes).map_err(|_| UriFault::Utf8)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Encodes a value: only unreserved characters stay bare, in a `path` also `/` and `:`.
pub(super) fn encode(value: &str, path: bool) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (path && b"/:".contains(&byte));
        if plain {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16).unwrap_or('0');
                text.push(digit.to_ascii_uppercase());
            }
        }
    }
    text
}
