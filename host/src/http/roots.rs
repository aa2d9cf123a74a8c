//! Whom to trust when a server shows its certificate.

use std::path::Path;
use std::sync::Arc;

use ureq::tls::{Certificate, RootCerts};

use crate::pki::PkiError;
use crate::pki::certificates::Certificates;

/// The roots that may vouch for a server.
///
/// The default is the machine's, or nobody where the feature `platform-verifier` is off.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Roots {
    /// Those of this machine (on Linux also `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    #[cfg(feature = "platform-verifier")]
    Platform,
    /// These, and none of the machine's: what curl's `--cacert` means.
    Only(Certificates),
}

impl Default for Roots {
    fn default() -> Self {
        #[cfg(feature = "platform-verifier")]
        return Self::Platform;
        #[cfg(not(feature = "platform-verifier"))]
        Self::Only(Vec::new().into())
    }
}

impl Roots {
    /// The certificates of a PEM or DER file, instead of the machine's.
    ///
    /// # Errors
    ///
    /// As [`Certificates::from_file`].
    pub fn from_file(path: &Path) -> Result<Self, PkiError> {
        Certificates::from_file(path).map(Self::Only)
    }

    pub(super) fn to_ureq(&self) -> RootCerts {
        match self {
            #[cfg(feature = "platform-verifier")]
            Self::Platform => RootCerts::PlatformVerifier,
            Self::Only(certificates) => RootCerts::Specific(Arc::new(
                certificates
                    .iter()
                    .map(|der| Certificate::from_der(der).to_owned())
                    .collect(),
            )),
        }
    }
}
