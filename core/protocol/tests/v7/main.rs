//! The bytes of version 7 of the gateway's protocol: every message, what a message is made of, a policy, an entry
//! of the log, the header of an image, and frames.
//!
//! # The rule
//! Devices in the field speak these bytes and have them in their flash. A change to one of them makes another
//! version: `PROTOCOL` (and, for an entry of the log, the version in `privyseal-log:v1:`) is counted up, these
//! vectors stay as they are for as long as version 7 is spoken, and vectors of the new version stand beside them.
//!
//! A vector is a list of pieces: hexadecimal digits (`00*384` is a byte 384 times) or text between single quotes, and
//! then what it stands for.
#![allow(
    clippy::format_collect,
    clippy::unwrap_used,
    reason = "a test stops where something is wrong, and is read more often than it is run"
)]

mod frames;
mod image;
mod log;
mod policy;
mod refusals;
mod requests;
mod responses;
mod statements;

use core::convert::Infallible;

use privyseal_core::encoding::sink::Sink;
use privyseal_protocol::frame::MAX_CONTENT;
use privyseal_protocol::{FrameDecoder, Message, PROTOCOL, write_frame};
use serde::{Deserialize, Serialize};

/// The version that these vectors are of.
const VERSION: u8 = 7;

#[test]
fn the_vectors_are_of_the_version_that_is_spoken() {
    assert_eq!(
        PROTOCOL, VERSION,
        "vectors of another version belong beside these, not in their place"
    );
}

/// A piece after the other.
fn bytes(vector: &[&str]) -> Vec<u8> {
    vector.iter().copied().flat_map(piece).collect()
}

fn piece(piece: &str) -> Vec<u8> {
    if let Some(text) = piece.strip_prefix('\'') {
        return text.split_once('\'').unwrap().0.as_bytes().to_vec();
    }
    let word = piece.split(' ').next().unwrap();
    let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
    let once: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    once.repeat(times.parse().unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Wire(Vec<u8>);

impl Sink for Wire {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn frame(id: u8, body: &impl Serialize) -> Vec<u8> {
    let mut wire = Wire(Vec::new());
    write_frame(id, body, &mut [0; MAX_CONTENT], &mut wire).unwrap();
    wire.0
}

/// The body of a message, as it is inside its frame.
fn body(value: &impl Serialize) -> Vec<u8> {
    let mut decoder = FrameDecoder::new();
    for byte in frame(0, value) {
        if let Some(message) = decoder.feed(byte) {
            return message.unwrap().body.to_vec();
        }
    }
    panic!("the frame has no end");
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    Message { id: 0, body }.read().ok()
}

/// Each value is written as its vector, its vector is read as the value, and no variant is without one.
macro_rules! pinned {
    ($type:ty: $($value:expr => $($piece:literal)+;)+) => {{
        let vectors: &[($type, &[&str])] = &[$(($value, &[$($piece),+])),+];
        let mut first = Vec::new();
        for (value, vector) in vectors {
            let expected = $crate::bytes(vector);
            assert_eq!($crate::hex(&$crate::body(value)), $crate::hex(&expected), "{value:?} {vector:#?}");
            let found = $crate::read::<$type>(&expected);
            assert_eq!(found.as_ref(), Some(value), "{vector:#?}");
            first.push(expected[0]);
        }
        $crate::has_no_other_variant(first, |body| $crate::read::<$type>(body).is_some());
    }};
}
use pinned;

/// The first bytes are all of the variants that there are: those from 0 on, and not one more. What comes behind the
/// first byte may always be zeros, if there are enough of them.
fn has_no_other_variant(mut first: Vec<u8>, is_read: impl Fn(&[u8]) -> bool) {
    first.sort_unstable();
    first.dedup();
    let count = u8::try_from(first.len()).unwrap();
    assert!(
        first.into_iter().eq(0..count),
        "a variant below {count} has no vector"
    );
    for zeros in 0..200 {
        let body = [vec![count], vec![0; zeros]].concat();
        assert!(!is_read(&body), "variant {count} has no vector, or is new");
    }
}
