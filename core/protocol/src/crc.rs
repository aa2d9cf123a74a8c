//! CRC-32 (ISO-HDLC, as in Ethernet and zip): at the end of a frame, and of what a device keeps in its flash.
//!
//! It finds accidents; it proves nothing about who wrote the bytes.

use crc::{CRC_32_ISO_HDLC, Crc};

use super::MAX_DATA;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The CRC of all parts, one after the other.
pub fn checksum(parts: &[&[u8]]) -> u32 {
    let mut digest = CRC.digest();
    for part in parts {
        digest.update(part);
    }
    digest.finalize()
}

/// The CRC of a first part and [`MAX_DATA`] bytes behind it, from the CRCs of both.
///
/// What a CRC starts with is here what it ends with, so it is linear: the CRC of the first part, moved by as many zeros
/// as the second part has bytes, plus that of the second part.
pub(super) fn joined(first: u32, second: u32) -> u32 {
    let mut digits = first;
    AFTER_ZEROS.iter().fold(second, |sum, table| {
        // Four bits are always within.
        let digit = usize::try_from(digits & 0xf).unwrap_or(0);
        digits >>= 4;
        sum ^ table.get(digit).copied().unwrap_or_default()
    })
}

/// What [`MAX_DATA`] zeros make of each hexadecimal digit of a CRC, the lowest first.
static AFTER_ZEROS: [[u32; 16]; 8] = after_zeros();

/// Made by the compiler: what may panic here would stop the build.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn after_zeros() -> [[u32; 16]; 8] {
    // The highest bit stands for 1; each bit below it for x times what is above.
    let mut bit = 1 << 31;
    let mut zeros = 0;
    while zeros < 8 * MAX_DATA {
        bit = times_x(bit);
        zeros += 1;
    }
    let mut tables = [[0; 16]; 8];
    let mut place = 32;
    while place > 0 {
        place -= 1;
        let mut digit = 0;
        while digit < 16 {
            if digit >> (place % 4) & 1 == 1 {
                tables[place / 4][digit] ^= bit;
            }
            digit += 1;
        }
        bit = times_x(bit);
    }
    tables
}

const fn times_x(value: u32) -> u32 {
    let half = value >> 1;
    if value & 1 == 1 {
        half ^ CRC_32_ISO_HDLC.poly.reverse_bits()
    } else {
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_catalogue() {
        assert_eq!(checksum(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(checksum(&[b"1234", b"", b"56789"]), 0xcbf4_3926);
    }

    #[test]
    fn two_parts_are_joined_as_if_they_were_one() {
        for seed in 0..=255_u8 {
            let first: [u8; 13] =
                core::array::from_fn(|at| seed.wrapping_mul(29) ^ at.to_le_bytes()[0]);
            let second: [u8; MAX_DATA] = core::array::from_fn(|at| {
                seed.rotate_left(3) ^ at.wrapping_mul(7).to_le_bytes()[0]
            });
            for len in 0..=first.len() {
                let first = &first[..len];
                assert_eq!(
                    joined(checksum(&[first]), checksum(&[&second])),
                    checksum(&[first, &second]),
                    "{seed} {len}"
                );
            }
        }
    }
}
