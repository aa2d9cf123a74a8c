//! The device's end of the line: writes answers, and a token as it is made.

use core::hint::black_box;
use core::slice;

use embedded_io::{ErrorType, Write};
use heapless::Vec;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::limits::MAX_HEADER;
use privyseal_protocol::frame::{Constant, MAX_CONTENT, MAX_FRAME, TokenPiece, WriteError};
use privyseal_protocol::{MAX_DATA, Response, write_frame};

use crate::board::Board;

/// Bytes of a token that wait to be a frame of their own. They do so on the stack, where a token may take a
/// kibibyte in all; what comes in longer pieces is sent from where it lies.
const PIECE: usize = 128;

/// The line, and room for one message. Pieces of a token need none.
pub(crate) struct Line {
    /// A signature waits here too: no message is made meanwhile.
    pub(crate) message: [u8; MAX_CONTENT],
}

/// The line for one frame.
struct Serial<'a, S> {
    line: &'a mut S,
    /// How many bytes the frame may still have.
    left: usize,
}

impl<S: Write> Sink for Serial<'_, S> {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            // What is too long is none of ours: a fault has made it.
            return Ok(());
        };
        // Read again: the fault may have been in how it was read.
        if *black_box(&self.left) < bytes.len() {
            return Ok(());
        }
        self.left = left;
        self.line.write_all(bytes)
    }
}

/// The host does not take what it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone;

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            message: [0; MAX_CONTENT],
        }
    }

    /// Sends one answer.
    pub(crate) fn send<B: Board>(
        &mut self,
        board: &mut B,
        id: u8,
        response: &Response<'_>,
    ) -> Result<(), Gone> {
        send(board, |serial| {
            write_frame(id, response, &mut self.message, serial)
        })
    }
}

/// Sends what is written.
fn send<B: Board>(
    board: &mut B,
    write: impl FnOnce(
        &mut Serial<'_, B::Serial>,
    ) -> Result<(), WriteError<<B::Serial as ErrorType>::Error>>,
) -> Result<(), Gone> {
    board.feed_watchdog();
    let serial = board.serial();
    let written = write(&mut Serial {
        line: &mut *serial,
        left: MAX_FRAME,
    });
    let flushed = serial.flush();
    match (written, flushed) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(WriteError::Frame(_) | WriteError::Sink(_)), _) | (_, Err(_)) => Err(Gone),
    }
}

/// Of all whole pieces of a header.
pub(crate) type Constants = Vec<Constant, { MAX_HEADER / MAX_DATA }>;

/// Looks at a header once, since every token under it begins so.
pub(crate) fn constants(header: &[u8]) -> Constants {
    let mut constants = Constants::new();
    let (pieces, _) = header.as_chunks();
    for constant in pieces.iter().map_while(Constant::of) {
        // A header has no more pieces than there is room for.
        let _ = constants.push(constant);
    }
    constants
}

/// Takes a token and sends it in pieces.
pub(crate) struct TokenSink<'a, B> {
    out: Pieces<'a, B>,
    piece: [u8; PIECE],
    len: usize,
}

/// The pieces of a token that were sent.
struct Pieces<'a, B> {
    board: &'a mut B,
    id: u8,
    total: u32,
    sent: u32,
    /// Of the next pieces that are as long as can be.
    constants: slice::Iter<'a, Constant>,
}

impl<B: Board> Pieces<'_, B> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let piece = TokenPiece {
            id: self.id,
            total: self.total,
            offset: self.sent,
            bytes,
        };
        let constant = match bytes.len() {
            MAX_DATA => self.constants.next().copied(),
            _ => None,
        };
        send(self.board, |serial| piece.write(constant, serial))?;
        let len = u32::try_from(bytes.len()).unwrap_or(0);
        self.sent = self.sent.saturating_add(len);
        Ok(())
    }
}

impl<'a, B: Board> TokenSink<'a, B> {
    /// For a token of `total` bytes, which begins with the pieces that the `constants` are of.
    pub(crate) fn new(board: &'a mut B, id: u8, total: u32, constants: &'a [Constant]) -> Self {
        let out = Pieces {
            board,
            id,
            total,
            sent: 0,
            constants: constants.iter(),
        };
        Self {
            out,
            piece: [0; PIECE],
            len: 0,
        }
    }

    /// Sends what is left over.
    pub(crate) fn finish(mut self) -> Result<(), Gone> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Gone> {
        let len = core::mem::take(&mut self.len);
        match self.piece.get(..len) {
            Some(bytes @ [_, ..]) => self.out.send(bytes),
            _ => Ok(()),
        }
    }
}

impl<B: Board> Sink for TokenSink<'_, B> {
    type Error = Gone;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // Shorter than a piece, it may be the beginning of one.
            if self.len == 0 && rest.len() >= PIECE {
                let (long, behind) = rest.split_at_checked(MAX_DATA).unwrap_or((rest, &[]));
                self.out.send(long)?;
                rest = behind;
                continue;
            }
            let room = PIECE.saturating_sub(self.len).min(rest.len());
            let (head, tail) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            let places = self.piece.iter_mut().skip(self.len);
            for (to, from) in places.zip(head) {
                *to = *from;
            }
            self.len = self.len.saturating_add(head.len());
            rest = tail;
            if self.len == PIECE {
                self.flush()?;
            }
        }
        Ok(())
    }
}
