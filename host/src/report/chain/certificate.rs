//! What one certificate says, in words.

use std::fmt::Write as _;

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, Name};
use sha2::{Digest, Sha256};

use crate::pki::links::EcKey;

/// One certificate of a chain, for people and for JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub not_before: UnixTime,
    /// The last second of its validity.
    pub not_after: UnixTime,
    /// `RSA-2048`, `ECDSA P-384`, or what is wrong with the key.
    pub key: String,
    /// Names of the key usages; `None` where the extension is absent.
    pub key_usages: Option<Vec<&'static str>>,
    /// Identifiers of the extended key usages.
    pub extended_key_usages: Vec<String>,
    /// Whether it is a CA's.
    pub is_ca: bool,
    /// How many CAs may stand below it, where it says so.
    pub path_len: Option<u8>,
    /// The signature algorithm's identifier.
    pub signature_algorithm: String,
    /// SHA-256 of its DER.
    pub sha256: [u8; 32],
}

impl CertificateReport {
    /// Reads `certificate`.
    pub fn new(certificate: &Certificate<'_>) -> Self {
        let subject = certificate.subject();
        Self {
            subject: name(subject),
            issuer: name(certificate.issuer()),
            organization_identifier: subject.organization_identifier().map(printable),
            serial: hex(certificate.serial()),
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
            sha256: Sha256::digest(certificate.as_der()).into(),
        }
    }

    /// `x5t#S256` as RFC 7515 section 4.1.8 writes it: base64url.
    pub fn x5t_s256(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.sha256)
    }

    /// `x5t#s256` as iSHARE writes it: lower-case hexadecimal.
    pub fn x5t_s256_hex(&self) -> String {
        hex(&self.sha256)
    }
}

fn key(certificate: &Certificate<'_>) -> String {
    match (certificate.rsa_key(), EcKey::from_spki(certificate.spki())) {
        (Ok(key), _) => format!("RSA-{}", key.bits()),
        (Err(_), Some(key)) => format!("ECDSA {}", key.curve()),
        (Err(error), None) => error.to_string(),
    }
}

/// The attributes by which people tell certificates apart.
fn name(name: Name<'_>) -> String {
    let attributes = [
        ("CN", name.common_name()),
        ("organizationIdentifier", name.organization_identifier()),
        ("serialNumber", name.serial_number()),
    ];
    let shown: Vec<_> = attributes
        .into_iter()
        .filter_map(|(kind, value)| Some(format!("{kind}={}", printable(value?))))
        .collect();
    if shown.is_empty() {
        "(a name without CN)".to_owned()
    } else {
        shown.join(", ")
    }
}

/// Names come from whoever wrote the certificate: they do not write on terminals.
fn printable(text: &str) -> String {
    crate::base::display::sanitize_for_display(text, None)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
