//! Numbers in decimal.

/// Decimal digits of a `u64`.
pub(crate) struct Digits([u8; 20]);

impl Digits {
    pub(crate) const fn new() -> Self {
        Self([b'0'; 20])
    }

    /// Two digits at a time, which halves a chain of divisions that wait for each other.
    #[inline]
    pub(crate) fn of(&mut self, mut value: u64) -> &[u8] {
        let (pairs, _) = self.0.as_chunks_mut::<2>();
        let mut used: usize = 0;
        for pair in pairs.iter_mut().rev() {
            let (rest, two) = divided(value);
            *pair = [b'0'.wrapping_add(two / 10), b'0'.wrapping_add(two % 10)];
            value = rest;
            used = used.saturating_add(if value > 0 || two > 9 { 2 } else { 1 });
            if value == 0 {
                break;
            }
        }
        self.0
            .get(self.0.len().saturating_sub(used)..)
            .unwrap_or(&[])
    }
}

/// What a hundred goes into, and what is left. Times and counters fit 32 bits for long, and a microcontroller
/// divides more by hand.
#[inline]
fn divided(value: u64) -> (u64, u8) {
    let (rest, two) = match u32::try_from(value) {
        Ok(value) => (u64::from(value / 100), u64::from(value % 100)),
        Err(_) => (value / 100, value % 100),
    };
    // Below a hundred: it fits a byte.
    (rest, u8::try_from(two).unwrap_or(0))
}
