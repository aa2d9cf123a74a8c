//! The fields of a list (RFC 5280 section 5.1), and an index of its entries.

use std::sync::Mutex;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::oid::AssociatedOid as _;
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use privyseal_core::UnixTime;
use privyseal_core::asn1::moment;
use privyseal_core::cert::CertificateError;
use privyseal_core::cert::extensions::each_extension;
use privyseal_hsm::lock;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BaseCrlNumber, CrlNumber, SubjectAltName};

use super::CrlError;
use super::points::Scope;
use crate::pki::path::NormalName;
use crate::pki::signature::Signed;

/// RFC 5280 section 5.2.5; the constant of `x509-cert` is that of another extension.
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

/// reasonCode and certificateIssuer (RFC 5280 sections 5.3.1 and 5.3.3).
const REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const CERTIFICATE_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.29");

/// The reason by which a delta list takes an entry back.
const REMOVE_FROM_CRL: u8 = 8;

/// How many keys a list remembers to be signed by, or not.
const MAX_SIGNERS: usize = 16;

/// What stands in a list.
#[derive(Debug)]
pub(in crate::pki) struct Content {
    der: Vec<u8>,
    pub(in crate::pki) issuer: NormalName,
    pub(in crate::pki) this_update: UnixTime,
    pub(in crate::pki) next_update: Option<UnixTime>,
    pub(in crate::pki) scope: Scope,
    pub(in crate::pki) number: Option<Number>,
    /// What a delta list is based on.
    pub(in crate::pki) base: Option<Number>,
    pub(in crate::pki) authority_key_id: Option<Vec<u8>>,
    /// Whose certificates the entries are about; first the list's own issuer.
    issuers: Vec<NormalName>,
    /// By issuer and serial number.
    entries: Vec<Entry>,
    /// Keys, and whether they signed it.
    signers: Mutex<Vec<(Vec<u8>, bool)>>,
}

/// A number of a list: shorter is smaller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::pki) struct Number(usize, Vec<u8>);

/// One revoked certificate. The serial number stays where it lies.
#[derive(Clone, Copy, Debug)]
struct Entry {
    issuer: u32,
    start: u32,
    len: u32,
    since: UnixTime,
    is_removed: bool,
}

/// What a list says about a certificate that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pki) enum Found {
    Revoked(UnixTime),
    /// A delta list says that it no longer is.
    Removed,
    Nothing,
}

impl Content {
    pub(in crate::pki) fn read(der: Vec<u8>) -> Result<Self, CrlError> {
        let signed = Signed::read(&der).filter(|signed| signed.rest.is_empty());
        let signed = signed.ok_or(CrlError::Malformed)?;
        let mut reader = SliceReader::new(signed.tbs)?;
        let mut content = reader.sequence(|fields| Self::fields(fields, signed.algorithm, &der))?;
        reader.finish()?;
        content
            .entries
            .sort_by(|one, other| one.key(&der).cmp(&other.key(&der)));
        Ok(Self { der, ..content })
    }

    fn fields<'a, R: Reader<'a>>(
        fields: &mut R,
        algorithm: &[u8],
        der: &[u8],
    ) -> Result<Self, CrlError> {
        let is_version_2 = Tag::peek(fields)? == Tag::Integer;
        if is_version_2 && u8::decode(fields)? != 1 {
            return Err(CrlError::Malformed);
        }
        let inner = AnyRef::decode(fields)?;
        inner.tag().assert_eq(Tag::Sequence)?;
        if inner.value() != algorithm {
            // RFC 5280 section 5.1.1.2.
            return Err(CrlError::Malformed);
        }
        let issuer = NormalName::from_der(fields.tlv_bytes()?)?;
        let this_update = moment(fields)?;
        let has_next = matches!(peek(fields)?, Some(Tag::UtcTime | Tag::GeneralizedTime));
        let next_update = if has_next {
            Some(moment(fields)?)
        } else {
            None
        };
        let mut content = Self {
            der: Vec::new(),
            issuers: vec![issuer.clone()],
            issuer,
            this_update,
            next_update,
            scope: Scope::default(),
            number: None,
            base: None,
            authority_key_id: None,
            entries: Vec::new(),
            signers: Mutex::default(),
        };
        if peek(fields)? == Some(Tag::Sequence) {
            let entries = AnyRef::decode(fields)?.value();
            content.entries(entries, der)?;
        }
        if let Some(Tag::ContextSpecific {
            number: TagNumber(0),
            ..
        }) = peek(fields)?
        {
            if !is_version_2 {
                return Err(CrlError::Malformed);
            }
            let list = AnyRef::decode(fields)?.value();
            each_extension(list, |kind, critical, value| {
                content.extension(kind, critical, value)
            })?;
        }
        Ok(content)
    }

    fn extension(
        &mut self,
        kind: ObjectIdentifier,
        critical: bool,
        value: &[u8],
    ) -> Result<(), CrlError> {
        match kind {
            ISSUING_DISTRIBUTION_POINT => {
                let point = IssuingDistributionPoint::from_der(value)?;
                self.scope = Scope::new(&point, &self.issuer);
            }
            CrlNumber::OID => {
                self.number = Some(Number::new(CrlNumber::from_der(value)?.0.as_bytes()));
            }
            BaseCrlNumber::OID => {
                self.base = Some(Number::new(BaseCrlNumber::from_der(value)?.0.as_bytes()));
            }
            AuthorityKeyIdentifier::OID => {
                let id = AuthorityKeyIdentifier::from_der(value)?.key_identifier;
                self.authority_key_id = id.map(|id| id.as_bytes().to_vec());
            }
            _ if critical => return Err(CrlError::CriticalExtension),
            _ => {}
        }
        Ok(())
    }

    /// Every entry is understood, or the list is not used.
    fn entries(&mut self, entries: &[u8], der: &[u8]) -> Result<(), CrlError> {
        let mut reader = SliceReader::new(entries)?;
        let mut issuer = 0;
        while !reader.is_finished() {
            let (serial, since, list) = reader.sequence(|entry| {
                let serial = AnyRef::decode(entry)?;
                serial.tag().assert_eq(Tag::Integer)?;
                let since = moment(entry)?;
                let list = if entry.is_finished() {
                    None
                } else {
                    Some(entry.tlv_bytes()?)
                };
                Ok::<_, CrlError>((serial.value(), since, list))
            })?;
            // Canonical (X.690 section 8.3.2): what is written otherwise would never be found.
            if let [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] = serial {
                return Err(CrlError::Malformed);
            }
            let mut is_removed = false;
            if let Some(list) = list {
                each_extension(list, |kind, critical, value| {
                    match kind {
                        REASON => is_removed = value == [0x0a, 1, REMOVE_FROM_CRL],
                        CERTIFICATE_ISSUER => issuer = self.issuer_of_entry(value)?,
                        _ if critical => return Err(CrlError::CriticalExtension),
                        _ => {}
                    }
                    Ok(())
                })?;
            }
            let start = serial.as_ptr().addr().checked_sub(der.as_ptr().addr());
            let place = |number: usize| u32::try_from(number).map_err(|_| CrlError::Malformed);
            self.entries.push(Entry {
                issuer,
                start: place(start.ok_or(CrlError::Malformed)?)?,
                len: place(serial.len())?,
                since,
                is_removed,
            });
        }
        Ok(())
    }

    /// The number of the issuer that an entry names, for itself and those that follow (RFC 5280 section 5.3.3).
    fn issuer_of_entry(&mut self, value: &[u8]) -> Result<u32, CrlError> {
        let names = SubjectAltName::from_der(value)?.0;
        let name = names.iter().find_map(|name| match name {
            GeneralName::DirectoryName(name) => Some(NormalName::new(name)),
            _ => None,
        });
        let name = name.ok_or(CrlError::Malformed)?;
        let known = self.issuers.iter().position(|known| *known == name);
        let number = known.unwrap_or(self.issuers.len());
        if known.is_none() {
            self.issuers.push(name);
        }
        u32::try_from(number).map_err(|_| CrlError::Malformed)
    }

    /// What it says about the certificate of that issuer with that serial number.
    pub(in crate::pki) fn find(&self, issuer: &NormalName, serial: &[u8]) -> Found {
        let number = self.issuers.iter().position(|known| known == issuer);
        let Some(number) = number.and_then(|number| u32::try_from(number).ok()) else {
            return Found::Nothing;
        };
        let key = (number, serial);
        let start = self
            .entries
            .partition_point(|entry| entry.key(&self.der) < key);
        let entries = self.entries.get(start..).unwrap_or_default().iter();
        let mut same = entries
            .take_while(|entry| entry.key(&self.der) == key)
            .peekable();
        if same.peek().is_none() {
            return Found::Nothing;
        }
        same.find(|entry| !entry.is_removed)
            .map_or(Found::Removed, |entry| Found::Revoked(entry.since))
    }

    /// Whether that key (SubjectPublicKeyInfo, DER) signed it. The hash of a large list is made once for each key.
    pub(in crate::pki) fn is_signed_by(&self, spki: &[u8]) -> bool {
        let mut signers = lock(&self.signers);
        if let Some((_, known)) = signers.iter().find(|(key, _)| key == spki) {
            return *known;
        }
        let is_signed = Signed::read(&self.der).is_some_and(|signed| signed.verify(spki).is_ok());
        signers.truncate(MAX_SIGNERS.saturating_sub(1));
        signers.push((spki.to_vec(), is_signed));
        is_signed
    }
}

impl Entry {
    fn key<'a>(&self, der: &'a [u8]) -> (u32, &'a [u8]) {
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let rest = der.get(place(self.start)..).unwrap_or_default();
        (self.issuer, rest.get(..place(self.len)).unwrap_or_default())
    }
}

impl Number {
    fn new(bytes: &[u8]) -> Self {
        Self(bytes.len(), bytes.to_vec())
    }
}

fn peek<'a, R: Reader<'a>>(reader: &R) -> Result<Option<Tag>, der::Error> {
    if reader.is_finished() {
        Ok(None)
    } else {
        Tag::peek(reader).map(Some)
    }
}

impl From<der::Error> for CrlError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

impl From<CertificateError> for CrlError {
    fn from(_: CertificateError) -> Self {
        Self::Malformed
    }
}
