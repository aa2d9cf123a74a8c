//! Attestation certificates.

use privyseal_test_pki::{Authority, CertificateSpec, test_key};

use super::object::Object;

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

    pub(super) fn attest(&self, object: &Object, spki: &[u8]) -> Vec<u8> {
        let it = &object.attributes;
        let subject = format!("CN=YubiHSM Attestation id:0x{:04x}", it.id);
        let label = it.label.split(|byte| *byte == 0).next();
        let spec = CertificateSpec {
            subject,
            special: vec![
                ("1.3.6.1.4.1.41482.4.1", tlv(4, &[3, 0, 5])),
                ("1.3.6.1.4.1.41482.4.2", tlv(2, &[0x00, 0xbc, 0x61, 0x4e])),
                ("1.3.6.1.4.1.41482.4.3", tlv(3, &[0, object.origin])),
                ("1.3.6.1.4.1.41482.4.4", bits(&it.domains.to_be_bytes())),
                (
                    "1.3.6.1.4.1.41482.4.5",
                    bits(&it.capabilities.to_be_bytes()),
                ),
                (
                    "1.3.6.1.4.1.41482.4.6",
                    tlv(2, &[&[0], &it.id.to_be_bytes()[..]].concat()),
                ),
                ("1.3.6.1.4.1.41482.4.9", tlv(12, label.unwrap_or_default())),
            ],
            ..CertificateSpec::seal()
        };
        self.0.issue(spki, &spec)
    }
}

/// A BIT STRING of whole bytes.
fn bits(value: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], value].concat())
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = u8::try_from(value.len()).expect("short");
    [&[tag, len], value].concat()
}
