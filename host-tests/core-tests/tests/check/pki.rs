//! Chains whose dates do not move with the clock of the machine.

use std::sync::OnceLock;

use privyseal_test_pki::{CertificateSpec, TestKey, TestPki, test_key};

/// 2026-06-01: when everything here happens.
pub(crate) const NOW: u64 = 1_780_272_000;
/// 2023-11-14, before the oldest example of the seeds.
pub(crate) const FROM: u64 = 1_700_000_000;
/// 2030-03-17.
pub(crate) const TO: u64 = 1_900_000_000;

/// Root, sub CA, issuing CA.
pub(crate) fn pki() -> &'static TestPki {
    static PKI: OnceLock<TestPki> = OnceLock::new();
    PKI.get_or_init(|| {
        let ca = |name, limit| CertificateSpec::authority(name, limit).valid(FROM, TO);
        TestPki::with_specs(
            ca("Check Root CA", None),
            ca("Check Sub CA", Some(1)),
            ca("Check Issuing CA", Some(0)),
        )
    })
}

/// The key that signs.
pub(crate) fn key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| test_key("seal", 2048))
}

/// The usual leaf.
pub(crate) fn seal() -> CertificateSpec {
    CertificateSpec::seal().valid(FROM, TO)
}

/// A chain with this leaf: DER, leaf first.
pub(crate) fn chain(leaf: &CertificateSpec) -> Vec<Vec<u8>> {
    pki().chain(&key().spki_der(), leaf)
}

/// The usual chain.
pub(crate) fn seal_chain() -> &'static [Vec<u8>] {
    static CHAIN: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CHAIN.get_or_init(|| chain(&seal()))
}
