//! EME-OAEP for SHA-256 without a label (RFC 8017 section 7.1.2, step 3), around the content key of a JWE
//! (`RSA-OAEP-256`, RFC 7518 section 4.3).

use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::DIGEST_LEN;
use crate::limbs::{Limb, mask, mask_if_zero};

/// Bytes that a content key may have (RFC 7518 section 5.1).
const KEY_LENS: [u32; 5] = [16, 24, 32, 48, 64];

/// Takes the encoding off, in its place, and gives the key at its end; the rest is wiped. Of anything else nothing is
/// left, and it is found out by the same steps whatever is wrong: to know what it is would decrypt (Manger 2001).
pub(crate) fn decode(encoded: &mut [u8]) -> Option<&[u8]> {
    let (first, masked) = encoded.split_first_mut()?;
    let (seed, data) = masked.split_at_mut_checked(DIGEST_LEN)?;
    unmask(seed, data);
    unmask(data, seed);
    let (label, padded) = data.split_at_checked(DIGEST_LEN)?;
    let label = label.iter().zip(Sha256::digest([]));
    let wrong = label.fold(*first, |bits, (byte, expected)| bits | (byte ^ expected));
    // The first byte that is not zero, and how many are before it.
    let (mut separator, mut zeros, mut searching) = (0, 0_u32, Limb::MAX);
    for &byte in padded {
        separator |= Limb::from(byte) & searching;
        searching &= mask_if_zero(byte.into());
        zeros = zeros.wrapping_add(searching & 1);
    }
    let behind = u32::try_from(padded.len()).ok()?.wrapping_sub(1);
    let len = behind.wrapping_sub(zeros);
    let of_a_key = KEY_LENS.map(|known| mask_if_zero(len ^ known));
    let of_a_key = of_a_key.iter().fold(0, |any, one| any | one);
    let good = mask_if_zero(Limb::from(wrong) | (separator ^ 1)) & of_a_key;
    // Masked as well as branched on: skipping the branch releases zeros.
    for (byte, behind) in encoded.iter_mut().rev().zip(0_u32..) {
        let of_key = mask(behind.wrapping_sub(len) >> 31);
        let [mask, ..] = (good & of_key).to_le_bytes();
        *byte &= mask;
    }
    let len = usize::try_from(len & good).ok()?;
    let (_, key) = encoded.split_at_checked(encoded.len().checked_sub(len)?)?;
    (good == Limb::MAX).then_some(key)
}

/// `target` without the mask that MGF1 makes of `seed` (RFC 8017 section B.2.1).
fn unmask(target: &mut [u8], seed: &[u8]) {
    for (block, counter) in target.chunks_mut(DIGEST_LEN).zip(0_u32..) {
        let hash = Sha256::new_with_prefix(seed).chain_update(counter.to_be_bytes());
        let mut mask = hash.finalize();
        for (byte, mask) in block.iter_mut().zip(&mask) {
            *byte ^= mask;
        }
        mask.zeroize();
    }
}

#[cfg(test)]
mod tests;
