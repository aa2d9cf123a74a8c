//! The device's end of the line: writes answers, and a token as it is made.

use embedded_io::Write;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::link::frame::{MAX_CONTENT, WriteError};
use privyseal_core::link::{Response, write_frame};

use crate::board::Board;

/// Bytes of a token in one frame. They wait on the stack, where a token may take a kibibyte in all.
const PIECE: usize = 128;

/// The line, and room for one message.
pub(crate) struct Line {
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
    line: &'a mut Line,
    board: &'a mut B,
    id: u8,
    total: u32,
    sent: u32,
    piece: [u8; PIECE],
    len: usize,
}

impl<'a, B: Board> TokenSink<'a, B> {
    pub(crate) const fn new(line: &'a mut Line, board: &'a mut B, id: u8, total: u32) -> Self {
        Self {
            line,
            board,
            id,
            total,
            sent: 0,
            piece: [0; PIECE],
            len: 0,
        }
    }

    /// Sends what is left over.
    pub(crate) fn finish(mut self) -> Result<(), Gone> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Gone> {
        let Some(bytes @ [_, ..]) = self.piece.get(..self.len) else {
            return Ok(());
        };
        let response = Response::Token {
            total: self.total,
            offset: self.sent,
            bytes,
        };
        self.line.send(self.board, self.id, &response)?;
        let len = u32::try_from(self.len).unwrap_or(0);
        self.sent = self.sent.saturating_add(len);
        self.len = 0;
        Ok(())
    }
}

impl<B: Board> Sink for TokenSink<'_, B> {
    type Error = Gone;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let mut rest = bytes;
        while !rest.is_empty() {
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
