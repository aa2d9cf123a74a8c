//! The Online Certificate Status Protocol (RFC 6960): a request for one certificate, and its response.

use der::asn1::{AnyRef, GeneralizedTime, Null, ObjectIdentifier, OctetString, OctetStringRef};
use der::oid::db::rfc5280::ID_KP_OCSP_SIGNING;
use der::{Decode, Encode as _, Reader, Sequence, SliceReader, Tag, TagNumber, Tagged as _};
use privyseal_core::UnixTime;
use privyseal_core::asn1::context;
use privyseal_core::cert::CertificateError;
use privyseal_core::cert::extensions::each_extension;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::path::{NormalName, PathCertificate};
use super::signature::{self, Signed};
use super::status::{Revocation, Unknown};

/// SHA-1, which names the issuer in requests: the one hash that every responder knows (RFC 5019 section 2.1.1).
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");

/// By how much a responder's clock may be ahead, in seconds.
const MAX_LEAD: u64 = 300;

/// How long a response without nextUpdate and without our nonce is believed, in seconds: a day.
const MAX_AGE_WITHOUT_NEXT_UPDATE: u64 = 24 * 3600;

/// CertID (RFC 6960 section 4.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct CertId {
    algorithm: AlgorithmIdentifierOwned,
    issuer_name_hash: OctetString,
    issuer_key_hash: OctetString,
    serial: x509_cert::serial_number::SerialNumber,
}

#[derive(Sequence)]
struct OcspRequest {
    tbs: TbsRequest,
}

#[derive(Sequence)]
struct TbsRequest {
    requests: Vec<Request>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct Request {
    id: CertId,
}

/// A question about one certificate.
#[derive(Clone, Debug)]
pub struct OcspQuestion {
    id: CertId,
    issuer: NormalName,
    issuer_spki: Vec<u8>,
    nonce: Vec<u8>,
}

/// A response to a question, DER, not yet judged.
#[derive(Clone, Debug)]
pub struct OcspResponse {
    question: OcspQuestion,
    der: Vec<u8>,
    is_kept: bool,
}

impl OcspQuestion {
    /// About `certificate`, whose issuer has that name and key (SubjectPublicKeyInfo, DER). `nonce` is randomness of 1
    /// to 32 bytes (RFC 8954).
    pub(super) fn new(
        certificate: &PathCertificate<'_>,
        issuer_spki: &[u8],
        nonce: &[u8],
    ) -> Option<Self> {
        let hash =
            |bytes: &[u8]| OctetString::new(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()).ok();
        let id = CertId {
            algorithm: AlgorithmIdentifierOwned {
                oid: SHA1,
                parameters: Some(Null.into()),
            },
            issuer_name_hash: hash(certificate.issuer().as_der())?,
            issuer_key_hash: hash(signature::key_bits(issuer_spki)?)?,
            serial: x509_cert::serial_number::SerialNumber::new(certificate.serial()).ok()?,
        };
        Some(Self {
            id,
            issuer: certificate.issuer.clone(),
            issuer_spki: issuer_spki.to_vec(),
            nonce: OctetString::new(nonce).ok()?.to_der().ok()?,
        })
    }

    /// What tells the certificate from all others.
    pub(crate) fn id(&self) -> Vec<u8> {
        let id = self.id.to_der().unwrap_or_default();
        [&id, self.issuer_spki.as_slice()].concat()
    }

    /// The OCSPRequest, DER.
    pub fn to_der(&self) -> Vec<u8> {
        let nonce = OctetString::new(self.nonce.clone()).map(|value| Extension {
            extn_id: NONCE,
            critical: false,
            extn_value: value,
        });
        let request = OcspRequest {
            tbs: TbsRequest {
                requests: vec![Request {
                    id: self.id.clone(),
                }],
                extensions: nonce.ok().map(|nonce| vec![nonce]),
            },
        };
        request.to_der().unwrap_or_default()
    }

    /// The response that came to it.
    pub fn response(self, der: Vec<u8>) -> OcspResponse {
        OcspResponse {
            question: self,
            der,
            is_kept: false,
        }
    }
}

/// What a response says about one certificate.
struct Single {
    status: Option<Revocation>,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
}

/// What stands in ResponseData.
struct ResponseData<'a> {
    singles: Vec<(CertId, Single)>,
    nonce: Option<&'a [u8]>,
}

impl OcspResponse {
    /// The same for later: one without nextUpdate was about that moment alone (RFC 6960 section 4.2.2.1).
    pub(crate) fn kept(mut self) -> Self {
        self.is_kept = true;
        self
    }

    /// What it says at `now`; `is_revoked` tells of a responder's own certificate whether it is known to be revoked.
    pub(super) fn status(
        &self,
        now: UnixTime,
        is_revoked: &dyn Fn(&PathCertificate<'_>) -> bool,
    ) -> Revocation {
        let judged = self.judge(now, is_revoked);
        judged.unwrap_or_else(Revocation::Unknown)
    }

    fn judge(
        &self,
        now: UnixTime,
        is_revoked: &dyn Fn(&PathCertificate<'_>) -> bool,
    ) -> Result<Revocation, Unknown> {
        let malformed = |_| Unknown::Responder;
        let basic = basic_response(&self.der).map_err(malformed)?;
        let signed = Signed::read(basic).ok_or(Unknown::Responder)?;
        let certificates = certificates(signed.rest).map_err(malformed)?;
        if !self.is_signed(&signed, &certificates, now, is_revoked) {
            return Err(Unknown::Signature);
        }
        let data = ResponseData::read(signed.tbs).map_err(|_| Unknown::Responder)?;
        if data.nonce.is_some_and(|nonce| nonce != self.question.nonce) {
            return Err(Unknown::Replayed);
        }
        let mut singles = data.singles.iter();
        let single = singles.find(|(id, _)| self.question.id.is_same(id));
        let (_, single) = single.ok_or(Unknown::NotCovered)?;
        let this_update = single.this_update;
        if now.saturating_add(MAX_LEAD) < this_update {
            return Err(Unknown::NotYetValid { this_update });
        }
        let limit = this_update.saturating_add(MAX_AGE_WITHOUT_NEXT_UPDATE);
        let is_fresh = match single.next_update {
            Some(next_update) => now <= next_update,
            None => !self.is_kept && (data.nonce.is_some() || now <= limit),
        };
        if !is_fresh {
            let next_update = single.next_update.unwrap_or(limit);
            return Err(Unknown::Stale { next_update });
        }
        single.status.ok_or(Unknown::NotCovered)
    }

    /// By the issuer itself, or by a responder that the issuer certified for that (RFC 6960 section 4.2.2.2).
    fn is_signed(
        &self,
        signed: &Signed<'_>,
        certificates: &[&[u8]],
        now: UnixTime,
        is_revoked: &dyn Fn(&PathCertificate<'_>) -> bool,
    ) -> bool {
        let issuer = &self.question.issuer_spki;
        let is_responder = |der: &&[u8]| {
            let Ok(responder) = PathCertificate::from_der(der) else {
                return false;
            };
            let purposes = responder.extensions.purposes.as_deref().unwrap_or_default();
            let is_issued = || {
                Signed::read(der).is_some_and(|it| it.rest.is_empty() && it.verify(issuer).is_ok())
            };
            responder.issuer == self.question.issuer
                && purposes.contains(&ID_KP_OCSP_SIGNING)
                && responder.is_valid_at(now)
                && !responder.extensions.unrecognised
                && is_issued()
                && signed.verify(responder.spki()).is_ok()
                && !is_revoked(&responder)
        };
        signed.verify(issuer).is_ok() || certificates.iter().any(is_responder)
    }
}

impl CertId {
    /// Parameters of the hash may be NULL or absent.
    fn is_same(&self, other: &Self) -> bool {
        let parts = |id: &Self| {
            (
                id.algorithm.oid,
                id.issuer_name_hash.clone(),
                id.issuer_key_hash.clone(),
                id.serial.clone(),
            )
        };
        parts(self) == parts(other)
    }
}

/// The BasicOCSPResponse of a successful response.
fn basic_response(der: &[u8]) -> Result<&[u8], der::Error> {
    let mut reader = SliceReader::new(der)?;
    let basic = reader.sequence(|response| {
        let status = AnyRef::decode(response)?;
        if status.tag() != Tag::Enumerated || status.value() != [0] {
            return Err(status.tag().value_error().into());
        }
        let bytes = context(response, 0)?.ok_or_else(|| Tag::Null.value_error())?;
        let mut bytes = SliceReader::new(bytes)?;
        bytes.sequence(|bytes| {
            if ObjectIdentifier::decode(bytes)? != BASIC {
                return Err(Tag::ObjectIdentifier.value_error().into());
            }
            Ok::<_, der::Error>(<&OctetStringRef>::decode(bytes)?.as_bytes())
        })
    })?;
    reader.finish()?;
    Ok(basic)
}

/// The certificates behind a signature.
fn certificates(rest: &[u8]) -> Result<Vec<&[u8]>, der::Error> {
    let mut found = Vec::new();
    let mut rest = SliceReader::new(rest)?;
    if let Some(list) = context(&mut rest, 0)? {
        let mut list = SliceReader::new(list)?;
        list.sequence(|list| {
            while !list.is_finished() {
                found.push(list.tlv_bytes()?);
            }
            Ok::<_, der::Error>(())
        })?;
    }
    rest.finish()?;
    Ok(found)
}

impl<'a> ResponseData<'a> {
    fn read(tbs: &'a [u8]) -> Result<Self, CertificateError> {
        let mut reader = SliceReader::new(tbs)?;
        reader.sequence(|data| {
            context(data, 0)?; // the version, 1
            data.tlv_bytes()?; // responderID: who it is, is told by the key
            GeneralizedTime::decode(data)?; // producedAt
            let singles = data.sequence(|list| {
                let mut singles = Vec::new();
                while !list.is_finished() {
                    singles.push(list.sequence(single)?);
                }
                Ok::<_, CertificateError>(singles)
            })?;
            let nonce = context(data, 1)?.map(nonce).transpose()?.flatten();
            Ok(Self { singles, nonce })
        })
    }
}

/// SingleResponse (RFC 6960 section 4.2.1).
fn single<'a, R: Reader<'a>>(reader: &mut R) -> Result<(CertId, Single), CertificateError> {
    let id = CertId::decode(reader)?;
    let status = AnyRef::decode(reader)?;
    let this_update = moment(GeneralizedTime::decode(reader)?);
    let next_update = context(reader, 0)?
        .map(GeneralizedTime::from_der)
        .transpose()?
        .map(moment);
    context(reader, 1)?.map(nonce).transpose()?;
    let status = match number(status.tag()) {
        Some(0) => Some(Revocation::Good { this_update }),
        Some(1) => {
            let mut info = SliceReader::new(status.value())?;
            let since = moment(GeneralizedTime::decode(&mut info)?);
            Some(Revocation::Revoked { since })
        }
        _ => None,
    };
    Ok((
        id,
        Single {
            status,
            this_update,
            next_update,
        },
    ))
}

/// The nonce among the extensions; a critical one that is not known voids the response (RFC 6960 section 4.4).
fn nonce(list: &[u8]) -> Result<Option<&[u8]>, CertificateError> {
    let mut nonce = None;
    each_extension(list, |kind, critical, value| {
        match kind {
            NONCE => nonce = Some(value),
            _ if critical => return Err(CertificateError::Malformed { offset: None }),
            _ => {}
        }
        Ok(())
    })?;
    Ok(nonce)
}

fn number(tag: Tag) -> Option<u32> {
    match tag {
        Tag::ContextSpecific {
            number: TagNumber(number),
            ..
        } => Some(number),
        _ => None,
    }
}

fn moment(time: GeneralizedTime) -> UnixTime {
    UnixTime::from_secs(time.to_unix_duration().as_secs()).unwrap_or(UnixTime::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_critical_extension_and_one_that_stands_twice_void_a_response() {
        let list = |extensions: &[(ObjectIdentifier, bool)]| {
            let extension = |&(extn_id, critical): &(ObjectIdentifier, bool)| Extension {
                extn_id,
                critical,
                extn_value: OctetString::new([5, 0]).unwrap(),
            };
            let list: Extensions = extensions.iter().map(extension).collect();
            list.to_der().unwrap()
        };
        let other = ObjectIdentifier::new_unwrap("2.5.29.99");
        for (extensions, expected) in [
            (&[(NONCE, false)][..], Ok(Some(&[5, 0][..]))),
            (&[(NONCE, true)], Ok(Some(&[5, 0]))),
            (&[(other, false)], Ok(None)),
            (
                &[(other, true)],
                Err(CertificateError::Malformed { offset: None }),
            ),
            (
                &[(NONCE, false), (NONCE, false)],
                Err(CertificateError::DuplicateExtension),
            ),
        ] {
            assert_eq!(nonce(&list(extensions)), expected, "{extensions:?}");
        }
    }
}
