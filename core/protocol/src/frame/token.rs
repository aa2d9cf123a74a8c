//! The frame of a piece of a token, written from where the piece lies: nearly all that a device sends.

use super::stuffing::{Part, write_cobs};
use super::{FrameError, WriteError};
#[cfg(doc)]
use crate::Response;
use crate::crc::{checksum, joined};
use crate::{MAX_DATA, PROTOCOL};
use privyseal_core::encoding::sink::Sink;
use privyseal_core::opaque_debug;

/// The kind: [`Response::Token`].
const TOKEN: u8 = 4;

/// Version, id, kind, total, offset and length, the numbers as varints.
const MAX_HEAD: usize = 1 + 1 + 1 + 5 + 5 + 2;

/// What is known of [`MAX_DATA`] bytes that stand in every token, as a header's do: that there is no zero in them, and
/// their CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant {
    crc: u32,
}

impl Constant {
    /// Looks at the bytes; `None` if there is a zero, which no base64 has.
    pub fn of(bytes: &[u8; MAX_DATA]) -> Option<Self> {
        let crc = checksum(&[bytes]);
        (!bytes.contains(&0)).then_some(Self { crc })
    }
}

/// A [`Response::Token`] and its id.
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]
pub struct TokenPiece<'a> {
    /// That of the request.
    pub id: u8,
    /// Bytes of the whole token.
    pub total: u32,
    /// The first of these bytes.
    pub offset: u32,
    /// At most [`MAX_DATA`] of them.
    pub bytes: &'a [u8],
}

opaque_debug! { [] TokenPiece<'_>; }

impl TokenPiece<'_> {
    /// Writes the frame that [`super::write_frame`] would, without a copy of the bytes. If they are those of a
    /// `constant`, they are not looked at.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write<S: Sink>(
        &self,
        constant: Option<Constant>,
        sink: &mut S,
    ) -> Result<(), WriteError<S::Error>> {
        let mut head = [0; MAX_HEAD];
        let head = self
            .head(&mut head)
            .ok_or(WriteError::Frame(FrameError::TooLong))?;
        let constant = constant.filter(|_| self.bytes.len() == MAX_DATA);
        let crc = match constant {
            Some(Constant { crc }) => joined(checksum(&[head]), crc),
            None => checksum(&[head, self.bytes]),
        }
        .to_le_bytes();
        let piece = Part {
            bytes: self.bytes,
            without_zero: constant.is_some(),
        };
        let parts = [head.into(), piece, crc.as_slice().into()];
        write_cobs(parts, sink).map_err(WriteError::Sink)
    }

    /// What stands before the bytes; `None` if there are too many of them. By hand: postcard takes twice as long for it.
    fn head<'h>(&self, head: &'h mut [u8; MAX_HEAD]) -> Option<&'h [u8]> {
        let bytes = u32::try_from(self.bytes.len()).ok()?;
        (self.bytes.len() <= MAX_DATA).then_some(())?;
        let mut len = 0_usize;
        let mut push = |byte| {
            if let Some(place) = head.get_mut(len) {
                *place = byte;
                len = len.saturating_add(1);
            }
        };
        for byte in [PROTOCOL, self.id, TOKEN] {
            push(byte);
        }
        for mut number in [self.total, self.offset, bytes] {
            while number > 0x7f {
                let [low, ..] = number.to_le_bytes();
                push(low | 0x80);
                number >>= 7;
            }
            let [low, ..] = number.to_le_bytes();
            push(low);
        }
        head.get(..len)
    }
}
