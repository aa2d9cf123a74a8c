//! The `jti` of a device: its id, its counter, random bytes, and the caller's nonce if there is one.
//!
//! ```text
//! 0102030405060708090a0b0c-17-4f5e6d7c8b9aa9b8[-<nonce, 16 hex digits>]
//! ```
//!
//! Two devices differ in the id, two assertions of one device in the counter; the random bytes make it
//! impossible to guess, and different even on a device whose journal was lost.

use heapless::String;
use privyseal_core::encoding::{decimal, hex};
use privyseal_protocol::{DeviceId, NONCE_LEN};

/// Random bytes in it.
pub(crate) const RANDOM_LEN: usize = 8;

const MAX_LEN: usize = 24 + 1 + 20 + 1 + 2 * RANDOM_LEN + 1 + 2 * NONCE_LEN;

/// Room for the longest.
pub(crate) type Text = String<MAX_LEN>;

/// Makes it.
pub(crate) fn jti(
    device: &DeviceId,
    counter: u64,
    random: [u8; RANDOM_LEN],
    nonce: Option<[u8; NONCE_LEN]>,
) -> Text {
    let mut text = Text::new();
    // MAX_LEN has room for all of it.
    let mut push = |character| drop(text.push(character));
    hex(device).for_each(&mut push);
    push('-');
    decimal(counter, &mut push);
    push('-');
    hex(&random).for_each(&mut push);
    if let Some(nonce) = nonce {
        push('-');
        hex(&nonce).for_each(&mut push);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form() {
        let device = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        assert_eq!(
            jti(&device, 17, [0xab; 8], None),
            "0102030405060708090a0b0c-17-abababababababab"
        );
        let longest = jti(&device, u64::MAX, [0; 8], Some([0xff; 8]));
        assert_eq!(longest.len(), MAX_LEN);
        assert!(longest.ends_with("-ffffffffffffffff"));
    }
}
