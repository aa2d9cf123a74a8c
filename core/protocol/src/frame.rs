//! Frames: a message and its CRC-32 (ISO-HDLC, little-endian), hidden in COBS, ended by a zero byte.
//!
//! COBS leaves no zero inside a frame, so after whatever noise the next zero is a new beginning. The CRC
//! finds accidents; it proves nothing about who sent the frame.

mod stuffing;
mod token;

use cobs::{DecodeResult, DecoderState};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::crc::checksum;
use super::refusal::FrameError;
use super::{MAX_MESSAGE, PROTOCOL};
use privyseal_core::encoding::sink::Sink;
use privyseal_core::opaque_debug;
use stuffing::write_cobs;
pub use token::{Constant, TokenPiece};

/// Bytes of the CRC.
const CRC_LEN: usize = 4;

/// Bytes of a message and its CRC.
pub const MAX_CONTENT: usize = MAX_MESSAGE + CRC_LEN;

/// The longest frame on the wire, with the zero at its end.
pub const MAX_FRAME: usize = MAX_CONTENT + MAX_CONTENT.div_ceil(stuffing::MAX_RUN) + 1;

/// A message whose frame was whole.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]
pub struct Message<'a> {
    /// Chosen by the host; every frame of the answer has the same.
    pub id: u8,
    /// What it says, in postcard's encoding.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// The body as a value of this type, nothing before it and nothing after it.
    ///
    /// # Errors
    /// [`FrameError::Body`].
    pub fn read<T: Deserialize<'a>>(&self) -> Result<T, FrameError> {
        match postcard::take_from_bytes(self.body) {
            Ok((value, [])) => Ok(value),
            _ => Err(FrameError::Body),
        }
    }
}

/// Takes a serial line's bytes one at a time and gives the messages in them.
pub struct FrameDecoder {
    content: [u8; MAX_CONTENT],
    len: usize,
    state: DecoderState,
}

opaque_debug! {
    [] FrameDecoder;
    [] Message<'_>;
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameDecoder {
    /// At the beginning of a frame.
    pub const fn new() -> Self {
        Self {
            content: [0; MAX_CONTENT],
            len: 0,
            state: DecoderState::Idle,
        }
    }

    /// Takes one byte. At the end of a frame there is a message, or what is wrong with it; either way the
    /// next byte begins a new frame. Zeros between frames say nothing.
    pub fn feed(&mut self, byte: u8) -> Option<Result<Message<'_>, FrameError>> {
        match self.state.feed(byte) {
            Ok(DecodeResult::NoData) => None,
            Ok(DecodeResult::DataContinue(byte)) => {
                if let Some(place) = self.content.get_mut(self.len) {
                    *place = byte;
                }
                // Bytes without a place are counted too.
                self.len = self.len.saturating_add(1);
                None
            }
            Ok(DecodeResult::DataComplete) => {
                let len = core::mem::take(&mut self.len);
                Some(
                    self.content
                        .get(..len)
                        .ok_or(FrameError::TooLong)
                        .and_then(message),
                )
            }
            Err(_) => {
                let too_long = core::mem::take(&mut self.len) > MAX_CONTENT;
                Some(Err(if too_long {
                    FrameError::TooLong
                } else {
                    FrameError::Cobs
                }))
            }
        }
    }

    /// Forgets what it holds; requests may have held a key.
    pub fn wipe(&mut self) {
        self.content.fill(0);
        self.len = 0;
        self.state = DecoderState::Idle;
        // What is overwritten last must not be optimised away.
        core::hint::black_box(&self.content);
    }
}

fn message(content: &[u8]) -> Result<Message<'_>, FrameError> {
    let (message, crc) = content
        .split_last_chunk::<CRC_LEN>()
        .ok_or(FrameError::TooShort)?;
    if checksum(&[message]) != u32::from_le_bytes(*crc) {
        return Err(FrameError::Checksum);
    }
    match message {
        [PROTOCOL, id, body @ ..] => Ok(Message { id: *id, body }),
        [found, _, ..] => Err(FrameError::Version { found: *found }),
        _ => Err(FrameError::TooShort),
    }
}

/// Writes `body` as the message `id` into `sink`, a frame of at most [`MAX_FRAME`] bytes. `scratch` holds
/// the message on its way.
///
/// # Errors
/// [`WriteError`].
pub fn write_frame<T: Serialize, S: Sink>(
    id: u8,
    body: &T,
    scratch: &mut [u8; MAX_CONTENT],
    sink: &mut S,
) -> Result<(), WriteError<S::Error>> {
    let len = encode(id, body, scratch).map_err(WriteError::Frame)?;
    let content = scratch.get(..len).unwrap_or(&[]);
    write_cobs([content.into()], sink).map_err(WriteError::Sink)
}

/// Why a frame was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[allow(clippy::exhaustive_enums, reason = "there are two sides")]
pub enum WriteError<E> {
    /// The message is too long; nothing was written.
    #[error("{0}")]
    Frame(FrameError),
    /// The sink failed.
    #[error("{0}")]
    Sink(E),
}

/// The message and its CRC; gives their length.
fn encode<T: Serialize>(
    id: u8,
    body: &T,
    content: &mut [u8; MAX_CONTENT],
) -> Result<usize, FrameError> {
    let (message, _) = content
        .split_at_mut_checked(MAX_MESSAGE)
        .ok_or(FrameError::TooLong)?;
    let [version, first, body_place @ ..] = message else {
        return Err(FrameError::TooLong);
    };
    (*version, *first) = (PROTOCOL, id);
    let body_len = postcard::to_slice(body, body_place)
        .map_err(|_| FrameError::TooLong)?
        .len();
    let len = body_len.saturating_add(2);
    let crc = checksum(&[content.get(..len).unwrap_or(&[])]).to_le_bytes();
    let end = len.saturating_add(CRC_LEN);
    for (place, byte) in content.get_mut(len..end).into_iter().flatten().zip(crc) {
        *place = byte;
    }
    Ok(end)
}

#[cfg(test)]
mod tests;
