//! An update of the firmware: it comes in pieces, and is verified before the first stage may take it.

use core::hint::black_box;

use privyseal_protocol::image::HEADER_LEN;
use privyseal_protocol::{CHUNK, Entry, Event, ImageFault, Refusal, Response};

use super::{Asked, Machine, Mode};
use crate::board::Board;
use crate::first_stage::Staging;

/// No piece goes on from there: what is in the slot is not known.
const UNKNOWN: u32 = u32::MAX;

impl<B: Board> Machine<B> {
    /// Takes a piece of a signed image. The first one gives up what came before.
    #[inline(never)]
    pub(super) fn update(&mut self, id: u8, offset: u32, bytes: &[u8]) -> Result<(), Refusal> {
        self.staging()?;
        let expected = self.staged;
        let is_next = offset == 0
            || offset == expected
                && usize::try_from(offset).is_ok_and(|at| at.is_multiple_of(CHUNK));
        if !is_next || !(1..=CHUNK).contains(&bytes.len()) {
            return Err(Refusal::Image(ImageFault::Offset { expected }));
        }
        self.staged = UNKNOWN;
        if offset == 0 {
            self.check_room()?;
            self.note_update(Event::UpdateBegun, [0; 32])?;
            self.board.feed_watchdog();
            let erased = self.staging()?.erase();
            erased.map_err(|_| Refusal::Storage)?;
        }
        let written = self.staging()?.write(offset, bytes);
        written.map_err(|_| Refusal::Storage)?;
        let received = offset.saturating_add(u32::try_from(bytes.len()).unwrap_or(0));
        self.staged = received;
        self.send(id, &Response::Accepted { received });
        Ok(())
    }

    /// Starts with the image that was sent. A refusal is in the log when this returns.
    #[inline(never)]
    pub(super) fn restart(&mut self, id: u8) -> Result<(), Refusal> {
        self.release()
            .map_err(|refusal| self.refused(refusal, Asked::default()))?;
        self.send(id, &Response::Accepted { received: 0 });
        self.board.restart();
        Ok(())
    }

    /// Lets the first stage take it. Only an image that the maker has signed makes a device start again: each start
    /// believes its host's clock a little further. So it is judged twice.
    fn release(&mut self) -> Result<(), Refusal> {
        if matches!(self.mode, Mode::Provisioning(_) | Mode::Generating(_)) {
            return Err(self.mode.refusal());
        }
        self.check_room()?;
        let staged = self.staged;
        let staging = self.staging()?;
        staging.judge().map_err(Refusal::Image)?;
        self.board.feed_watchdog();
        let judged = black_box(self.staging()?).judge();
        let header = judged.map_err(Refusal::Image)?;
        // What another start has written may end in a word that the power has left in between.
        let len = u32::try_from(HEADER_LEN)
            .unwrap_or(0)
            .saturating_add(header.len);
        if staged != len {
            return Err(Refusal::Image(ImageFault::Offset { expected: staged }));
        }
        self.staged = UNKNOWN;
        self.note_update(Event::UpdateTaken, header.digest)?;
        let released = self.staging()?.release();
        released.map_err(|_| Refusal::Storage)
    }

    fn staging(&mut self) -> Result<&mut Staging<B::Journal>, Refusal> {
        let staging = self.board.staging();
        staging.ok_or(Refusal::Image(ImageFault::NoFirstStage))
    }

    /// An image whose version cannot be noted would only be a start more.
    fn check_room(&mut self) -> Result<(), Refusal> {
        let has_room = self.staging()?.has_room();
        has_room
            .then_some(())
            .ok_or(Refusal::Image(ImageFault::NoRoom))
    }

    /// An entry, within the rate limit if there is one.
    fn note_update(&mut self, event: Event, digest: [u8; 32]) -> Result<(), Refusal> {
        let millis = self.board.millis();
        let entry = self.entry(event);
        let debt = self.rate().map_or(Ok(entry.debt), |rate| {
            self.records.meter.one_more(rate, millis)
        })?;
        self.write(Entry {
            digest,
            debt,
            ..entry
        })
    }
}
