//! The device's own word that a key was generated on it and cannot leave it.
//!
//! Attestation is an X.509 certificate for the key, signed by a key that Yubico put on the device; its
//! extensions (1.3.6.1.4.1.41482.4) hold serial number, origin, domains, capabilities and label. Opaque
//! object 0 is the certificate of that key, which chains to Yubico's root. This crate gets both, checks
//! that the first is for the key in question and reads what it says; it does not verify them against Yubico's root.

mod attested_key;

pub use attested_key::AttestedKey;

use privyseal_hsm::public_key;

use crate::device::Device;
use crate::error::{DeviceCode, Error};

/// The attestation of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attestation {
    /// The certificate for the key, DER.
    pub certificate: Vec<u8>,
    /// The certificate of the device's attestation key, DER, if the session may read it.
    pub device_certificate: Option<Vec<u8>>,
}

impl Attestation {
    /// What the certificate for the key says of it, if it says all that a YubiHSM 2 does.
    pub fn key(&self) -> Option<AttestedKey> {
        AttestedKey::read(&self.certificate)
    }
}

impl Device {
    /// Has the device attest key `id`. The session needs the capability `sign-attestation-certificate`.
    ///
    /// # Errors
    /// There is no such RSA key, the attestation is for another, or a call of the device fails.
    pub fn attest(&self, id: u16) -> Result<Attestation, Error> {
        let key = self
            .key(id)?
            .public_key
            .map_err(|reason| Error::Key { key_id: id, reason })?;
        let certificate = self.call("SignAttestationCertificate", move |client| {
            client
                .sign_attestation_certificate(id, None)
                .map(yubihsm::attestation::Certificate::into_vec)
        })?;
        if public_key(&certificate).as_ref() != Some(&key) {
            return Err(Error::Protocol {
                device: self.name(),
                function: "SignAttestationCertificate",
                reason: format!("the certificate is not for key {id}"),
            });
        }
        let device_certificate = match self.certificate(DEVICE_CERTIFICATE) {
            Ok(der) => Some(der),
            Err(Error::Certificates(_)) => None,
            Err(error) if error.is(DeviceCode::INSUFFICIENT_PERMISSIONS) => None,
            Err(error) => return Err(error),
        };
        Ok(Attestation {
            certificate,
            device_certificate,
        })
    }
}

/// The opaque object that Yubico puts on each device.
const DEVICE_CERTIFICATE: u16 = 0;
