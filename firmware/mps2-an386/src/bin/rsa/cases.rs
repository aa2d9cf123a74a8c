//! The keys and what they must sign, from `rsa/examples/bench_cases.rs`.

/// One key with digests and the signatures that the judge made of them.
pub(crate) struct Case {
    pub(crate) p: &'static [u8],
    pub(crate) q: &'static [u8],
    pub(crate) modulus: &'static [u8],
    pub(crate) signatures: &'static [([u8; 32], &'static [u8])],
    /// Ciphertexts and the content keys in them; nothing where one must be refused.
    pub(crate) wrapped: &'static [(&'static [u8], &'static [u8])],
}

include!(env!(
    "PRIVYSEAL_BENCH_CASES",
    "start this with `cargo xtask firmware rsa`"
));
