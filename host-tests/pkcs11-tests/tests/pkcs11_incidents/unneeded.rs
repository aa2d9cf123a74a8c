//! Answers that are not needed to sign may be missing.

use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Error, LoginPolicy, Pkcs11Signer, module_info};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::softhsm::PIN;
use privyseal_test_suite::target::Kind;

use crate::stage::in_own_process;

/// A module that cannot say what it is, or what its slots are, signs; who asks for just that hears so.
#[test]
fn a_module_without_information_about_itself_signs() {
    const NAME: &str = "unneeded::a_module_without_information_about_itself_signs";
    in_own_process(NAME, Kind::Plain, |stage| {
        let pool = stage.pool();
        let rules = ["C_GetInfo * return 0x06", "C_GetSlotInfo * return 0x30"];
        stage.shim.rules(&rules);
        stage.pool().sign().unwrap();
        pool.sign().unwrap();
        let uri = |path: &str| {
            let module = FaultShim::module();
            format!("pkcs11:{path}?module-path={}", module.display())
                .parse()
                .unwrap()
        };
        let open = |path| -> Error {
            let mut pins = |_: &SecretRequest| Secret::new(PIN);
            Pkcs11Signer::open(&uri(path), &mut pins, LoginPolicy::default()).unwrap_err()
        };
        let error = open("library-manufacturer=SoftHSM").to_string();
        assert!(error.contains("C_GetInfo: CKR_FUNCTION_FAILED"), "{error}");
        let error = open("slot-manufacturer=SoftHSM%20project");
        assert_eq!(error.kind(), SignerErrorKind::NotFound, "{error}");
        let error = module_info(&uri("")).unwrap_err().to_string();
        assert!(error.contains("C_GetInfo"), "{error}");
        stage.shim.rules(&rules[1..]);
        assert!(module_info(&uri("")).is_ok());
    });
}
