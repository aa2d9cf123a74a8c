//! What X.509, revocation lists and OCSP have in common (RFC 5280, RFC 6960): read in one way here and by the host.

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

use crate::time::UnixTime;

/// The content of the field with this context-specific tag, if it is next.
///
/// # Errors
/// What is next is no DER.
pub fn context<'a, R: Reader<'a>>(
    reader: &mut R,
    wanted: u32,
) -> Result<Option<&'a [u8]>, der::Error> {
    if reader.is_finished() {
        return Ok(None);
    }
    match Tag::peek(reader)? {
        Tag::ContextSpecific { number, .. } if number == TagNumber(wanted) => {
            Ok(Some(AnyRef::decode(reader)?.value()))
        }
        _ => Ok(None),
    }
}

/// UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5).
///
/// # Errors
/// Another element, or a time before 1970.
pub fn moment<'a, R: Reader<'a>>(reader: &mut R) -> Result<UnixTime, der::Error> {
    let since_epoch = match Tag::peek(reader)? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    // The types end with the year 9999, as UnixTime does.
    Ok(UnixTime::from_secs(since_epoch.as_secs()).unwrap_or(UnixTime::MAX))
}

/// The AlgorithmIdentifier of a SubjectPublicKeyInfo, and its key; `None` where it is not one.
pub fn split_spki(spki: &[u8]) -> Option<(AnyRef<'_>, &[u8])> {
    let mut reader = SliceReader::new(spki).ok()?;
    let (kind, key) = reader
        .sequence(|spki| Ok::<_, der::Error>((AnyRef::decode(spki)?, BitStringRef::decode(spki)?)))
        .ok()?;
    reader.finish().ok()?;
    Some((kind, key.as_bytes()?))
}
