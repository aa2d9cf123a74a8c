//! PEM (RFC 7468): DER in base64 between two lines that name it.
//!
//! Libraries pass over a block that they do not understand, and a revocation list that is passed over is a
//! certificate that is not revoked. So every `-----BEGIN` here is read, or the file is refused. Blocks behind
//! a byte order mark, indented, with CRLF, with text around them or with no newline between two of them are
//! read; the certificates and lists of a PKCS #7 container are, too; what other files people take for PEM is recognised, and named.

use base64ct::{Base64, Encoding as _};
use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader};
use zeroize::Zeroizing;

use super::crl_error::CrlError;
use crate::base::display::sanitize_for_display;

const BEGIN: &[u8] = b"-----BEGIN";
const DASHES: &[u8] = b"-----";

/// One block of PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    /// What it is: `CERTIFICATE`.
    pub label: String,
    /// Its DER, wiped when it is dropped: it may be a key.
    pub der: Zeroizing<Vec<u8>>,
}

/// What a file should hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
}

/// Why a file cannot be used for what it was given for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// It holds nothing that could be it.
    #[error("the file holds no {0}, neither DER nor PEM (RFC 7468)")]
    Nothing(&'static str),
    /// A block has no end.
    #[error("the file has PEM that is cut off: a BEGIN line is broken or its END line is missing")]
    CutOff,
    /// A block is not base64.
    #[error("the file has PEM that is not base64 (RFC 7468)")]
    NotBase64,
    /// A block is something else than what is wanted.
    #[error("the file has a PEM block {label:?} where only {wanted:?} can be used")]
    Label {
        /// What it is.
        label: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// It holds a private key.
    #[error("the file holds a private key; a key belongs into its hardware, not beside its chain")]
    PrivateKey,
    /// It is a PKCS #7 container (`.p7b`, `.p7c`) without what is named, or not in DER.
    #[error("the file is a PKCS #7 container without a {0}, or not in DER (RFC 5652)")]
    Pkcs7(&'static str),
    /// It is a container of certificates and keys, PKCS #12 (`.p12`, `.pfx`).
    #[error("the file is a PKCS #12 container, not PEM or DER of a {0}")]
    Pkcs12(&'static str),
    /// It is text in UTF-16.
    #[error("the file is UTF-16 text, and only UTF-8 is read; PEM is ASCII (RFC 7468)")]
    Utf16,
    /// A revocation list is malformed, or has what is not processed here.
    #[error(transparent)]
    Crl(#[from] CrlError),
}

/// Every block, in order.
///
/// # Errors
///
/// [`PemError`] if there is a `-----BEGIN` that cannot be read.
pub fn blocks(content: &[u8]) -> Result<Vec<Block>, PemError> {
    let mut blocks = Vec::new();
    let mut rest = content;
    while let Some((_, block)) = split(rest, BEGIN) {
        let (label, body) = split(block, DASHES).ok_or(PemError::CutOff)?;
        let label = core::str::from_utf8(label).ok();
        let label = label.and_then(|label| label.strip_prefix(' '));
        let label = label.filter(|label| !label.contains(char::is_control));
        let label = label.ok_or(PemError::CutOff)?;
        let end = format!("-----END {label}-----");
        let (body, after) = split(body, end.as_bytes()).ok_or(PemError::CutOff)?;
        // Its last dashes may be the first ones of the next block.
        let from = content.len().saturating_sub(after.len() + DASHES.len());
        blocks.push(Block {
            label: label.to_owned(),
            der: decode(body)?,
        });
        rest = content.get(from..).unwrap_or_default();
    }
    Ok(blocks)
}

/// `der` as PEM under `label`, with a newline after each line but the last.
pub fn encode(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (position, digit) in Base64::encode_string(der).chars().enumerate() {
        if position > 0 && position % 64 == 0 {
            pem.push('\n');
        }
        pem.push(digit);
    }
    if !der.is_empty() {
        pem.push('\n');
    }
    pem + "-----END " + label + "-----"
}

/// The DER of every block of a PEM file, each of which must be what is wanted; or that of a DER file.
pub(crate) fn read(content: &[u8], wanted: Wanted) -> Result<Vec<Vec<u8>>, PemError> {
    match container(content, wanted) {
        Some(PemError::Pkcs7(_)) => return pkcs7(content, wanted),
        Some(other) => return Err(other),
        None => {}
    }
    if content.first() == Some(&0x30) {
        return Ok(vec![content.to_vec()]);
    }
    let blocks = blocks(content)?;
    if blocks.is_empty() {
        return Err(PemError::Nothing(wanted.name));
    }
    let der = |mut block: Block| match block.label.as_str() {
        label if label == wanted.label => Ok(vec![core::mem::take(&mut *block.der)]),
        label if label.ends_with("PRIVATE KEY") => Err(PemError::PrivateKey),
        "PKCS7" | "CMS" => pkcs7(&block.der, wanted),
        label => Err(PemError::Label {
            label: sanitize_for_display(label, None),
            wanted: wanted.label,
        }),
    };
    let found = blocks.into_iter().map(der).collect::<Result<Vec<_>, _>>()?;
    Ok(found.concat())
}

/// The certificates or the lists of a PKCS #7 container, as it has them (RFC 5652 section 5.1: `SignedData`).
fn pkcs7(der: &[u8], wanted: Wanted) -> Result<Vec<Vec<u8>>, PemError> {
    let tag = match wanted.label {
        "CERTIFICATE" => Some(0xa0),
        "X509 CRL" => Some(0xa1),
        _ => None,
    };
    let found = tag.and_then(|tag| signed_data(der, tag));
    let found = found.filter(|found| !found.is_empty());
    found.ok_or(PemError::Pkcs7(wanted.name))
}

/// What stands in the set of that tag.
fn signed_data(der: &[u8], tag: u8) -> Option<Vec<Vec<u8>>> {
    /// id-signedData, 1.2.840.113549.1.7.2, with its tag and length.
    const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    const CONTEXT_0: u8 = 0xa0;
    let [kind, content] = elements(value(der)?)?[..] else {
        return None;
    };
    if kind != SIGNED_DATA || content.first() != Some(&CONTEXT_0) {
        return None;
    }
    let parts = elements(value(value(content)?)?)?;
    let set = parts.into_iter().find(|part| part.first() == Some(&tag))?;
    let found = elements(value(set)?)?.into_iter();
    // Anything but a SEQUENCE is no X.509 certificate, and no list.
    found
        .map(|it| (it.first() == Some(&0x30)).then(|| it.to_vec()))
        .collect()
}

/// What is in one element of DER.
fn value(der: &[u8]) -> Option<&[u8]> {
    Some(AnyRef::from_der(der).ok()?.value())
}

/// The elements one after another, each with tag and length.
fn elements(der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = SliceReader::new(der).ok()?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        elements.push(reader.tlv_bytes().ok()?);
    }
    Some(elements)
}

/// What is often taken for a certificate, by its first bytes.
fn container(content: &[u8], wanted: Wanted) -> Option<PemError> {
    if content.starts_with(&[0xff, 0xfe])
        || content.starts_with(&[0xfe, 0xff])
        || split(content, b"-\0-\0-\0").is_some()
    {
        return Some(PemError::Utf16);
    }
    let [0x30, length, ..] = content else {
        return None;
    };
    // The first element of the sequence, behind a length of one byte or of several.
    let header = if *length > 0x80 {
        2 + usize::from(length & 0x7f)
    } else {
        2
    };
    match content.get(header..)? {
        [0x06, ..] => Some(PemError::Pkcs7(wanted.name)),
        [0x02, 1, 3, ..] => Some(PemError::Pkcs12(wanted.name)),
        [0x02, ..] => Some(PemError::PrivateKey),
        _ => None,
    }
}

/// Base64 with white space in it. Every buffer has its final size at once, so that no copy stays behind.
fn decode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let mut digits = Zeroizing::new(Vec::with_capacity(body.len()));
    digits.extend(body.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let mut der = Zeroizing::new(vec![0; digits.len()]);
    let decoded = Base64::decode(digits.as_slice(), &mut der);
    let len = decoded.map_err(|_| PemError::NotBase64)?.len();
    der.truncate(len);
    Ok(der)
}

/// What stands before and behind the first `separator`.
fn split<'a>(content: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut windows = content.windows(separator.len());
    let start = windows.position(|window| window == separator)?;
    Some((
        content.get(..start)?,
        content.get(start + separator.len()..)?,
    ))
}

#[cfg(test)]
mod tests;
