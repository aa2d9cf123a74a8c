//! Certificates and chains: the input is DER, or several with their lengths (two bytes) before them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privyseal_core::cert::{Certificate, Chain, RsaLinks};

fuzz_target!(|data: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(data) {
        assert_eq!(certificate.as_der(), data);
        let subject = certificate.subject();
        let _ = (
            subject.common_name(),
            subject.organization_identifier(),
            subject.serial_number(),
        );
        let _ = (
            certificate.rsa_key().is_ok(),
            certificate.extended_key_usages().count(),
        );
        let _ = (
            certificate.key_usages(),
            certificate.basic_constraints(),
            certificate.signature_algorithm(),
        );
        let _ = format!("{} {}", certificate.not_before(), certificate.not_after());
    }
    let mut certificates = Vec::new();
    let mut rest = data;
    while let Some(((len, der), next)) = rest.split_first_chunk::<2>().and_then(|(len, rest)| {
        let len = usize::from(u16::from_be_bytes(*len));
        rest.split_at_checked(len)
            .map(|(der, next)| ((len, der), next))
    }) {
        if len > 0 {
            certificates.push(der);
        }
        rest = next;
    }
    if let Ok(chain) = Chain::order(&certificates) {
        assert_eq!(chain.certificates().len(), certificates.len());
        let _ = (chain.has_root(), chain.validity());
        let _ = chain.prove(&RsaLinks).is_ok();
    }
});
