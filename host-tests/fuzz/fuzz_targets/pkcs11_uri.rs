//! PKCS #11 URIs: what is shown can be read again, and a PIN is never shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privyseal_pkcs11::Pkcs11Uri;

fuzz_target!(|text: &str| {
    if let Ok(uri) = text.parse::<Pkcs11Uri>() {
        let shown = uri.to_string();
        assert!(!shown.contains("pin-value="), "{shown}");
        // Escaped, it may be longer than what is read.
        if shown.len() > 16 * 1024 {
            return;
        }
        let again: Pkcs11Uri = shown.parse().expect("what is shown can be read");
        assert_eq!(again.to_string(), shown);
    }
});
