//! Which certificate, and when its end is near.

use clap::Args;
use privyseal_core::encoding::unhex;

use crate::error::CliError;

/// For a command that has another certificate to name.
pub(crate) const OWN_CERTIFICATE: &str = "own-certificate";

/// Which of several certificates for a key.
#[derive(Args)]
pub(crate) struct CertificateOptions {
    /// The leaf, of several certificates for the key, by its SHA-256 as privyseal keys and openssl print it; by default
    /// the one that is valid now, fits the scheme and has a path to a root
    #[arg(id = OWN_CERTIFICATE, long = "certificate", value_name = "SHA256")]
    certificate: Option<String>,
}

/// When the end of a certificate is near.
#[derive(Args)]
pub(crate) struct WarnOptions {
    /// Warn so many days before a certificate ends
    #[arg(long, value_name = "DAYS", default_value_t = privyseal::report::WARN_DAYS)]
    pub(crate) warn_days: u32,
}

impl CertificateOptions {
    pub(crate) fn sha256(&self) -> Result<Option<[u8; 32]>, CliError> {
        let digest = |text: &String| {
            let text = text.replace(':', "").to_ascii_lowercase();
            unhex(&text).ok_or_else(|| {
                CliError::option(
                    "--certificate",
                    "is not 64 hexadecimal digits (SHA-256 of its DER)",
                )
            })
        };
        self.certificate.as_ref().map(digest).transpose()
    }
}
