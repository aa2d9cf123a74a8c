//! Certificates from files, as owned DER: what the core then orders, reads and proves in place.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use privyseal_core::cert::{Chain, ChainError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::Error;

/// The largest file that is read: far more than any chain or bundle of roots, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// DER certificates in the order in which they were given. Nothing is known about them yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates(Vec<Vec<u8>>);

impl Certificates {
    /// Reads a file with one or more PEM certificates (text between them is ignored, as OpenSSL does;
    /// a private key is refused) or with one DER certificate.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let content = read_file(path, MAX_FILE)?;
        Self::from_bytes(&content).map_err(|reason| Error::FileContent {
            path: path.to_owned(),
            reason: reason.into(),
        })
    }

    /// Reads what [`Certificates::from_file`] reads; the error is a clause about the file.
    pub fn from_bytes(content: &[u8]) -> Result<Self, &'static str> {
        // A DER certificate is a SEQUENCE; PEM is text.
        if content.first() == Some(&0x30) {
            return Ok(Self(vec![content.to_vec()]));
        }
        if contains(content, b"PRIVATE KEY-----") {
            return Err(
                "holds a private key; a key belongs into its hardware, not beside its chain",
            );
        }
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(content)
            .map(|certificate| certificate.map(|der| der.to_vec()))
            .collect::<Result<_, _>>()
            .map_err(|_| "has a PEM certificate that is cut off or is not base64 (RFC 7468)")?;
        if certificates.is_empty() {
            return Err("holds no certificate, neither DER nor PEM (RFC 7468)");
        }
        Ok(Self(certificates))
    }

    /// Puts them in order, leaf first. Proves nothing yet.
    pub fn chain(&self) -> Result<Chain<'_>, ChainError> {
        Chain::order(&self.iter().collect::<Vec<_>>())
    }

    /// The certificates, as given.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

impl From<Vec<Vec<u8>>> for Certificates {
    fn from(certificates: Vec<Vec<u8>>) -> Self {
        Self(certificates)
    }
}

/// Reads a whole file of at most `max` bytes.
pub(crate) fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut content = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(max.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(failed)?;
    if u64::try_from(content.len()).is_ok_and(|len| len > max) {
        let reason = format!("is larger than {max} bytes, so it is something else");
        return Err(Error::FileContent {
            path: path.to_owned(),
            reason,
        });
    }
    Ok(content)
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    content.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

    #[test]
    fn pem_with_text_around_it_and_der() {
        let two = format!("subject=x\r\n{PEM}issuer=y\n{PEM}");
        let certificates = Certificates::from_bytes(two.as_bytes()).unwrap();
        assert_eq!(
            certificates.iter().collect::<Vec<_>>(),
            [[0x30, 0], [0x30, 0]]
        );
        let one = Certificates::from_bytes(&[0x30, 0]).unwrap();
        assert_eq!(one.iter().collect::<Vec<_>>(), [[0x30, 0]]);
    }

    #[test]
    fn what_is_no_chain_says_why() {
        for (content, reason) in [
            ("", "no certificate"),
            ("hello", "no certificate"),
            ("-----BEGIN CERTIFICATE-----\nMAA=\n", "cut off"),
            (
                "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
                "not base64",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
                "private key",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
                "private key",
            ),
        ] {
            let error = Certificates::from_bytes(content.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{content:?}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Certificates::from_file(Path::new("/nowhere/chain.pem")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/chain.pem"), "{error}");
        assert_eq!(error.exit(), crate::exit::Exit::Usage);
    }
}
