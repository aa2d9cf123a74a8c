//! What a certificate says, and what a certification request asks for: one decoder, and one list for every form of report.

use core::net::IpAddr;

use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid as _;
use der::{Decode as _, Encode as _, Tagged as _};
use privyseal_core::cert::{BasicConstraints, KeyUsage, KeyUsages};
use privyseal_core::encoding::hex;
use serde::Serialize;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use crate::base::display::{escape_for_display, sanitize_for_display};
use crate::pki::path::{self, shown_name};
use crate::pki::signature::{key_name, oid_name};

/// organizationIdentifier (X.520).
pub(super) const ORGANIZATION_IDENTIFIER: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.5.4.97");

/// The extensions that are decoded here.
const DECODED: [ObjectIdentifier; 7] = [
    pkix::KeyUsage::OID,
    pkix::ExtendedKeyUsage::OID,
    pkix::SubjectAltName::OID,
    pkix::BasicConstraints::OID,
    pkix::CertificatePolicies::OID,
    pkix::AuthorityInfoAccessSyntax::OID,
    pkix::CrlDistributionPoints::OID,
];

/// The subject, the key and the extensions of a certificate or of a certification request. Identifiers are dotted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateContent {
    /// Whom it is for: all attributes of the name, as RFC 4514 writes them.
    pub subject: String,
    /// The subject's organizationIdentifier (2.5.4.97).
    pub organization_identifier: Option<String>,
    /// `RSA-2048`, `ECDSA P-384`, or the algorithm's name.
    pub key: String,
    /// Names of the key usages; `None` where the extension is absent.
    pub key_usages: Option<Vec<&'static str>>,
    /// Identifiers of the extended key usages.
    pub extended_key_usages: Vec<String>,
    /// The other names of the subject, each with its kind.
    pub alternative_names: Vec<String>,
    /// Whether it is a CA's.
    #[serde(rename = "ca")]
    pub is_ca: bool,
    /// How many CAs may stand below it, where it says so.
    pub path_len: Option<u8>,
    /// Identifiers of the certificate policies.
    pub policies: Vec<String>,
    /// Where the practice statements of the policies are.
    pub practice_statements: Vec<String>,
    /// The OCSP responders.
    pub ocsp: Vec<String>,
    /// Where the issuer's certificates are.
    pub ca_issuers: Vec<String>,
    /// Where the revocation lists are.
    pub crl_distribution_points: Vec<String>,
    /// Identifiers of the extensions that are not decoded here.
    pub other_extensions: Vec<String>,
    /// Identifiers of the extensions that cannot be decoded.
    pub malformed_extensions: Vec<String>,
    /// The signature algorithm's identifier.
    pub signature_algorithm: String,
}

impl CertificateContent {
    /// Of a name, a SubjectPublicKeyInfo (both DER), the algorithm of the signature, and extensions.
    pub(super) fn new(
        subject: &[u8],
        spki: &[u8],
        algorithm: Option<ObjectIdentifier>,
        extensions: &[Extension],
    ) -> Self {
        let name = Name::from_der(subject).ok();
        let organization = name
            .as_ref()
            .and_then(|name| path::attribute(name, ORGANIZATION_IDENTIFIER));
        let mut content = Self {
            subject: name.map_or_else(|| "(a malformed name)".to_owned(), |it| shown_name(&it)),
            organization_identifier: organization.map(|it| sanitize_for_display(&it, None)),
            key: key_name(spki),
            signature_algorithm: algorithm
                .map_or_else(|| "malformed".to_owned(), |it| it.to_string()),
            ..Self::default()
        };
        let mut read = path::Extensions::default();
        for extension in extensions {
            let id = extension.extn_id.to_string();
            if content.read(extension).is_none() || read.read(extension).is_err() {
                content.malformed_extensions.push(id);
            } else if !DECODED.contains(&extension.extn_id) {
                content.other_extensions.push(id);
            }
        }
        let dotted = |ids: Option<Vec<ObjectIdentifier>>| {
            ids.into_iter().flatten().map(|id| id.to_string()).collect()
        };
        let safe = |urls: Vec<String>| urls.iter().map(|url| escape_for_display(url)).collect();
        content.crl_distribution_points = safe(read.list_urls().collect());
        content.alternative_names = read.names.iter().map(general_name).collect();
        content.extended_key_usages = dotted(read.purposes);
        content.policies = dotted(read.policies);
        content.practice_statements = safe(read.statement_urls);
        content.ocsp = safe(read.ocsp_urls);
        content.ca_issuers = safe(read.issuer_urls);
        content
    }

    /// Reads what the core reads of certificates.
    fn read(&mut self, extension: &Extension) -> Option<()> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            pkix::KeyUsage::OID => {
                let usages = KeyUsages::from_der(value).ok()?;
                self.key_usages = Some(usages.iter().map(KeyUsage::name).collect());
            }
            pkix::BasicConstraints::OID => {
                let constraints = BasicConstraints::from_der(value).ok()?;
                (self.is_ca, self.path_len) = (constraints.ca, constraints.path_len);
            }
            _ => {}
        }
        Some(())
    }

    /// Names with values, for people. `any_usage` is said where there is no key usage.
    pub(super) fn facts(&self, any_usage: &str) -> Vec<(&'static str, String)> {
        let usages = self.key_usages.as_ref();
        let usages = usages.map_or_else(|| any_usage.to_owned(), |usages| usages.join(", "));
        let ca = match self.path_len {
            _ if !self.is_ca => String::new(),
            Some(limit) => format!("at most {limit} CAs below it"),
            None => "yes".to_owned(),
        };
        let named = |ids: &[String]| {
            ids.iter()
                .map(|id| named(id))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let facts = [
            ("Subject", self.subject.clone()),
            (
                "organizationIdentifier",
                self.organization_identifier.clone().unwrap_or_default(),
            ),
            ("Key", self.key.clone()),
            ("Key usage", usages),
            ("Extended key usage", named(&self.extended_key_usages)),
            ("Alternative names", self.alternative_names.join(", ")),
            ("CA", ca),
            ("Policies", named(&self.policies)),
            ("Practice statement", self.practice_statements.join(", ")),
            ("OCSP", self.ocsp.join(", ")),
            ("CA certificates", self.ca_issuers.join(", ")),
            ("CRL", self.crl_distribution_points.join(", ")),
            ("Other extensions", named(&self.other_extensions)),
            ("Malformed extensions", named(&self.malformed_extensions)),
            (
                "Signature algorithm",
                named(core::slice::from_ref(&self.signature_algorithm)),
            ),
        ];
        facts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

/// The name of a dotted identifier, where it has one, and the identifier.
fn named(id: &str) -> String {
    /// Of ETSI EN 319 411-1 section 5.3 and EN 319 411-2 section 5.3, which no registry of IANA has.
    const POLICIES: [(&str, &str); 9] = [
        ("0.4.0.2042.1.1", "NCP"),
        ("0.4.0.2042.1.2", "NCP+"),
        ("0.4.0.2042.1.3", "LCP"),
        ("0.4.0.194112.1.0", "QCP-n"),
        ("0.4.0.194112.1.1", "QCP-l"),
        ("0.4.0.194112.1.2", "QCP-n-qscd"),
        ("0.4.0.194112.1.3", "QCP-l-qscd"),
        ("0.4.0.194112.1.4", "QEVCP-w"),
        ("2.5.29.32.0", "anyPolicy"),
    ];
    match POLICIES.iter().find(|(policy, _)| *policy == id) {
        Some((_, name)) => format!("{name} ({id})"),
        None => ObjectIdentifier::new(id).map_or_else(|_| id.to_owned(), oid_name),
    }
}

/// With the words of OpenSSL for the kinds.
fn general_name(name: &GeneralName) -> String {
    use GeneralName as G;
    let (kind, text) = match name {
        G::DnsName(name) => ("DNS", name.as_str().to_owned()),
        G::Rfc822Name(name) => ("email", name.as_str().to_owned()),
        G::UniformResourceIdentifier(name) => ("URI", name.as_str().to_owned()),
        G::IpAddress(bytes) => ("IP", ip_address(bytes.as_bytes())),
        G::DirectoryName(name) => return format!("DirName:{}", shown_name(name)),
        G::RegisteredId(id) => ("Registered ID", oid_name(*id)),
        G::EdiPartyName(_) => ("EdiPartyName", "not decoded".to_owned()),
        G::OtherName(other) => {
            let text = path::text(other.value.tag(), other.value.value());
            let text =
                text.unwrap_or_else(|| hexadecimal(&other.value.to_der().unwrap_or_default()));
            let kind = oid_name(other.type_id);
            return format!("othername:{kind}:{}", escape_for_display(&text));
        }
    };
    format!("{kind}:{}", escape_for_display(&text))
}

fn ip_address(bytes: &[u8]) -> String {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.map_or_else(|_| hexadecimal(bytes), |address| address.to_string())
}

fn hexadecimal(bytes: &[u8]) -> String {
    hex(bytes).collect()
}
