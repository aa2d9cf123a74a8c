//! The device's end of the line: writes answers, and a token as it is made.

use embedded_io::Write;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::link::frame::{MAX_CONTENT, WriteError};
use privyseal_core::link::{MAX_DATA, Response, write_frame};

use crate::board::Board;

/// Bytes of a token that wait to be a frame of their own. They do so on the stack, where a token may take a
/// kibibyte in all; what comes in longer pieces is sent from where it lies.
const PIECE: usize = 128;

/// The line, and room for one message.
///
/// Nine bytes stand before a piece of a token: version, id, kind, total, offset and length. With three more
/// before them it lies where words lie, as the header in the flash does, and is copied in words.
#[repr(C, align(4))]
pub(crate) struct Line {
    gap: [u8; 3],
    message: [u8; MAX_CONTENT],
}

struct Serial<'a, S>(&'a mut S);

impl<S: Write> Sink for Serial<'_, S> {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        self.0.write_all(bytes)
    }
}

/// The host does not take what it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone;

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            gap: [0; 3],
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
        board.feed_watchdog();
        let serial = board.serial();
        let written = write_frame(id, response, &mut self.message, &mut Serial(serial));
        let flushed = serial.flush();
        match (written, flushed) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(WriteError::Frame(_) | WriteError::Sink(_)), _) | (_, Err(_)) => Err(Gone),
        }
    }
}

/// Takes a token and sends it in pieces.
pub(crate) struct TokenSink<'a, B> {
    out: Pieces<'a, B>,
    piece: [u8; PIECE],
    len: usize,
}

/// The pieces of a token that were sent.
struct Pieces<'a, B> {
    line: &'a mut Line,
    board: &'a mut B,
    id: u8,
    total: u32,
    sent: u32,
}

impl<B: Board> Pieces<'_, B> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let response = Response::Token {
            total: self.total,
            offset: self.sent,
            bytes,
        };
        self.line.send(self.board, self.id, &response)?;
        let len = u32::try_from(bytes.len()).unwrap_or(0);
        self.sent = self.sent.saturating_add(len);
        Ok(())
    }
}

impl<'a, B: Board> TokenSink<'a, B> {
    pub(crate) const fn new(line: &'a mut Line, board: &'a mut B, id: u8, total: u32) -> Self {
        let out = Pieces {
            line,
            board,
            id,
            total,
            sent: 0,
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
