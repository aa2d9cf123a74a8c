//! Files of certificates, lists, requests and public keys: PEM, DER, PKCS #7, JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privyseal::jose::jwk::KeySet;
use privyseal::pki::Certificates;
use privyseal::pki::crl::Crl;
use privyseal::pki::pem;
use privyseal::report::RequestReport;
use privyseal_core::cert::Certificate;

const BEGIN: &[u8] = b"-----BEGIN";

fuzz_target!(|data: &[u8]| {
    let mut begins = data
        .windows(BEGIN.len())
        .filter(|window| *window == BEGIN)
        .count();
    if let Ok(blocks) = pem::blocks(data) {
        assert_eq!(blocks.len(), begins, "each BEGIN is a block, or nothing is");
        for block in blocks {
            let again = pem::encode(&block.label, &block.der);
            assert_eq!(pem::blocks(again.as_bytes()).expect("our own"), [block]);
        }
    }
    if data.first() == Some(&0x30) {
        // DER, which may hold any text.
        begins = 0;
    }
    if let Ok(certificates) = Certificates::from_bytes(data) {
        let count = certificates.iter().count();
        assert!(count > 0, "none is an error");
        // A container of PKCS #7 has several in one block.
        assert!(begins == 0 || count >= begins, "one was passed over");
        let _ = certificates.chain().is_ok();
    }
    if let Ok(lists) = Crl::from_bytes(data) {
        assert!(
            !lists.is_empty() && (begins == 0 || lists.len() >= begins),
            "one was passed over"
        );
        for list in lists {
            let _ = list.next_update();
            if let Ok(certificate) = Certificate::from_der(data) {
                let _ = list.is_of_issuer_of(&certificate);
            }
        }
    }
    let _ = RequestReport::read(data, None).is_ok();
    if let Ok(keys) = KeySet::from_bytes(data) {
        assert!(keys.known_keys().len() <= keys.iter().count());
    }
});
