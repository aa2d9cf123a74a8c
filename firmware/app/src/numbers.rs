//! The numbers of the key, as they lie in the flash: modulus and primes, and nothing that follows from them, so
//! that no number can be at odds with them.

/// Big-endian.
pub(crate) struct Numbers<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) p: &'a [u8],
    pub(crate) q: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// `None` if it is not twice as long as a modulus of [`privyseal_protocol::KEY_BITS`].
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (modulus, primes) = match bytes.len() {
            512 => bytes.split_at_checked(256),
            768 => bytes.split_at_checked(384),
            1024 => bytes.split_at_checked(512),
            _ => None,
        }?;
        let (p, q) = primes.split_at_checked(primes.len() / 2)?;
        Some(Self { modulus, p, q })
    }
}
