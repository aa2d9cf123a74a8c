//! Certificates on the device: opaque objects, one certificate each, DER or gzipped DER
//! (`yubihsm-shell` and Yubico's Python client can compress them).

use std::io::ErrorKind;

use flate2::read::GzDecoder;
use privyseal_core::cert::Certificate;
use privyseal_hsm::read_bounded;
use yubihsm::object::{self, Filter};

use crate::device::Device;
use crate::error::{CertificateError, DeviceCode, Error};
use crate::key::label;
use crate::limits::{MAX_CERTIFICATE, MAX_CERTIFICATES};

impl Device {
    /// The certificate in opaque object `id`, DER.
    ///
    /// # Errors
    /// There is no such object, it holds no certificate or a too large one, or a call of the device fails.
    pub fn certificate(&self, id: u16) -> Result<Vec<u8>, Error> {
        let object = self.call("GetOpaque", move |client| client.get_opaque(id));
        match object {
            Ok(content) => Ok(unpack(id, content)?),
            Err(error) if error.is(DeviceCode::OBJECT_NOT_FOUND) => {
                Err(CertificateError::NotFound { id }.into())
            }
            Err(error) => Err(error),
        }
    }

    /// The certificates in the opaque objects `ids`, DER, in this order.
    ///
    /// # Errors
    /// As [`Device::certificate`], for each.
    pub fn certificates(&self, ids: &[u16]) -> Result<Vec<Vec<u8>>, Error> {
        ids.iter().map(|&id| self.certificate(id)).collect()
    }

    /// The certificates in all opaque objects with this label, by id. If the device keeps an object of
    /// a kind unknown to the `yubihsm` crate, the list may end before its end; a chain that lacks a
    /// certificate is then refused by the core.
    ///
    /// # Errors
    /// None has the label, or too many have it; and as [`Device::certificate`].
    pub fn certificates_labelled(&self, text: &str) -> Result<Vec<Vec<u8>>, Error> {
        let ids = self.opaque_ids(Some(text))?;
        match ids.len() {
            0 => Err(CertificateError::NoneLabelled {
                label: text.to_owned(),
            }
            .into()),
            1..=MAX_CERTIFICATES => self.certificates(&ids),
            count => Err(CertificateError::TooMany {
                label: text.to_owned(),
                count,
            }
            .into()),
        }
    }

    /// Ids of opaque objects, in ascending order; with `wanted`, of those with this label.
    pub(crate) fn opaque_ids(&self, wanted: Option<&str>) -> Result<Vec<u16>, Error> {
        let wanted = wanted.map(str::to_owned);
        let listed = self.call("ListObjects", move |client| {
            let mut filters = vec![Filter::Type(object::Type::Opaque)];
            // Longer than a label: nothing can have it.
            let label = wanted
                .as_ref()
                .and_then(|it| object::Label::from_bytes(it.as_bytes()).ok());
            filters.extend(label.map(Filter::Label));
            client.list_objects(&filters)
        })?;
        let mut ids: Vec<u16> = listed.iter().map(|entry| entry.object_id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The label of opaque object `id`, if it is there.
    pub(crate) fn opaque_label(&self, id: u16) -> Result<Option<String>, Error> {
        Ok(self
            .object_info(id, object::Type::Opaque)?
            .map(|info| label(&info)))
    }
}

/// DER from what the object holds.
fn unpack(id: u16, content: Vec<u8>) -> Result<Vec<u8>, CertificateError> {
    // RFC 1952 section 2.3.1.
    let der = if content.starts_with(&[0x1f, 0x8b]) {
        gunzip(id, &content)?
    } else {
        content
    };
    match Certificate::from_der(&der) {
        Ok(_) => Ok(der),
        Err(_) => Err(CertificateError::NotACertificate { id }),
    }
}

fn gunzip(id: u16, packed: &[u8]) -> Result<Vec<u8>, CertificateError> {
    let mut der = Vec::new();
    match read_bounded(GzDecoder::new(packed), &mut der, MAX_CERTIFICATE) {
        Ok(()) => Ok(der),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            Err(CertificateError::TooLarge { id })
        }
        Err(_) => Err(CertificateError::NotACertificate { id }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const LEAF: &[u8] = include_bytes!("../../host-tests/fixtures/ishare-test-chain/0-leaf.der");

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn der_plain_and_packed() {
        assert_eq!(unpack(1, LEAF.to_vec()).unwrap(), LEAF);
        assert_eq!(unpack(1, gzip(LEAF)).unwrap(), LEAF);
    }

    #[test]
    fn what_is_no_certificate_names_the_object() {
        let mut cut = gzip(LEAF);
        cut.truncate(cut.len() - 20);
        for content in [
            Vec::new(),
            b"hello".to_vec(),
            gzip(b"hello"),
            cut,
            gzip(&gzip(LEAF)),
        ] {
            assert_eq!(
                unpack(7, content),
                Err(CertificateError::NotACertificate { id: 7 })
            );
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        assert_eq!(
            unpack(7, gzip(&vec![0; 100 * MAX_CERTIFICATE])),
            Err(CertificateError::TooLarge { id: 7 })
        );
    }
}
