//! One character a look-up: for microcontrollers.

/// The character of 6 bits.
pub(super) type Table = [u8; 64];

pub(super) const fn table(alphabet: &[u8; 64]) -> Table {
    *alphabet
}

#[inline]
pub(super) fn look_up(table: &Table, [one, two, three, four, five, six]: [u8; 6]) -> [u8; 8] {
    let single = |bits: u8| {
        // Six bits are always within.
        table
            .get(usize::from(bits & 0x3f))
            .copied()
            .unwrap_or_default()
    };
    [
        single(one >> 2),
        single(one << 4 | two >> 4),
        single(two << 2 | three >> 6),
        single(three),
        single(four >> 2),
        single(four << 4 | five >> 4),
        single(five << 2 | six >> 6),
        single(six),
    ]
}
