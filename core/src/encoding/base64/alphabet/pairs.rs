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
pub(super) fn look_up(table: &Table, [one, two, three, four, five, six]: [u8; 6]) -> [u8; 8] {
    // Twelve bits are always within.
    let pair = |bits: usize| u64::from(table.get(bits).copied().unwrap_or_default());
    let first = |one: u8, two: u8| usize::from(one) << 4 | usize::from(two) >> 4;
    let second = |two: u8, three: u8| (usize::from(two) & 0xf) << 8 | usize::from(three);
    let characters = pair(first(one, two))
        | pair(second(two, three)) << 16
        | pair(first(four, five)) << 32
        | pair(second(five, six)) << 48;
    characters.to_le_bytes()
}
