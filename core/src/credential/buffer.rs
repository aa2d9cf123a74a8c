//! What may hold an encoded header: plain bytes, which give back what was written into them.
//!
//! A buffer type of a caller's own could show other bytes after the header was hashed, and then those would
//! be signed, or leave unsigned. So the trait is sealed: only the types below have it.

/// A buffer for an encoded header: `&mut [u8]`, `[u8; N]`, `&mut [u8; N]`, `heapless::Vec<u8, N>` at its
/// length, and with feature `alloc` `Vec<u8>` and `Box<[u8]>`. It is sealed:
///
/// ```compile_fail,E0277
/// struct Liar([u8; 8]);
///
/// impl AsRef<[u8]> for Liar {
///     fn as_ref(&self) -> &[u8] {
///         b"other bytes than were written"
///     }
/// }
///
/// impl AsMut<[u8]> for Liar {
///     fn as_mut(&mut self) -> &mut [u8] {
///         &mut self.0
///     }
/// }
///
/// fn holds_a_header<B: privyseal_core::credential::HeaderBuffer>(_: B) {}
/// holds_a_header(Liar([0; 8]));
/// ```
pub trait HeaderBuffer: Bytes {}

impl<B: Bytes> HeaderBuffer for B {}

/// Cannot be named outside the core, so nobody else can implement it.
#[allow(unnameable_types, reason = "seals HeaderBuffer")]
pub trait Bytes {
    /// What was written.
    fn bytes(&self) -> &[u8];
    /// Where to write.
    fn bytes_mut(&mut self) -> &mut [u8];
}

macro_rules! plain_bytes {
    ($([$($generics:tt)*] $buffer:ty),+ $(,)?) => {$(
        impl<$($generics)*> Bytes for $buffer {
            fn bytes(&self) -> &[u8] {
                AsRef::<[u8]>::as_ref(self)
            }

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
