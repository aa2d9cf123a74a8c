//! EMSA-PKCS1-v1_5 for SHA-256 (RFC 8017 section 9.2).

use crate::DIGEST_LEN;
use crate::limbs::Limb;

/// `DigestInfo` of SHA-256 up to the digest (RFC 8017 section 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// `00 01 FF..FF 00 DigestInfo digest`, as a number.
#[inline(never)]
pub(crate) fn encode<const N: usize>(digest: &[u8; DIGEST_LEN], out: &mut [Limb; N]) {
    // The parts from the end, because the padding fills what is left.
    let tail = DIGEST_INFO.iter().chain(digest).rev().chain(&[0x00]);
    let mut bytes = tail.chain(core::iter::repeat(&0xff));
    for limb in out.iter_mut() {
        let shifts = (0..Limb::BITS).step_by(8).zip(&mut bytes);
        *limb = shifts.fold(0, |limb, (shift, &byte)| limb | (Limb::from(byte) << shift));
    }
    if let Some(highest) = out.last_mut() {
        *highest = 0x0001_ffff;
    }
}
