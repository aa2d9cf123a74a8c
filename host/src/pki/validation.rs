//! How a CA made sure who runs a server, as the server's certificate says by its policies.

use der::asn1::ObjectIdentifier;
use privyseal_core::cert::CertificateError;
use privyseal_core::named;

use super::path::certificate_policies;

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
    /// What the certificate (DER) says; `None` if it has none of these policies.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] for a certificate that cannot be read.
    pub fn of(certificate: &[u8]) -> Result<Option<Self>, CertificateError> {
        let policies = certificate_policies(certificate)?;
        let mut all = Self::ALL.into_iter();
        Ok(all.find(|level| policies.contains(&level.policy())))
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
