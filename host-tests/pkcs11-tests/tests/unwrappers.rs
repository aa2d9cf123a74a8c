//! One suite, every unwrapper. What they decrypt was encrypted by openssl.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use privyseal_core::{KeyEncryption, SignerError as _, SignerErrorKind, Unwrapper};
use privyseal_hsm::{Secret, SecretProvider, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{Error, Pkcs11Unwrapper, Pkcs11Uri, SignerOptions};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_pki::test_key;
use privyseal_test_suite as suite;
use privyseal_test_suite::kryoptic::KryopticToken;
use privyseal_test_suite::softhsm::{self, SoftHsmToken, in_own_process};
use privyseal_test_suite::software_unwrapper::SoftwareUnwrapper;
use privyseal_test_suite::unwrapping::{KEYS, oaep, run, ways_are_kept_apart};

#[test]
fn the_software_unwrapper() {
    for bits in [2048, 3072, 4096] {
        let mut unwrapper = SoftwareUnwrapper::new(&test_key("decryption", bits));
        for algorithm in KeyEncryption::ALL {
            run(&mut unwrapper, algorithm);
        }
        ways_are_kept_apart(&mut unwrapper);
    }
}

struct TestPin;

impl SecretProvider for TestPin {
    fn secret(&mut self, _: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        Secret::new(softhsm::PIN)
    }
}

fn open(uri: &str) -> Result<Pkcs11Unwrapper, Error> {
    let uri: Pkcs11Uri = uri.parse().unwrap();
    Pkcs11Unwrapper::open_as(&uri, &mut TestPin, &SignerOptions::default())
}

/// SoftHSM 2.6 knows OAEP with SHA-1 only, and says so without the key being thought unfit.
#[test]
fn softhsm_decrypts_rsa_oaep_and_names_what_it_does_not_know() {
    in_own_process(
        "softhsm_decrypts_rsa_oaep_and_names_what_it_does_not_know",
        |token: &SoftHsmToken| {
            for (id, bits) in [("01", 2048), ("02", 4096)] {
                let label = format!("decryption-{bits}");
                let spki = token.generate_decryption_key(bits, id, &label);
                fs::write(token.dir().join(label), spki).unwrap();
            }
        },
        |token| {
            for bits in [2048, 4096] {
                let label = format!("decryption-{bits}");
                let spki = fs::read(token.dir().join(&label)).unwrap();
                let mut unwrapper = open(&token.uri(&label)).unwrap();
                assert_eq!(suite::spki(unwrapper.public_key()), spki);
                run(&mut unwrapper, KeyEncryption::RsaOaep);

                let encrypted = oaep(&spki, KeyEncryption::RsaOaep256, KEYS[2]);
                let error = unwrapper
                    .unwrap_key(KeyEncryption::RsaOaep256, &encrypted, &mut [0; 64])
                    .unwrap_err();
                assert_eq!(error.kind(), SignerErrorKind::KeyUnfit);
                let text = error.to_string();
                assert!(text.contains("RSA-OAEP-256"), "{text}");
                assert!(text.contains("CKR_ARGUMENTS_BAD"), "{text}");
                run(&mut unwrapper, KeyEncryption::RsaOaep);
            }
        },
    );
}

#[test]
fn kryoptic_decrypts_both() {
    const NAME: &str = "kryoptic_decrypts_both";
    const DIR: &str = "PRIVYSEAL_TEST_DIR";
    if is_child(NAME) {
        let pin = PathBuf::from(std::env::var_os(DIR).unwrap());
        let uri = format!(
            "pkcs11:token=second;object=decryption?module-path={}&pin-source=file:{}",
            KryopticToken::module().display(),
            pin.display()
        );
        let mut unwrapper = open(&uri).unwrap();
        for algorithm in KeyEncryption::ALL {
            run(&mut unwrapper, algorithm);
        }
        ways_are_kept_apart(&mut unwrapper);
        return;
    }
    let token = KryopticToken::new("second");
    token.generate_decryption_key(2048, "01", "decryption");
    OwnProcess::new(NAME)
        .environment(token.environment())
        .environment([(DIR.into(), token.pin_file().into())])
        .silence(Duration::from_secs(120))
        .must_pass();
}
