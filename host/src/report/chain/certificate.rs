//! What one certificate says, in words.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_core::UnixTime;
use privyseal_core::cert::Certificate;
use privyseal_core::encoding::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::base::display::sanitize_for_display;
use crate::pki::path::display_name;
use crate::pki::signature::key_name;
use crate::report::as_text;

/// One certificate of a chain, for people and for JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateReport {
    /// Whom it is for: the names that tell certificates apart.
    pub subject: String,
    /// Who issued it, in the same form.
    pub issuer: String,
    /// The subject's organizationIdentifier (2.5.4.97).
    pub organization_identifier: Option<String>,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// The first second of its validity.
    #[serde(serialize_with = "as_text")]
    pub not_before: UnixTime,
    /// The last second of its validity.
    #[serde(serialize_with = "as_text")]
    pub not_after: UnixTime,
    /// `RSA-2048`, `ECDSA P-384`, or what is wrong with the key.
    pub key: String,
    /// Names of the key usages; `None` where the extension is absent.
    pub key_usages: Option<Vec<&'static str>>,
    /// Identifiers of the extended key usages.
    pub extended_key_usages: Vec<String>,
    /// Whether it is a CA's.
    #[serde(rename = "ca")]
    pub is_ca: bool,
    /// How many CAs may stand below it, where it says so.
    pub path_len: Option<u8>,
    /// The signature algorithm's identifier.
    pub signature_algorithm: String,
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
        let subject = certificate.subject();
        let digest = Sha256::digest(certificate.as_der());
        Self {
            subject: display_name(subject),
            issuer: display_name(certificate.issuer()),
            organization_identifier: subject.organization_identifier().map(printable),
            serial: hex(certificate.serial()).collect(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            key: key(certificate),
            key_usages: certificate.key_usages().map(super::usage_names),
            extended_key_usages: certificate
                .extended_key_usages()
                .map(|purpose| purpose.to_string())
                .collect(),
            is_ca: certificate.is_ca(),
            path_len: certificate
                .basic_constraints()
                .and_then(|constraints| constraints.path_len),
            signature_algorithm: certificate
                .signature_algorithm()
                .map_or_else(|| "malformed".to_owned(), |algorithm| algorithm.to_string()),
            x5t_s256: Base64UrlUnpadded::encode_string(&digest),
            x5t_s256_hex: hex(&digest).collect(),
        }
    }
}

fn key(certificate: &Certificate<'_>) -> String {
    match (certificate.rsa_key(), key_name(certificate.spki())) {
        (Ok(key), _) => format!("RSA-{}", key.bits()),
        (Err(_), Some(name)) => name,
        (Err(error), None) => error.to_string(),
    }
}

/// The writer of a certificate does not write on terminals.
fn printable(text: &str) -> String {
    sanitize_for_display(text, None)
}

impl fmt::Display for CertificateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  subject    {}", self.subject)?;
        writeln!(f, "  issuer     {}", self.issuer)?;
        writeln!(f, "  serial     {}", self.serial)?;
        writeln!(f, "  valid      {} to {}", self.not_before, self.not_after)?;
        write!(f, "  key        {}", self.key)?;
        match &self.key_usages {
            Some(usages) => writeln!(f, ", usage {}", usages.join(", "))?,
            None => writeln!(f, ", usage not restricted")?,
        }
        if !self.extended_key_usages.is_empty() {
            writeln!(f, "  purposes   {}", self.extended_key_usages.join(", "))?;
        }
        if self.is_ca {
            match self.path_len {
                Some(limit) => writeln!(f, "  CA         at most {limit} CAs below it")?,
                None => writeln!(f, "  CA         yes")?,
            }
        }
        writeln!(f, "  x5t#S256   {}", self.x5t_s256)?;
        writeln!(f, "  as hex     {}", self.x5t_s256_hex)
    }
}
