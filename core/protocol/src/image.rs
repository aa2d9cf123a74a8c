//! A signed image of the firmware: a header of [`HEADER_LEN`] bytes, and behind it the image.
//!
//! A device's first stage runs no other. The maker signs one line of text with RSASSA-PKCS1-v1_5 and SHA-256, with
//! RSA-2048 or RSA-3072, which `openssl dgst -sha256 -sign maker.pem` does as well:
//!
//! ```text
//! privyseal-image:v1:<board>:<version>:<bytes of the image>:<SHA-256 of the image, 64 hex digits>
//! ```
//!
//! The header has what the line says, and the signature; numbers are little-endian:
//!
//! | offset | what |
//! |---:|---|
//! | 0 | `PSIMG v1` |
//! | 8 | board, 16 bytes: lower-case letters, digits and hyphens, zeros behind them |
//! | 24 | version |
//! | 28 | bytes of the image |
//! | 32 | SHA-256 of the image |
//! | 64 | bytes of the signature |
//! | 68 | signature, zeros behind it |
#![allow(clippy::exhaustive_structs, reason = "fixed by the header's version")]

use heapless::{String, Vec};
use privyseal_core::encoding::sink::{Sink as _, SliceSink};
use privyseal_core::encoding::{decimal, hex};

use crate::log::take;

/// Bytes of a header.
pub const HEADER_LEN: usize = 512;

/// Bytes of a board's name, at most.
pub const MAX_BOARD: usize = 16;

/// Bytes of the signature, at most: RSA-3072.
pub const MAX_SIGNATURE: usize = 384;

/// Bytes of the line, at most.
pub const MAX_STATEMENT: usize = 19 + MAX_BOARD + 1 + 10 + 1 + 10 + 1 + 64;

const MAGIC: &[u8; 8] = b"PSIMG v1";

/// What a header says. Whether it is true, and whose signature it is, is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageHeader {
    /// The board that the image is for.
    pub board: String<MAX_BOARD>,
    /// Its version: a device takes a later one than it has run, and no earlier one.
    pub version: u32,
    /// Bytes of the image.
    pub len: u32,
    /// SHA-256 of the image, which the device says that it runs ([`crate::Info::image`]).
    pub digest: [u8; 32],
    /// The maker's signature of [`ImageHeader::statement`].
    pub signature: Vec<u8, MAX_SIGNATURE>,
}

impl ImageHeader {
    /// The header of these bytes; `None` if they are none.
    pub fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let name: [u8; MAX_BOARD] = take(&mut rest)?;
        let is_named = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let len = name.iter().take_while(|byte| is_named(byte)).count();
        let (name, zeros) = name.split_at_checked(len)?;
        let header = Self {
            board: String::try_from(core::str::from_utf8(name).ok()?).ok()?,
            version: u32::from_le_bytes(take(&mut rest)?),
            len: u32::from_le_bytes(take(&mut rest)?),
            digest: take(&mut rest)?,
            signature: {
                let len = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
                let (signature, zeros) = rest.split_at_checked(len)?;
                rest = zeros;
                Vec::from_slice(signature).ok()?
            },
        };
        let is_whole = len > 0 && zeros.iter().chain(rest).all(|&byte| byte == 0);
        is_whole.then_some(header)
    }

    /// The header's bytes.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let mut name = [0; MAX_BOARD];
        for (to, from) in name.iter_mut().zip(self.board.bytes()) {
            *to = from;
        }
        // Never more than MAX_SIGNATURE.
        let len = u32::try_from(self.signature.len()).unwrap_or(0);
        let mut sink = SliceSink::new(&mut bytes);
        for field in [
            &MAGIC[..],
            &name,
            &self.version.to_le_bytes(),
            &self.len.to_le_bytes(),
            &self.digest,
            &len.to_le_bytes(),
            &self.signature,
        ] {
            // HEADER_LEN has room for all of them.
            let _ = sink.write(field);
        }
        bytes
    }

    /// The line that the maker signs. It has no line break at its end.
    pub fn statement(&self) -> String<MAX_STATEMENT> {
        let mut line = String::new();
        // MAX_STATEMENT has room for all of it.
        let _ = line.push_str("privyseal-image:v1:");
        let _ = line.push_str(&self.board);
        for number in [self.version, self.len] {
            let _ = line.push(':');
            decimal(number.into(), |digit| drop(line.push(digit)));
        }
        let _ = line.push(':');
        hex(&self.digest).for_each(|digit| drop(line.push(digit)));
        line
    }
}
