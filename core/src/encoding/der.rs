//! What X.509, revocation lists and OCSP have in common (RFC 5280, RFC 6960): read in one way here and by the host.

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, OctetStringRef, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use heapless::Vec;

use crate::cert::CertificateError;
use crate::limits::MAX_EXTENSIONS;
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

/// Calls `found` with each of a list of extensions: what it is, whether it is critical, and its value. The same one twice
/// is an error (RFC 5280 section 4.2), as are more than 32.
///
/// # Errors
/// [`CertificateError`] as the caller has it, or what `found` fails with.
pub fn extensions<'a, E: From<CertificateError>>(
    list: &'a [u8],
    mut found: impl FnMut(ObjectIdentifier, bool, &'a [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut seen = Vec::<_, MAX_EXTENSIONS>::new();
    let mut list = content(list)?;
    while !list.is_finished() {
        let (kind, critical, value) = list.sequence(extension).map_err(CertificateError::from)?;
        if seen.contains(&kind.value()) {
            return Err(CertificateError::DuplicateExtension.into());
        }
        seen.push(kind.value())
            .map_err(|_| CertificateError::Extensions)?;
        found(
            kind.decode_as().map_err(CertificateError::from)?,
            critical,
            value,
        )?;
    }
    Ok(())
}

fn extension<'a, R: Reader<'a>>(
    reader: &mut R,
) -> Result<(AnyRef<'a>, bool, &'a [u8]), der::Error> {
    let kind = AnyRef::decode(reader)?;
    let critical = Tag::peek(reader)? == Tag::Boolean && bool::decode(reader)?;
    Ok((
        kind,
        critical,
        <&OctetStringRef>::decode(reader)?.as_bytes(),
    ))
}

/// What stands in a SEQUENCE, behind which there is nothing.
fn content(sequence: &[u8]) -> Result<SliceReader<'_>, CertificateError> {
    let mut reader = SliceReader::new(sequence)?;
    let any = AnyRef::decode(&mut reader)?;
    reader.finish()?;
    any.tag().assert_eq(Tag::Sequence)?;
    Ok(SliceReader::new(any.value())?)
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
