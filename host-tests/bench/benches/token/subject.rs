//! What all three are given.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

/// The public iSHARE test chain, leaf first.
pub(crate) const CHAIN: [&[u8]; 4] = [
    include_bytes!("../../../fixtures/ishare-test-chain/0-leaf.der"),
    include_bytes!("../../../fixtures/ishare-test-chain/1-issuing-ca.der"),
    include_bytes!("../../../fixtures/ishare-test-chain/2-sub-ca.der"),
    include_bytes!("../../../fixtures/ishare-test-chain/3-root-ca.der"),
];

pub(crate) const CLIENT_ID: &str = "did:ishare:EU.NL.NTRNL-10000001";
pub(crate) const AUDIENCE: &str = "did:ishare:EU.NL.NTRNL-10000000";
pub(crate) const JTI: &str = "378a47c4-2822-4ca5-a49a-7e5a1cc7ea59";
/// 2026-11-22.
pub(crate) const NOW: u64 = 1_795_300_000;
pub(crate) const LIFETIME: u64 = 30;

/// Stands for the RSA-2048 signature, which is not measured.
pub(crate) static SIGNATURE: [u8; 256] = [0xa5; 256];

/// Asserts that two tokens have the same header members, claims and signature.
pub(crate) fn assert_same(one: &str, other: &str) {
    let one: Vec<_> = one.split('.').collect();
    let other: Vec<_> = other.split('.').collect();
    assert_eq!((one.len(), other.len()), (3, 3));
    assert_eq!(json(one[0]), json(other[0]), "headers");
    assert_eq!(json(one[1]), json(other[1]), "claims");
    assert_eq!(one[2], other[2], "signatures");
}

fn json(part: &str) -> Value {
    let bytes = Base64UrlUnpadded::decode_vec(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}
