//! What a certification request asks for.

use der::oid::db::rfc5280::ID_CE_KEY_USAGE;
use der::oid::db::rfc5912::ID_EXTENSION_REQ;
use der::{Decode as _, Encode as _};
use privyseal_core::RsaPublicKey;
use serde_json::{Value, json};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::request::CertReq;

use super::html::HtmlReport;
use super::{Report, Verdict};
use crate::base::display::sanitize_for_display;
use crate::pki::pem::{self, PemError};
use crate::pki::signature::{Signed, key_name};

/// A PKCS #10 certification request (RFC 2986), read and judged by itself: what a CA will say to it, only the CA knows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestReport {
    /// For whom a certificate is asked, as RFC 4514 writes names.
    pub subject: String,
    /// For what kind of key.
    pub key: String,
    /// The key usages that are asked for; `None` where the CA is to decide.
    pub key_usages: Option<Vec<String>>,
    /// The identifiers of the other extensions that are asked for.
    pub other_extensions: Vec<String>,
    /// Each rule and how it came out.
    pub report: Report,
}

impl RequestReport {
    /// Reads one request, PEM or DER; `None` if it is something else.
    ///
    /// # Errors
    ///
    /// [`PemError`] if it is PEM that cannot be read.
    pub fn read(content: &[u8]) -> Result<Option<Self>, PemError> {
        let blocks = pem::blocks(content)?;
        Ok(match &blocks[..] {
            [block] if block.label.ends_with("CERTIFICATE REQUEST") => Self::from_der(&block.der),
            [] => Self::from_der(content),
            _ => None,
        })
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let request = CertReq::from_der(der).ok()?;
        let spki = request.info.public_key.to_der().ok()?;
        let mut report = Report::default();
        let signature = Signed::read(der)?.verify(&spki);
        let broken = "the request is not signed by the key that it is for (RFC 2986 section 4.2)";
        report.judge(
            signature.is_ok(),
            "the request is signed by the key that it is for",
            broken,
        );
        let size = RsaPublicKey::from_spki(&spki);
        match size {
            Ok(key) => report.add(
                Verdict::Passed,
                format!("the key can sign assertions: RSA-{}", key.bits()),
            ),
            Err(error) => report.add(Verdict::Broken, format!("the key {error}")),
        }
        let (key_usages, other_extensions) = extensions(&request);
        Some(Self {
            subject: sanitize_for_display(&request.info.subject.to_string(), None),
            key: key_name(&spki).unwrap_or_else(|| "of a kind that is not known here".to_owned()),
            key_usages,
            other_extensions,
            report,
        })
    }

    /// How it came out, in one line.
    pub fn headline(&self) -> String {
        match self.report.broken() {
            0 => "a certification request for a key that can sign assertions".to_owned(),
            _ => format!("a certification request: {}", self.report.broken_in_words()),
        }
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "subject": self.subject,
            "key": self.key,
            "key_usages": self.key_usages,
            "other_extensions": self.other_extensions,
            "findings": self.report,
        })
    }

    /// The report for people who open a file.
    pub fn to_html(&self) -> HtmlReport {
        let verdict = if self.report.broken() == 0 {
            Verdict::Passed
        } else {
            Verdict::Broken
        };
        let mut html = HtmlReport::new("Certification request", verdict, &self.headline());
        let usages = self.key_usages.as_ref().map(|usages| usages.join(", "));
        let usages = usages.unwrap_or_else(|| "none asked for: the CA decides".to_owned());
        html.facts([
            ("Subject", self.subject.clone()),
            ("Key", self.key.clone()),
            ("Key usage", usages),
        ]);
        if !self.other_extensions.is_empty() {
            html.list(
                "Other extensions that are asked for",
                &self.other_extensions,
            );
        }
        html.findings("Findings", &self.report);
        html
    }
}

/// The key usages that are asked for, and the identifiers of what else is.
fn extensions(request: &CertReq) -> (Option<Vec<String>>, Vec<String>) {
    let attributes = request.info.attributes.iter();
    let asked = attributes.filter(|attribute| attribute.oid == ID_EXTENSION_REQ);
    let values = asked.flat_map(|attribute| attribute.values.iter());
    let lists = values.filter_map(|value| value.decode_as::<Extensions>().ok());
    let (mut usages, mut others) = (None, Vec::new());
    for extension in lists.flatten() {
        let usage = KeyUsage::from_der(extension.extn_value.as_bytes());
        match usage {
            Ok(usage) if extension.extn_id == ID_CE_KEY_USAGE => {
                let names = usage.0.into_iter().map(|one| format!("{one:?}"));
                usages = Some(names.collect());
            }
            _ => others.push(extension.extn_id.to_string()),
        }
    }
    (usages, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_none() {
        for content in [&b""[..], b"\x30\x00", b"hello"] {
            assert!(RequestReport::read(content).unwrap().is_none());
        }
        let certificate = pem::encode("CERTIFICATE", &[0x30, 0]);
        assert!(
            RequestReport::read(certificate.as_bytes())
                .unwrap()
                .is_none()
        );
        assert!(RequestReport::read(b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=").is_err());
    }
}
