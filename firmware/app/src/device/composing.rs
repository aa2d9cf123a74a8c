//! The content of a statement that is no assertion: longer than a message, so it comes in pieces, and serves once.

use privyseal_protocol::{Content, MAX_COMPOSED, Refusal, Response, Statement};
use zeroize::Zeroize as _;

use super::{Machine, Mode};
use crate::board::Board;

/// What was composed: it names a person.
pub(super) struct Composed {
    bytes: [u8; MAX_COMPOSED],
    len: usize,
}

impl Composed {
    pub(super) const EMPTY: Self = Self {
        bytes: [0; MAX_COMPOSED],
        len: 0,
    };

    /// The encoding of a [`Content`], or what came of it.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    pub(super) fn wipe(&mut self) {
        if let Some(used) = self.bytes.get_mut(..self.len) {
            used.zeroize();
        }
        self.len = 0;
    }

    /// Adds a piece, and gives how much is there.
    fn add(&mut self, offset: u16, piece: &[u8]) -> Result<usize, Refusal> {
        if offset == 0 {
            self.wipe();
        }
        let end = self.len.saturating_add(piece.len());
        let place = self.bytes.get_mut(self.len..end);
        let place = place.filter(|_| usize::from(offset) == self.len);
        for (to, from) in place.ok_or(Refusal::Content)?.iter_mut().zip(piece) {
            *to = *from;
        }
        self.len = end;
        Ok(end)
    }
}

/// Reads what was composed, if anything was.
pub(super) fn content_of(composed: Option<&[u8]>) -> Result<Option<Content<'_>>, Refusal> {
    composed
        .map(|bytes| Content::from_bytes(bytes).ok_or(Refusal::Content))
        .transpose()
}

/// What a content is of; without one, an assertion.
pub(super) fn statement_of(content: Option<&Content<'_>>) -> Statement {
    content.map_or(Statement::Assertion, Content::statement)
}

/// The same of what was composed, in a frame of its own.
#[inline(never)]
pub(super) fn stated(composed: Option<&[u8]>) -> Result<Statement, Refusal> {
    content_of(composed).map(|content| statement_of(content.as_ref()))
}

impl<B: Board> Machine<B> {
    #[inline(never)]
    pub(super) fn compose(&mut self, id: u8, offset: u16, piece: &[u8]) -> Result<(), Refusal> {
        let Mode::Ready(_) = self.mode else {
            return Err(self.mode.refusal());
        };
        let received = self.composed.add(offset, piece)?;
        let received = u32::try_from(received).unwrap_or(u32::MAX);
        self.send(id, &Response::Accepted { received });
        Ok(())
    }
}
