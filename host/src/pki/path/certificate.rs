//! A certificate with everything in it that path validation asks for.

use core::ops::Deref;

use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid;
use der::oid::db::rfc5280::{ID_AD_CA_ISSUERS, ID_AD_OCSP};
use der::{Decode as _, Tagged as _};
use privyseal_core::UnixTime;
use privyseal_core::cert::{Certificate, CertificateError};
use x509_cert::certificate::TbsCertificateInner;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
    CrlDistributionPoints, ExtendedKeyUsage, FreshestCrl, InhibitAnyPolicy, KeyUsage,
    NameConstraints, PolicyConstraints, PolicyMappings, SubjectAltName, SubjectKeyIdentifier,
};

use super::name::{NormalName, emails, text};

/// id-qt-cps (RFC 5280 section 4.2.1.4).
const STATEMENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.1");

/// The qualifiers of a policy that are understood: a URI of the practice statement, and a notice for people.
const QUALIFIERS: [ObjectIdentifier; 2] =
    [STATEMENT, ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.2")];

/// A certificate, read strictly and whole. Nothing is proved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathCertificate<'a> {
    certificate: Certificate<'a>,
    pub(crate) subject: NormalName,
    pub(crate) issuer: NormalName,
    /// The mail addresses in the subject.
    pub(crate) emails: Vec<String>,
    pub(crate) extensions: Extensions,
}

/// The extensions, those of a path and those by which issuers and lists are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(crate) names: Vec<GeneralName>,
    pub(crate) name_constraints: Option<NameConstraints>,
    pub(crate) policies: Option<Vec<ObjectIdentifier>>,
    pub(crate) policy_mappings: Vec<(ObjectIdentifier, ObjectIdentifier)>,
    pub(crate) policy_constraints: Option<PolicyConstraints>,
    pub(crate) inhibit_any_policy: Option<u32>,
    pub(crate) distribution_points: Vec<DistributionPoint>,
    pub(crate) ocsp_urls: Vec<String>,
    /// Where the certificates of its issuer are.
    pub(crate) issuer_urls: Vec<String>,
    /// Where practice statements are, of all policies.
    pub(crate) statement_urls: Vec<String>,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    pub(crate) purposes: Option<Vec<ObjectIdentifier>>,
    /// A critical extension that is not processed.
    pub(crate) unrecognised: bool,
}

impl<'a> PathCertificate<'a> {
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_der(der)?;
        let tbs =
            TbsCertificateInner::<x509_cert::certificate::Rfc5280>::from_der(certificate.tbs())?;
        let malformed = CertificateError::Malformed { offset: None };
        // Only version 3 has extensions, and they are none or many, but not an empty list (section 4.1.2.9).
        let given = tbs.extensions();
        if given.is_some_and(|given| {
            given.is_empty() || tbs.version() != x509_cert::certificate::Version::V3
        }) {
            return Err(malformed);
        }
        let mut extensions = Extensions::default();
        let given = given.map(Vec::as_slice).unwrap_or_default();
        for (position, extension) in given.iter().enumerate() {
            let mut before = given.iter().take(position);
            if before.any(|other| other.extn_id == extension.extn_id) {
                return Err(CertificateError::DuplicateExtension);
            }
            extensions.read(extension)?;
        }
        Ok(Self {
            certificate,
            subject: NormalName::new(tbs.subject()),
            issuer: NormalName::new(tbs.issuer()),
            emails: emails(tbs.subject()),
            extensions,
        })
    }

    /// Whether issuer and subject are the same name.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether the key identifiers, where both are there, speak for `issuer`.
    pub(crate) fn names_key_of(&self, issuer: &Self) -> bool {
        let wanted = self.extensions.authority_key_id.as_ref();
        let found = issuer.extensions.subject_key_id.as_ref();
        wanted.is_none() || found.is_none() || wanted == found
    }
}

impl PathCertificate<'_> {
    pub(crate) fn is_valid_at(&self, now: UnixTime) -> bool {
        (self.not_before()..=self.not_after()).contains(&now)
    }
}

impl<'a> Deref for PathCertificate<'a> {
    type Target = Certificate<'a>;

    fn deref(&self) -> &Certificate<'a> {
        &self.certificate
    }
}

impl Extensions {
    pub(crate) fn read(&mut self, extension: &Extension) -> Result<(), der::Error> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            // Read by the core.
            KeyUsage::OID | BasicConstraints::OID => {}
            ExtendedKeyUsage::OID => self.purposes = Some(ExtendedKeyUsage::from_der(value)?.0),
            SubjectAltName::OID => self.names = SubjectAltName::from_der(value)?.0,
            NameConstraints::OID => self.name_constraints = Some(NameConstraints::from_der(value)?),
            CertificatePolicies::OID => {
                let policies = CertificatePolicies::from_der(value)?.0;
                let qualifiers = policies
                    .iter()
                    .flat_map(|it| it.policy_qualifiers.iter().flatten());
                for it in qualifiers {
                    let is_known = QUALIFIERS.contains(&it.policy_qualifier_id);
                    self.unrecognised |= extension.critical && !is_known;
                    let value = it
                        .qualifier
                        .as_ref()
                        .filter(|_| it.policy_qualifier_id == STATEMENT);
                    let url = value.and_then(|value| text(value.tag(), value.value()));
                    self.statement_urls.extend(url);
                }
                self.policies = Some(policies.iter().map(|it| it.policy_identifier).collect());
            }
            PolicyMappings::OID => {
                let mappings = PolicyMappings::from_der(value)?.0.into_iter();
                let pair = |it: x509_cert::ext::pkix::PolicyMapping| {
                    (it.issuer_domain_policy, it.subject_domain_policy)
                };
                self.policy_mappings = mappings.map(pair).collect();
            }
            PolicyConstraints::OID => {
                self.policy_constraints = Some(PolicyConstraints::from_der(value)?);
            }
            InhibitAnyPolicy::OID => {
                self.inhibit_any_policy = Some(InhibitAnyPolicy::from_der(value)?.0);
            }
            CrlDistributionPoints::OID => {
                self.distribution_points = CrlDistributionPoints::from_der(value)?.0;
            }
            SubjectKeyIdentifier::OID => {
                let id = SubjectKeyIdentifier::from_der(value)?.0;
                self.subject_key_id = Some(id.as_bytes().to_vec());
            }
            AuthorityKeyIdentifier::OID => {
                let id = AuthorityKeyIdentifier::from_der(value)?.key_identifier;
                self.authority_key_id = id.map(|id| id.as_bytes().to_vec());
            }
            AuthorityInfoAccessSyntax::OID => {
                let ways = AuthorityInfoAccessSyntax::from_der(value)?.0;
                let of = |method| {
                    let ways = ways.iter().filter(move |way| way.access_method == method);
                    ways.filter_map(|way| url(&way.access_location)).collect()
                };
                self.ocsp_urls = of(ID_AD_OCSP);
                self.issuer_urls = of(ID_AD_CA_ISSUERS);
            }
            // Where a newer list may be found: lists are found by what they are about.
            FreshestCrl::OID => {}
            _ => self.unrecognised |= extension.critical,
        }
        Ok(())
    }

    /// Where lists about it are published over HTTP, as the certificate says.
    pub(crate) fn list_urls(&self) -> impl Iterator<Item = String> {
        use x509_cert::ext::pkix::name::DistributionPointName::FullName;
        let points = self.distribution_points.iter();
        let names = points.filter_map(|point| match &point.distribution_point {
            Some(FullName(names)) => Some(names),
            _ => None,
        });
        names.flatten().filter_map(url)
    }
}

fn url(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
        _ => None,
    }
}
