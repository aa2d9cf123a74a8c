//! Readers of values, for [`Given::read`](super::Given::read).

use std::str::FromStr;

use zeroize::Zeroizing;

use super::UriFault;
use crate::secret::{Secret, SecretUnavailable};

/// A value that is not only digits, or too large.
const DECIMAL: UriFault = UriFault::Rule("is not a decimal number (RFC 7512 section 2.3)");

/// Text. It may be empty: an empty value matches an empty field (RFC 7512 section 2.5).
///
/// # Errors
/// The value is not UTF-8.
pub fn text(bytes: &[u8]) -> Result<String, UriFault> {
    str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| UriFault::Utf8)
}

/// A file name, path or text for C: neither empty nor with a NUL byte.
///
/// # Errors
/// The value is empty, has a NUL byte, or is not UTF-8.
pub fn path(bytes: &[u8]) -> Result<String, UriFault> {
    match bytes {
        [] => Err(UriFault::Empty),
        bytes if bytes.contains(&0) => Err(UriFault::Nul),
        bytes => text(bytes),
    }
}

/// Bytes, at most `max`.
///
/// # Errors
/// The value is longer.
pub fn bytes(max: usize) -> impl FnOnce(&[u8]) -> Result<Vec<u8>, UriFault> {
    move |bytes| at_most(max, bytes).map(<[u8]>::to_vec)
}

/// A name: as [`path`], and at most `max` bytes long.
///
/// # Errors
/// The value is empty, longer, has a NUL byte, or is not UTF-8.
pub fn name(max: usize) -> impl FnOnce(&[u8]) -> Result<String, UriFault> {
    move |bytes| at_most(max, bytes).and_then(path)
}

/// A PIN or password of at most `max` bytes. Copies are wiped.
///
/// # Errors
/// The value is empty, longer, has a control character or one that nobody sees, or is not UTF-8.
pub fn secret(max: usize) -> impl FnOnce(&[u8]) -> Result<Secret, UriFault> {
    move |bytes| {
        let text = Zeroizing::new(text(bytes)?);
        Secret::new(&text)
            .and_then(|secret| secret.at_most(max))
            .map_err(|error| match error {
                SecretUnavailable::Empty => UriFault::Empty,
                SecretUnavailable::TooLong { .. } => UriFault::TooLong { max },
                _ => UriFault::Rule("has a control character or one that nobody sees"),
            })
    }
}

/// A decimal number. Only digits: the parser of the standard library would let a `+` pass.
///
/// # Errors
/// The value has another character, is empty, or does not fit the type.
pub fn decimal<T: FromStr>(bytes: &[u8]) -> Result<T, UriFault> {
    let digits = str::from_utf8(bytes).map_err(|_| DECIMAL)?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(DECIMAL);
    }
    digits.parse().map_err(|_| DECIMAL)
}

/// A decimal number of a range; `rule` says which, as `is not a decimal number from 1 to 9`.
///
/// # Errors
/// The value is no such number.
pub fn within<T: FromStr + PartialOrd>(
    range: std::ops::RangeInclusive<T>,
    rule: &'static str,
) -> impl FnOnce(&[u8]) -> Result<T, UriFault> {
    move |bytes| match decimal(bytes) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(UriFault::Rule(rule)),
    }
}

fn at_most(max: usize, bytes: &[u8]) -> Result<&[u8], UriFault> {
    if bytes.len() > max {
        return Err(UriFault::TooLong { max });
    }
    Ok(bytes)
}
