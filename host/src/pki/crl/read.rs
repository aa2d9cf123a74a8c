//! The fields of a list, borrowed from its DER (RFC 5280 section 5.1).

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use privyseal_core::UnixTime;

use super::CrlError;
use super::extensions::{self, Scope};

/// What stands in a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    pub(super) tbs: &'a [u8],
    pub(super) algorithm: ObjectIdentifier,
    pub(super) signature: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
    /// The entries, one after the other.
    revoked: &'a [u8],
    pub(super) scope: Scope,
}

impl<'a> Content<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, CrlError> {
        let mut reader = SliceReader::new(der)?;
        let (tbs, outer, signature) = reader.sequence(|list| {
            let tbs = list.tlv_bytes()?;
            Ok::<_, der::Error>((tbs, AnyRef::decode(list)?, BitStringRef::decode(list)?))
        })?;
        reader.finish()?;
        let signature = signature.as_bytes().ok_or(CrlError::Malformed)?;
        let mut reader = SliceReader::new(tbs)?;
        let content = reader.sequence(|fields| Self::fields(fields, tbs, outer, signature))?;
        content.check_entries()?;
        Ok(content)
    }

    fn fields<R: Reader<'a>>(
        fields: &mut R,
        tbs: &'a [u8],
        outer: AnyRef<'a>,
        signature: &'a [u8],
    ) -> Result<Self, CrlError> {
        if Tag::peek(fields)? == Tag::Integer {
            AnyRef::decode(fields)?; // the version: only version 2 has extensions
        }
        let inner = AnyRef::decode(fields)?;
        if inner != outer {
            // RFC 5280 section 5.1.1.2.
            return Err(CrlError::Malformed);
        }
        let algorithm = ObjectIdentifier::decode(&mut SliceReader::new(inner.value())?)?;
        let issuer = fields.tlv_bytes()?;
        let this_update = moment(fields)?;
        let has_next = matches!(peek(fields)?, Some(Tag::UtcTime | Tag::GeneralizedTime));
        let next_update = if has_next {
            Some(moment(fields)?)
        } else {
            None
        };
        let revoked = match peek(fields)? {
            Some(Tag::Sequence) => AnyRef::decode(fields)?.value(),
            _ => &[],
        };
        let scope = match peek(fields)? {
            Some(Tag::ContextSpecific {
                number: TagNumber(0),
                ..
            }) => extensions::of_list(AnyRef::decode(fields)?.value())?,
            _ => Scope::All,
        };
        Ok(Self {
            tbs,
            algorithm,
            signature,
            issuer,
            this_update,
            next_update,
            revoked,
            scope,
        })
    }

    /// Since when the certificate of that serial number is revoked.
    pub(super) fn revoked_since(&self, serial: &[u8]) -> Result<Option<UnixTime>, CrlError> {
        let mut entries = SliceReader::new(self.revoked)?;
        while !entries.is_finished() {
            let (number, since, _) = entry(&mut entries)?;
            if number == serial {
                return Ok(Some(since));
            }
        }
        Ok(None)
    }

    /// Every entry is understood, or the list is not used.
    fn check_entries(&self) -> Result<(), CrlError> {
        let mut entries = SliceReader::new(self.revoked)?;
        while !entries.is_finished() {
            if let (.., Some(list)) = entry(&mut entries)? {
                extensions::of_entry(list)?;
            }
        }
        Ok(())
    }
}

/// Serial number, revocation date, and the extensions if there are any.
type Entry<'a> = (&'a [u8], UnixTime, Option<&'a [u8]>);

fn entry<'a>(entries: &mut SliceReader<'a>) -> Result<Entry<'a>, CrlError> {
    entries.sequence(|entry| {
        let serial = AnyRef::decode(entry)?;
        serial.tag().assert_eq(Tag::Integer)?;
        let since = moment(entry)?;
        let extensions = if entry.is_finished() {
            None
        } else {
            Some(entry.tlv_bytes()?)
        };
        Ok((serial.value(), since, extensions))
    })
}

fn peek<'a, R: Reader<'a>>(reader: &R) -> Result<Option<Tag>, der::Error> {
    if reader.is_finished() {
        Ok(None)
    } else {
        Tag::peek(reader).map(Some)
    }
}

/// UTCTime or GeneralizedTime (RFC 5280 section 5.1.2.4).
fn moment<'a, R: Reader<'a>>(reader: &mut R) -> Result<UnixTime, CrlError> {
    let since_epoch = match Tag::peek(reader)? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    UnixTime::from_secs(since_epoch.as_secs()).map_err(|_| CrlError::Malformed)
}

impl From<der::Error> for CrlError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}
