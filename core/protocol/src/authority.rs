//! The provisioning authority's word, about time and about another policy.
//!
//! A device believes its host's clock within limits only, and takes no other policy than it has. What goes beyond needs
//! someone it trusts more: the holder of the key that the policy names. The authority signs one line of text with
//! RSASSA-PKCS1-v1_5 and SHA-256, which `openssl dgst -sha256 -sign authority.pem` does as well:
//!
//! ```text
//! privyseal-set-time:v1:<device id, 24 hex digits>:<challenge, 32 hex digits>:<seconds since the epoch>
//! privyseal-renew:v1:<device id, 24 hex digits>:<challenge, 32 hex digits>:<policy's fingerprint, 64 hex digits>
//! ```
//!
//! The challenge is the device's, from [`super::Info`], and each serves once: a word that was given cannot
//! be given again.

use heapless::String;

use super::DeviceId;
use privyseal_core::encoding::{decimal, hex};

/// Bytes of a challenge.
pub const CHALLENGE_LEN: usize = 16;

/// Bytes of the line, at most.
pub const MAX_STATEMENT: usize = 24 + 24 + 1 + 32 + 1 + 64;

/// The line that the authority signs to set the time. It has no line break at its end.
pub fn set_time_statement(
    device: &DeviceId,
    challenge: &[u8; CHALLENGE_LEN],
    now: u64,
) -> String<MAX_STATEMENT> {
    let mut line = begun("privyseal-set-time:v1:", device, challenge);
    // MAX_STATEMENT has room for all of it.
    decimal(now, |digit| drop(line.push(digit)));
    line
}

/// The line that the authority signs for another policy, by its fingerprint ([`crate::Policy::fingerprint`]).
pub fn renewal_statement(
    device: &DeviceId,
    challenge: &[u8; CHALLENGE_LEN],
    policy: &[u8; 32],
) -> String<MAX_STATEMENT> {
    let mut line = begun("privyseal-renew:v1:", device, challenge);
    hex(policy).for_each(|digit| drop(line.push(digit)));
    line
}

fn begun(what: &str, device: &DeviceId, challenge: &[u8; CHALLENGE_LEN]) -> String<MAX_STATEMENT> {
    let mut line = String::new();
    // MAX_STATEMENT has room for all of it.
    let _ = line.push_str(what);
    hex(device).for_each(|digit| drop(line.push(digit)));
    let _ = line.push(':');
    hex(challenge).for_each(|digit| drop(line.push(digit)));
    let _ = line.push(':');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines() {
        assert_eq!(
            set_time_statement(&[0xab; 12], &[0x01; 16], 1_790_000_000),
            "privyseal-set-time:v1:abababababababababababab:01010101010101010101010101010101:1790000000"
        );
        let longest = set_time_statement(&[0; 12], &[0; 16], u64::MAX);
        assert!(longest.ends_with(":18446744073709551615"));
        let renewal = renewal_statement(&[0xab; 12], &[0x01; 16], &[0xcd; 32]);
        let start = "privyseal-renew:v1:abababababababababababab:01010101010101010101010101010101:";
        assert_eq!(renewal.strip_prefix(start), Some(&*"cd".repeat(32)));
    }
}
