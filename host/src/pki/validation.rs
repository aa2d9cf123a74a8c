//! How a CA made sure who runs a server, as the server's certificate says by its policies.

use core::fmt;

use der::asn1::ObjectIdentifier;
use privyseal_core::cert::CertificateError;

use super::path::certificate_policies;

/// The reserved policies of the CA/Browser Forum (Baseline Requirements section 7.1.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityValidation {
    /// That somebody controls the name, and no more.
    Domain,
    /// Which person it is.
    Individual,
    /// Which organization it is.
    Organization,
    /// Which organization it is, by the rules for extended validation.
    Extended,
}

impl IdentityValidation {
    const ALL: [Self; 4] = [
        Self::Extended,
        Self::Organization,
        Self::Individual,
        Self::Domain,
    ];

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

impl fmt::Display for IdentityValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domain => "domain validation (DV)",
            Self::Individual => "individual validation (IV)",
            Self::Organization => "organization validation (OV)",
            Self::Extended => "extended validation (EV)",
        })
    }
}
