//! The keys and what they must sign, from `rsa/examples/bench_cases.rs`.

/// One key with digests and the signatures that the judge made of them.
pub(crate) struct Case {
    pub(crate) p: [u8; 128],
    pub(crate) q: [u8; 128],
    pub(crate) modulus: [u8; 256],
    pub(crate) signatures: &'static [([u8; 32], [u8; 256])],
}

include!(env!(
    "PRIVYSEAL_BENCH_CASES",
    "start this with `cargo xtask firmware rsa`"
));
