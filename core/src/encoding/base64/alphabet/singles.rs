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
