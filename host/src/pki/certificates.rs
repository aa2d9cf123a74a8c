//! Certificates from files, as owned DER: what the core then orders, reads and proves in place.

use std::path::Path;

use privyseal_core::cert::{Chain, ChainError};

use super::PkiError;
use super::crl::RevocationLists;
use super::path::{Heap, PathError, PathOptions};
use super::pem::{self, PemError, Wanted};
use crate::base::file;

/// The largest file that is read: far more than any chain or bundle of roots, in bytes.
const MAX_FILE: usize = 1024 * 1024;

/// DER certificates in the order in which they were given. Nothing is known about them yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates(Vec<Vec<u8>>);

impl Certificates {
    /// Reads a file with one or more PEM certificates, with any text around them, or with one DER
    /// certificate, of 1 MiB at most.
    ///
    /// # Errors
    ///
    /// [`PkiError::File`] and [`PkiError::Content`], which name the file.
    pub fn from_file(path: &Path) -> Result<Self, PkiError> {
        let content = file::read(path, MAX_FILE)?;
        Self::from_bytes(&content).map_err(|fault| PkiError::Content {
            path: path.to_owned(),
            fault,
        })
    }

    /// Reads the content of such a file.
    ///
    /// # Errors
    ///
    /// [`PemError`] if there is none, if one of several cannot be read, or if there is anything else in PEM,
    /// such as a private key.
    pub fn from_bytes(content: &[u8]) -> Result<Self, PemError> {
        let wanted = Wanted {
            label: "CERTIFICATE",
            name: "certificate",
        };
        pem::read(content, wanted).map(Self)
    }

    /// Puts them in order, leaf first. Proves nothing yet.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if they are not certificates of one chain.
    pub fn chain(&self) -> Result<Chain<'_>, ChainError> {
        Chain::order(&self.iter().collect::<Vec<_>>())
    }

    /// The path from the first certificate to one of `trust` (RFC 5280 section 6.1), DER and leaf first, without
    /// what is trusted. The others may stand in any order, and need not belong to it. With `lists`, nobody on it is
    /// revoked.
    ///
    /// # Errors
    ///
    /// [`PathError`].
    pub fn prove(
        &self,
        trust: &Self,
        options: &PathOptions,
        lists: Option<&RevocationLists<'_>>,
    ) -> Result<Vec<&[u8]>, PathError> {
        let heap = Heap::new(self.iter())?.trusting(trust.iter())?;
        let accept = |path: &_| lists.map_or(Ok(()), |lists| lists.check(&heap, path));
        let path = heap.prove(0, options, &accept)?;
        Ok(heap
            .on_path(&path)
            .iter()
            .map(|certificate| certificate.as_der())
            .collect())
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
            let error = error.to_string();
            assert!(error.contains(reason), "{content:?}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Certificates::from_file(Path::new("/nowhere/chain.pem")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/chain.pem"), "{error}");
        let error = crate::Error::from(error);
        assert_eq!(error.kind(), crate::ErrorKind::Input);
    }
}
