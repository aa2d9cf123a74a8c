//! How a CA made sure who runs a server, as the server's certificate says by its policies.

use der::Decode as _;
use der::asn1::ObjectIdentifier;
use der::oid::db::rfc4519::ORGANIZATION_NAME;
use privyseal_core::cert::CertificateError;
use privyseal_core::named;
use x509_cert::name::Name;

use super::path::{PathCertificate, attribute};

named! {
    /// The reserved policies of the CA/Browser Forum (Baseline Requirements section 7.1.6.1).
    #[non_exhaustive]
    pub enum IdentityValidation {
        /// Which organization it is, by the rules for extended validation.
        Extended = "extended validation (EV)",
        /// Which organization it is.
        Organization = "organization validation (OV)",
        /// Which person it is.
        Individual = "individual validation (IV)",
        /// That somebody controls the name, and no more.
        Domain = "domain validation (DV)",
    }
}

impl IdentityValidation {
    /// What the certificate (DER) says; `None` if it has none of these policies. One that names an organization counts where
    /// the subject has an `O` (Baseline Requirements section 7.1.2.7.4).
    ///
    /// # Errors
    ///
    /// [`CertificateError`] for a certificate that cannot be read.
    pub fn of(certificate: &[u8]) -> Result<Option<Self>, CertificateError> {
        let certificate = PathCertificate::from_der(certificate)?;
        let subject = Name::from_der(certificate.subject().as_der());
        let has_name = subject.is_ok_and(|it| attribute(&it, ORGANIZATION_NAME).is_some());
        let policies = certificate.extensions.policies.unwrap_or_default();
        let mut all = Self::ALL.into_iter();
        let may = |level: Self| has_name || !level.names_organization();
        Ok(all.find(|level| policies.contains(&level.policy()) && may(*level)))
    }

    /// Whether it says which organization runs the server.
    pub const fn names_organization(self) -> bool {
        matches!(self, Self::Organization | Self::Extended)
    }

    const fn policy(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Extended => "2.23.140.1.1",
            Self::Domain => "2.23.140.1.2.1",
            Self::Organization => "2.23.140.1.2.2",
            Self::Individual => "2.23.140.1.2.3",
        })
    }
}
