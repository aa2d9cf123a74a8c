//! A buffer that says of itself that its bytes never change.

use privyseal_core::credential::StableBytes;

struct Liar;

impl AsRef<[u8]> for Liar {
    fn as_ref(&self) -> &[u8] {
        &[]
    }
}

impl StableBytes for Liar {}

fn main() {}
