//! Attestation certificates. Theirs have extensions that say what the key is; these have not.

use privyseal_test_pki::{Authority, CertificateSpec, test_key};

/// Who attests.
#[derive(Debug)]
pub(super) struct Attester(Authority);

impl Attester {
    pub(super) fn new() -> Self {
        let spec = CertificateSpec::authority("YubiHSM Attestation (0012345678)", Some(0));
        Self(Authority::root(test_key("yubihsm-attestation", 2048), spec))
    }

    pub(super) fn certificate(&self) -> Vec<u8> {
        self.0.certificate.clone()
    }

    pub(super) fn attest(&self, id: u16, spki: &[u8]) -> Vec<u8> {
        let subject = format!("CN=YubiHSM Attestation id:0x{id:04x}");
        self.0.issue(
            spki,
            &CertificateSpec {
                subject,
                ..CertificateSpec::seal()
            },
        )
    }
}
