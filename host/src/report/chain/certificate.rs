//! What one certificate says, in words.

use core::fmt;
use core::ops::Deref;

use base64ct::{Base64UrlUnpadded, Encoding};
use der::Decode as _;
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
use privyseal_core::encoding::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_cert::certificate::{Rfc5280, TbsCertificateInner};

use crate::pki::path::display_name;
use crate::report::as_text;
use crate::report::content::CertificateContent;

/// One certificate of a chain, for people and for JSON. What requests have, too, is behind `Deref`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateReport {
    /// Subject, key and extensions.
    #[serde(flatten)]
    pub content: CertificateContent,
    /// Who issued it, as the subject is written.
    pub issuer: String,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// The first second of its validity.
    #[serde(serialize_with = "as_text")]
    pub not_before: UnixTime,
    /// The last second of its validity.
    #[serde(serialize_with = "as_text")]
    pub not_after: UnixTime,
    /// SHA-256 of its DER as RFC 7515 section 4.1.8 writes it: base64url.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: String,
    /// The same as iSHARE writes it: lower-case hexadecimal.
    #[serde(rename = "x5t#s256_hex")]
    pub x5t_s256_hex: String,
}

impl CertificateReport {
    /// Reads `certificate`.
    pub fn new(certificate: &Certificate<'_>) -> Self {
        let digest = Sha256::digest(certificate.as_der());
        let tbs = TbsCertificateInner::<Rfc5280>::from_der(certificate.tbs()).ok();
        let extensions = tbs.as_ref().and_then(TbsCertificateInner::extensions);
        Self {
            content: CertificateContent::new(
                certificate.subject().as_der(),
                certificate.spki(),
                certificate.signature_algorithm(),
                extensions.map(Vec::as_slice).unwrap_or_default(),
            ),
            issuer: display_name(certificate.issuer()),
            serial: hex(certificate.serial()).collect(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            x5t_s256: Base64UrlUnpadded::encode_string(&digest),
            x5t_s256_hex: hex(&digest).collect(),
        }
    }

    /// Names with values; each moment with what `distance` says of it.
    pub(in crate::report) fn facts(
        &self,
        distance: impl Fn(UnixTime) -> String,
    ) -> Vec<(&'static str, String)> {
        let at = |moment: UnixTime| format!("{moment}{}", distance(moment));
        let mut facts = self.content.facts("not restricted");
        let issued = [
            ("Issuer", self.issuer.clone()),
            ("Serial number", self.serial.clone()),
            ("Valid from", at(self.not_before)),
            ("Valid to", at(self.not_after)),
        ];
        facts.splice(1..1, issued);
        facts.push(("x5t#S256", self.x5t_s256.clone()));
        facts.push(("SHA-256", self.x5t_s256_hex.clone()));
        facts
    }
}

impl Deref for CertificateReport {
    type Target = CertificateContent;

    fn deref(&self) -> &CertificateContent {
        &self.content
    }
}

impl fmt::Display for CertificateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts(|_| String::new());
        let mut lines = facts.iter();
        lines.try_for_each(|(name, value)| writeln!(f, "  {name:<23}{value}"))
    }
}
