//! The two alphabets of base64, and the tables that are made of them.
//!
//! A host has one table of pairs of characters, 8 KiB, and so half as many look-ups; a microcontroller, whose
//! flash is small and whose look-ups are cheap, one of 64.

#[cfg(any(test, target_pointer_width = "64"))]
mod pairs;
#[cfg(any(test, not(target_pointer_width = "64")))]
mod singles;

#[cfg(target_pointer_width = "64")]
use pairs::{Table, look_up, table};
#[cfg(not(target_pointer_width = "64"))]
use singles::{Table, look_up, table};

/// What the two forms of base64 differ in.
pub trait Alphabet: sealed::Sealed {
    /// Whether `=` fills the last group.
    const PADDED: bool;

    /// The characters of twelve bytes.
    fn characters(bytes: [u8; 12]) -> [u8; 16];
}

/// RFC 4648 section 4.
#[derive(Clone, Copy, Debug)]
pub struct Standard;

/// RFC 4648 section 5, without padding.
#[derive(Clone, Copy, Debug)]
pub struct UrlSafe;

impl Alphabet for Standard {
    const PADDED: bool = true;

    #[inline]
    fn characters(bytes: [u8; 12]) -> [u8; 16] {
        static TABLE: Table =
            table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
        look_up(&TABLE, bytes)
    }
}

impl Alphabet for UrlSafe {
    const PADDED: bool = false;

    #[inline]
    fn characters(bytes: [u8; 12]) -> [u8; 16] {
        static TABLE: Table =
            table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
        look_up(&TABLE, bytes)
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::Standard {}
    impl Sealed for super::UrlSafe {}
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
