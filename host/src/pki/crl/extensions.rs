//! The extensions of a list and of its entries (RFC 5280 sections 5.2 and 5.3): which certificates it is
//! about, and whether it can be used at all.

use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::CrlError;

/// issuingDistributionPoint (RFC 5280 section 5.2.5).
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

/// Which of its issuer's certificates a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// All of them.
    All,
    /// End entities only.
    EndEntities,
    /// CAs only.
    Authorities,
}

impl Scope {
    pub(super) const fn covers(self, is_ca: bool) -> bool {
        match self {
            Self::All => true,
            Self::EndEntities => !is_ca,
            Self::Authorities => is_ca,
        }
    }
}

/// Reads crlExtensions.
pub(super) fn of_list(extensions: &[u8]) -> Result<Scope, CrlError> {
    let mut scope = Scope::All;
    each(extensions, |kind, critical, value| match kind {
        ISSUING_DISTRIBUTION_POINT => {
            scope = distribution_point(value)?;
            Ok(())
        }
        _ if critical => Err(CrlError::CriticalExtension),
        // The number, the authority's key identifier: of use to those who look for lists.
        _ => Ok(()),
    })?;
    Ok(scope)
}

/// Reads crlEntryExtensions. A critical one (certificateIssuer) changes whose certificate is meant.
pub(super) fn of_entry(extensions: &[u8]) -> Result<(), CrlError> {
    each(extensions, |_, critical, _| {
        if critical {
            Err(CrlError::CriticalExtension)
        } else {
            Ok(())
        }
    })
}

fn each<'a>(
    extensions: &'a [u8],
    mut found: impl FnMut(ObjectIdentifier, bool, &'a [u8]) -> Result<(), CrlError>,
) -> Result<(), CrlError> {
    let mut reader = SliceReader::new(extensions)?;
    reader.sequence(|list| {
        while !list.is_finished() {
            let (kind, critical, value) = list.sequence(|extension| {
                let kind = ObjectIdentifier::decode(extension)?;
                let critical = Tag::peek(extension)? == Tag::Boolean && bool::decode(extension)?;
                let value = <&OctetStringRef>::decode(extension)?;
                Ok::<_, der::Error>((kind, critical, value.as_bytes()))
            })?;
            found(kind, critical, value)?;
        }
        Ok::<_, CrlError>(())
    })
}

/// Where a list is published does not limit it; for whom does. Lists of some reasons, of attribute
/// certificates and indirect ones are not used.
fn distribution_point(value: &[u8]) -> Result<Scope, CrlError> {
    let mut scope = Scope::All;
    let mut reader = SliceReader::new(value)?;
    reader.sequence(|fields| {
        while !fields.is_finished() {
            let field = AnyRef::decode(fields)?;
            let Tag::ContextSpecific {
                number: TagNumber(number),
                ..
            } = field.tag()
            else {
                return Err(CrlError::Malformed);
            };
            let is_set = field.value() != [0];
            match number {
                0 => {}
                1 if is_set => scope = Scope::EndEntities,
                2 if is_set => scope = Scope::Authorities,
                _ if is_set => return Err(CrlError::CriticalExtension),
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok(scope)
}
