//! The members of a token request (RFC 6749 section 4.4.2 with RFC 7523 section 2.2).

use crate::encoding::hex_digit;
use crate::encoding::sink::Sink;

/// `client_assertion_type` (RFC 7523 section 2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Writes one member of a form: `name=value`, the value escaped.
///
/// # Errors
/// Whatever `sink` fails with.
pub fn write_member<S: Sink>(sink: &mut S, name: &str, value: &str) -> Result<(), S::Error> {
    sink.write(name.as_bytes())?;
    sink.write(b"=")?;
    write_escaped(sink, value)
}

/// Writes a value, percent-encoded but for unreserved characters: for a form, or a part of a URL (RFC 3986 section
/// 2.1).
///
/// # Errors
/// Whatever `sink` fails with.
pub fn write_escaped<S: Sink>(sink: &mut S, value: &str) -> Result<(), S::Error> {
    for run in value
        .as_bytes()
        .split_inclusive(|&byte| !is_unreserved(byte))
    {
        match run.split_last() {
            Some((&last, plain)) if !is_unreserved(last) => {
                sink.write(plain)?;
                sink.write(&[b'%', hex_upper(last >> 4), hex_upper(last & 0x0f)])?;
            }
            _ => sink.write(run)?,
        }
    }
    Ok(())
}

/// Written as they are: the unreserved characters of RFC 3986 section 2.3, without `~`, which the
/// form encoding of the URL standard escapes.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

const fn hex_upper(nibble: u8) -> u8 {
    hex_digit(nibble).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sink::SliceSink;

    #[test]
    fn all_but_letters_digits_and_three_signs_is_escaped() {
        for (value, escaped) in [
            ("", "a="),
            ("aZ09-._", "a=aZ09-._"),
            ("~", "a=%7E"),
            ("did:ishare:EU.NL", "a=did%3Aishare%3AEU.NL"),
            ("/a b+", "a=%2Fa%20b%2B"),
            ("\u{e9}\n", "a=%C3%A9%0A"),
        ] {
            let mut buffer = [0; 64];
            let mut sink = SliceSink::new(&mut buffer);
            write_member(&mut sink, "a", value).unwrap();
            assert_eq!(sink.finish().unwrap(), escaped.as_bytes());
        }
    }
}
