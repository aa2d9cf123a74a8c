//! What may hold an encoded header: plain bytes, which give back what was written into them.
//!
//! A type of a caller's own could show other bytes after the header was hashed, and then those would
//! be signed, or leave unsigned. So the traits are sealed: only the types below have them.

use super::stable::StableBytes;

/// Bytes of a header that was encoded before: `&[u8]`, every [`HeaderBuffer`], and every [`StableBytes`]. It is sealed.
pub trait HeaderBytes: Bytes {}

/// A buffer for an encoded header: `&mut [u8]`, `[u8; N]`, `&mut [u8; N]`, `heapless::Vec<u8, N>` at its
/// length, and with feature `alloc` `Vec<u8>` and `Box<[u8]>`. It is sealed.
pub trait HeaderBuffer: HeaderBytes + BytesMut {}

impl<B: Bytes> HeaderBytes for B {}

impl<B: BytesMut> HeaderBuffer for B {}

/// Cannot be named outside the core, so nobody else can implement it.
#[allow(unnameable_types, reason = "seals HeaderBytes")]
pub trait Bytes {
    /// What was written.
    fn bytes(&self) -> &[u8];
}

/// As [`Bytes`].
#[allow(unnameable_types, reason = "seals HeaderBuffer")]
pub trait BytesMut: Bytes {
    /// Where to write.
    fn bytes_mut(&mut self) -> &mut [u8];
}

impl<B: StableBytes> Bytes for B {
    fn bytes(&self) -> &[u8] {
        self.as_ref()
    }
}

impl Bytes for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }
}

macro_rules! plain_bytes {
    ($([$($generics:tt)*] $buffer:ty),+ $(,)?) => {$(
        impl<$($generics)*> Bytes for $buffer {
            fn bytes(&self) -> &[u8] {
                AsRef::<[u8]>::as_ref(self)
            }
        }

        impl<$($generics)*> BytesMut for $buffer {
            fn bytes_mut(&mut self) -> &mut [u8] {
                AsMut::<[u8]>::as_mut(self)
            }
        }
    )+};
}

plain_bytes! {
    [] &mut [u8],
    [const N: usize] [u8; N],
    [const N: usize] &mut [u8; N],
    [const N: usize] heapless::Vec<u8, N>,
}

#[cfg(feature = "alloc")]
plain_bytes! {
    [] alloc::vec::Vec<u8>,
    [] alloc::boxed::Box<[u8]>,
}
