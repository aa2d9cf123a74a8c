//! A PKCS #10 certification request (RFC 2986): the one other thing that a key may sign.
//!
//! It is as sealed as an assertion. A [`CertificationRequestInfo`] is made of a typed subject, key usages
//! and the signer's own public key, and of nothing else; a signer that offers the seam
//! [`CertificationRequestSigner`](crate::CertificationRequestSigner) signs it, and the DER is released after the signature was verified. Its
//! bytes begin with a SEQUENCE and those of an assertion with base64url text, so neither can be passed
//! off as the other.
//!
//! There is no heap: the request is written straight into a sink, and so into the hash.

pub mod subject;

use sha2::{Digest as _, Sha256};

use crate::cert::{KeyUsage, KeyUsages};
use crate::encoding::sink::{Sink, into_ok};
use crate::encoding::tlv::{
    BIT_STRING, CONTEXT_0, Der, Element, INTEGER, OCTET_STRING, SEQUENCE, SET,
};
use crate::error::Error;
use crate::field::{Field, FieldError};
use crate::rsa::digest::sha256_digest_info;
use crate::rsa::{Digest, RsaPublicKey, VerifyingKey};

pub use subject::{Subject, SubjectAttribute, SubjectAttributeType};

/// version: v1(0) (RFC 2986 section 4.1).
const VERSION: Element<&[u8]> = Element(INTEGER, &[0]);

/// AlgorithmIdentifier of sha256WithRSAEncryption: the OID and NULL (RFC 8017 appendix A.2.4).
const SHA256_WITH_RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";

/// extensionRequest, 1.2.840.113549.1.9.14, with its tag and length.
const EXTENSION_REQUEST: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";
/// id-ce-keyUsage, 2.5.29.15, with its tag and length.
const KEY_USAGE: &[u8] = b"\x06\x03\x55\x1d\x0f";
/// critical: BOOLEAN TRUE (RFC 5280 section 4.2.1.3: "conforming CAs SHOULD mark this as critical").
const CRITICAL: &[u8] = b"\x01\x01\xff";

/// What a certification request says: everything but its signature (RFC 2986 section 4.1).
#[derive(Clone, Debug)]
pub struct CertificationRequestInfo<'a> {
    subject: &'a Subject<'a>,
    usages: KeyUsages,
    key: VerifyingKey,
    digest: [u8; 32],
}

/// A signed and verified certification request: DER, at most
/// [`crate::limits::MAX_CERTIFICATION_REQUEST`] bytes. It exists whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificationRequest<'b>(&'b [u8]);

impl<'a> CertificationRequestInfo<'a> {
    /// Asks for a certificate of `key` for `subject`. `usages` are requested as a critical extension, and
    /// none where there are none: the CA decides then. A key that signs assertions may ask for
    /// digitalSignature and nonRepudiation only.
    ///
    /// # Errors
    /// [`Field::KeyUsage`] for a usage that an assertion's key may not have; [`Error::Key`].
    pub fn new(
        subject: &'a Subject<'a>,
        usages: KeyUsages,
        key: &RsaPublicKey,
    ) -> Result<Self, Error> {
        check_usages(usages)?;
        let mut info = Self {
            subject,
            usages,
            key: VerifyingKey::new(key.clone())?,
            digest: [0; 32],
        };
        let mut hash = Sha256::new();
        into_ok(info.write_to(&mut hash));
        info.digest = hash.finalize().into();
        Ok(info)
    }

    /// The subject of the certificate that is asked for.
    pub const fn subject(&self) -> &'a Subject<'a> {
        self.subject
    }

    /// For which key.
    pub const fn public_key(&self) -> &RsaPublicKey {
        self.key.public_key()
    }

    /// SHA-256 of what is signed.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The `DigestInfo` of the digest: the 51 bytes that `CKM_RSA_PKCS` and smartcards sign (RFC 8017
    /// section 9.2).
    pub fn digest_info(&self) -> [u8; 51] {
        sha256_digest_info(&self.digest)
    }

    /// Writes the DER of what is signed: for hardware that insists on hashing.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_to<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        // The attributes are not optional: an empty set stands for none.
        let attributes = Element(CONTEXT_0, ExtensionRequest(self.usages));
        let key = self.key.public_key();
        Element(SEQUENCE, ((VERSION, self.subject), key, attributes)).write(sink)
    }

    /// Attaches a signature that was made elsewhere: verifies it with the key in the request, then puts
    /// the request into `buffer`. On any error `buffer` holds nothing of a request.
    ///
    /// # Errors
    /// [`Error::Signature`] for a wrong signature; [`Error::Field`] for a buffer that is too short.
    pub fn attach<'b>(
        &self,
        signature: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<CertificationRequest<'b>, Error> {
        self.key.verify(&Digest::Sha256(self.digest), signature)?;
        let no_unused_bits: &[u8] = &[0];
        let bits = Element(BIT_STRING, (no_unused_bits, signature));
        let request = Element(SEQUENCE, (self, SHA256_WITH_RSA, bits));

        let write = |sink: &mut _| request.write(sink);
        let der = Field::CertificationRequest.fill(buffer, || request.encoded_len(), write)?;
        Ok(CertificationRequest(der))
    }
}

impl Der for &CertificationRequestInfo<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.write_to(sink)
    }
}

impl<'b> CertificationRequest<'b> {
    /// The request, DER.
    pub const fn as_der(self) -> &'b [u8] {
        self.0
    }
}

/// The attribute, or nothing where no usage is asked for.
struct ExtensionRequest(KeyUsages);

/// A key that signs assertions asks for what signing needs, and for nothing else.
fn check_usages(usages: KeyUsages) -> Result<(), FieldError> {
    let signing = [KeyUsage::DigitalSignature, KeyUsage::NonRepudiation];
    if usages.iter().all(|usage| signing.contains(&usage)) {
        return Ok(());
    }
    let expected = "digitalSignature or nonRepudiation: the key signs, and does nothing else";
    Err(Field::KeyUsage.is_not(expected, "RFC 5280 section 4.2.1.3"))
}

impl Der for ExtensionRequest {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        // A BIT STRING of named bits ends with its last set bit (X.690 section 11.2.2). The two usages
        // are its first two bits: digitalSignature 0x80, nonRepudiation 0x40.
        let has = |usage| self.0.has(usage);
        let bits: [u8; 2] = match (
            has(KeyUsage::DigitalSignature),
            has(KeyUsage::NonRepudiation),
        ) {
            (false, false) => return Ok(()),
            (true, false) => [7, 0x80],
            (false, true) => [6, 0x40],
            (true, true) => [6, 0xc0],
        };
        let value = Element(OCTET_STRING, Element(BIT_STRING, &bits[..]));
        let extension = Element(SEQUENCE, (KEY_USAGE, CRITICAL, value));
        let values = Element(SET, Element(SEQUENCE, extension));
        Element(SEQUENCE, (EXTENSION_REQUEST, values)).write(sink)
    }
}

#[cfg(test)]
mod tests;
