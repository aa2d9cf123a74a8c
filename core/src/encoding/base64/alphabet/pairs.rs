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
