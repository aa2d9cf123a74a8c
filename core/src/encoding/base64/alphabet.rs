//! The two alphabets of base64, and the tables that are made of them.
//!
//! A host has one table of pairs of characters, 8 KiB, and so half as many look-ups; a microcontroller, whose
//! flash is small and whose look-ups are cheap, one of 64.

#[cfg(any(test, target_pointer_width = "64"))]
mod pairs {
    //! Two characters a look-up: for hosts.

    /// The two characters of 12 bits, the first in the lower byte.
    pub(super) type Table = [u16; 4096];

    /// Made by the compiler: what may panic here would stop the build.
    #[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
    pub(super) const fn table(alphabet: &[u8; 64]) -> Table {
        let mut table = [0; 4096];
        let mut pair = 0;
        while pair < table.len() {
            table[pair] = u16::from_le_bytes([alphabet[pair / 64], alphabet[pair % 64]]);
            pair += 1;
        }
        table
    }

    #[inline]
    pub(super) fn look_up(table: &Table, bytes: [u8; 12]) -> [u8; 16] {
        let pair = |bits: u32| {
            let index = usize::try_from(bits & 0xfff).unwrap_or(0);
            // Twelve bits are always within.
            u64::from(table.get(index).copied().unwrap_or_default())
        };
        let (words, _) = bytes.as_chunks();
        let word = |index: usize| u32::from_be_bytes(words.get(index).copied().unwrap_or_default());
        let (one, two, three) = (word(0), word(1), word(2));
        let low = pair(one >> 20)
            | pair(one >> 8) << 16
            | pair(one << 4 | two >> 28) << 32
            | pair(two >> 16) << 48;
        let high = pair(two >> 4)
            | pair(two << 8 | three >> 24) << 16
            | pair(three >> 12) << 32
            | pair(three) << 48;
        (u128::from(low) | u128::from(high) << 64).to_le_bytes()
    }
}
#[cfg(any(test, not(target_pointer_width = "64")))]
mod singles {
    //! One character a look-up: for microcontrollers.

    /// The character of 6 bits.
    pub(super) type Table = [u8; 64];

    pub(super) const fn table(alphabet: &[u8; 64]) -> Table {
        *alphabet
    }

    #[inline]
    pub(super) fn look_up(table: &Table, bytes: [u8; 12]) -> [u8; 16] {
        let single = |bits: u8| {
            // Six bits are always within.
            table
                .get(usize::from(bits & 0x3f))
                .copied()
                .unwrap_or_default()
        };
        let mut characters = [0; 16];
        let (groups, _) = bytes.as_chunks();
        let (places, _) = characters.as_chunks_mut();
        for (place, [one, two, three]) in places.iter_mut().zip(groups) {
            *place = [
                single(one >> 2),
                single(one << 4 | two >> 4),
                single(two << 2 | three >> 6),
                single(*three),
            ];
        }
        characters
    }
}

#[cfg(target_pointer_width = "64")]
use pairs::{Table, look_up, table};
#[cfg(not(target_pointer_width = "64"))]
use singles::{Table, look_up, table};

/// RFC 4648 section 4.
static STANDARD: Table = table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
/// RFC 4648 section 5.
static URL_SAFE: Table = table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

/// The characters of twelve bytes.
#[inline]
pub(super) fn characters<const IS_URL_SAFE: bool>(bytes: [u8; 12]) -> [u8; 16] {
    look_up(if IS_URL_SAFE { &URL_SAFE } else { &STANDARD }, bytes)
}

#[cfg(test)]
mod tests {
    use super::{pairs, singles};

    #[test]
    fn both_tables_say_the_same() {
        let alphabet = core::array::from_fn(|index| u8::try_from(index).unwrap());
        let (of_pairs, of_singles) = (pairs::table(&alphabet), singles::table(&alphabet));
        for seed in 0..=255_u8 {
            let bytes = core::array::from_fn(|index| {
                seed.wrapping_mul(31)
                    .rotate_left(u32::try_from(index).unwrap())
                    ^ seed
            });
            let looked_up = pairs::look_up(&of_pairs, bytes);
            assert_eq!(looked_up, singles::look_up(&of_singles, bytes));
        }
    }
}
