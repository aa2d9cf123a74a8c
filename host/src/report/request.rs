//! What a certification request asks for.

use core::str::FromStr as _;

use der::asn1::{Any, ObjectIdentifier};
use der::oid::db::rfc5912::ID_EXTENSION_REQ;
use der::{Decode as _, Encode as _, Tag, TagNumber};
use privyseal_core::SchemeRules;
use privyseal_core::cert::{Chain, ChainError, LinkError};
use privyseal_core::scheme::KeyReference;
use serde::Serialize;
use serde_json::{Value, json};
use x509_cert::ext::Extensions;
use x509_cert::name::Name;
use x509_cert::request::CertReq;

use super::chain::source_of;
use super::content::CertificateContent;
use super::html::HtmlReport;
use super::{Report, Verdict};
use crate::pki::links::HostLinks;
use crate::pki::pem::{self, PemError};
use crate::pki::signature::{Signed, oid_name};

const AS_ASKED: &str = "as it is asked for, ";

/// As Microsoft's software asked for extensions before RFC 2985.
const MS_EXTENSIONS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.14");

/// A PKCS #10 certification request (RFC 2986), read and judged by itself: what a CA will say to it, only the CA knows.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RequestReport {
    /// What is asked for.
    #[serde(flatten)]
    pub content: CertificateContent,
    /// Each rule and how it came out.
    #[serde(rename = "findings")]
    pub report: Report,
    #[serde(skip)]
    scheme: Option<&'static SchemeRules>,
}

impl RequestReport {
    /// Reads one request, PEM or DER, and judges it by RFC 2986 and by what `scheme` demands of leaf certificates; `None` if
    /// it is something else.
    ///
    /// # Errors
    ///
    /// [`PemError`] if it is PEM that cannot be read.
    pub fn read(
        content: &[u8],
        scheme: Option<&'static SchemeRules>,
    ) -> Result<Option<Self>, PemError> {
        let blocks = pem::blocks(content)?;
        Ok(match &blocks[..] {
            [block] if block.label.ends_with("CERTIFICATE REQUEST") => {
                Self::from_der(&block.der, scheme)
            }
            [] => Self::from_der(content, scheme),
            _ => None,
        })
    }

    fn from_der(der: &[u8], scheme: Option<&'static SchemeRules>) -> Option<Self> {
        let request = CertReq::from_der(der).ok()?;
        let spki = request.info.public_key.to_der().ok()?;
        let extensions = extensions(&request);
        let content = CertificateContent::new(
            &request.info.subject.to_der().ok()?,
            &spki,
            Some(request.algorithm.oid),
            &extensions,
        );
        let mut report = Report::default();
        let verified = Signed::read(der)?.verify(&spki);
        report.signature(verified, &content.key, request.algorithm.oid);
        for id in &content.malformed_extensions {
            let text = format!("the extension {id} that is asked for is malformed");
            report.add_by(Verdict::Broken, "RFC 5280 section 4.2", text);
        }
        match Chain::in_order(&[&as_asked(&request, &extensions).ok()?]) {
            Ok(chain) => report.asked(&chain, scheme),
            Err(_) if !content.malformed_extensions.is_empty() => {}
            Err(error) => {
                let text = format!("{AS_ASKED}{}", of_leaf(&error));
                report.add_by(Verdict::Broken, "RFC 5280 section 4.1", text);
            }
        }
        Some(Self {
            content,
            report,
            scheme,
        })
    }

    fn verdict(&self) -> Verdict {
        let mut findings = self.report.findings().iter();
        match self.report.broken() {
            0 if findings.any(|it| it.verdict == Verdict::NotChecked) => Verdict::NotChecked,
            0 => Verdict::Passed,
            _ => Verdict::Broken,
        }
    }

    /// How it came out, in one line.
    pub fn headline(&self) -> String {
        match self.verdict() {
            Verdict::Broken => {
                format!("a certification request: {}", self.report.broken_in_words())
            }
            Verdict::NotChecked => {
                "a certification request, whose signature is not verified here".to_owned()
            }
            _ => "a certification request for a key that can sign assertions".to_owned(),
        }
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Value {
        let mut json = json!(self);
        json["scheme"] = json!(self.scheme.map(SchemeRules::name));
        json
    }

    /// The report for people who open a file.
    pub fn to_html(&self) -> HtmlReport {
        let mut html = HtmlReport::new("Certification request", self.verdict(), &self.headline());
        let rules = self.scheme.map_or("RFC 2986 alone", SchemeRules::title);
        let asked = self.content.facts("none asked for: the CA decides");
        html.facts(core::iter::once(("Rules", rules.to_owned())).chain(asked));
        html.findings("Findings", &self.report);
        html
    }
}

impl Report {
    fn signature(
        &mut self,
        verified: Result<(), LinkError>,
        key: &str,
        algorithm: ObjectIdentifier,
    ) {
        let (verdict, text) = match verified {
            Ok(()) => (
                Verdict::Passed,
                "the request is signed by the key that it is for".to_owned(),
            ),
            Err(LinkError::BadSignature) => (
                Verdict::Broken,
                "the request is not signed by the key that it is for".to_owned(),
            ),
            Err(_) => {
                let algorithm = oid_name(algorithm);
                let text = format!("the signature is not verified here: {algorithm} with {key}");
                (Verdict::NotChecked, text)
            }
        };
        self.add_by(verdict, "RFC 2986 section 4.2", text);
    }

    /// What the certificate would be, if the CA gives what is asked for: the same rules as for the leaf of a chain.
    fn asked(&mut self, chain: &Chain<'_>, scheme: Option<&'static SchemeRules>) {
        if let Err(error) = chain.prove_at(0, &HostLinks) {
            let text = format!("{AS_ASKED}{}", of_leaf(&error));
            self.add_by(Verdict::Broken, source_of(&error), text);
        }
        let by_kid = |scheme: &&SchemeRules| scheme.key_reference().value() == KeyReference::Kid;
        if let Some(scheme) = scheme.filter(by_kid) {
            let (reference, title) = (scheme.key_reference(), scheme.title());
            let text = format!("{title} knows the key itself, and needs no certificate");
            self.add_by(Verdict::Note, reference.source(), text);
        }
        if let Some(leaf) = chain.leaf() {
            self.leaf(leaf, None, scheme.filter(|it| !by_kid(it)), AS_ASKED);
        }
    }
}

/// An error about a chain of one.
fn of_leaf(error: &ChainError) -> String {
    error.to_string().replace("certificate 0", "the leaf")
}

/// The certificate that a CA would make of it, DER, without a signature that anyone could verify.
fn as_asked(request: &CertReq, extensions: &Extensions) -> Result<Vec<u8>, der::Error> {
    const VALIDITY: &[u8] = b"\x17\x0d260101000000Z\x17\x0d270101000000Z";
    let of = |tag, parts: &[&[u8]]| Any::new(tag, parts.concat())?.to_der();
    let explicit = |number, der: &[u8]| {
        let (constructed, number) = (true, TagNumber(number));
        of(
            Tag::ContextSpecific {
                constructed,
                number,
            },
            &[der],
        )
    };
    let algorithm = request.algorithm.to_der()?;
    let issuer = Name::from_str("CN=the CA that is asked")?.to_der()?;
    let extensions = if extensions.is_empty() {
        Vec::new()
    } else {
        explicit(3, &extensions.to_der()?)?
    };
    let tbs = [
        &explicit(0, &2_u8.to_der()?)?[..],
        &1_u8.to_der()?,
        &algorithm,
        &issuer,
        &of(Tag::Sequence, &[VALIDITY])?,
        &request.info.subject.to_der()?,
        &request.info.public_key.to_der()?,
        &extensions,
    ];
    let signature = of(Tag::BitString, &[&[0]])?;
    of(
        Tag::Sequence,
        &[&of(Tag::Sequence, &tbs)?, &algorithm, &signature],
    )
}

/// What is asked for, in either of the two attributes.
fn extensions(request: &CertReq) -> Extensions {
    let attributes = request.info.attributes.iter();
    let asked = attributes.filter(|it| [ID_EXTENSION_REQ, MS_EXTENSIONS].contains(&it.oid));
    let values = asked.flat_map(|attribute| attribute.values.iter());
    let lists = values.filter_map(|value| value.decode_as::<Extensions>().ok());
    lists.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_none() {
        for content in [&b""[..], b"\x30\x00", b"hello"] {
            assert!(RequestReport::read(content, None).unwrap().is_none());
        }
        let certificate = pem::encode("CERTIFICATE", &[0x30, 0]);
        let read = RequestReport::read(certificate.as_bytes(), None);
        assert!(read.unwrap().is_none());
        let cut = b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=";
        assert!(RequestReport::read(cut, None).is_err());
    }
}
