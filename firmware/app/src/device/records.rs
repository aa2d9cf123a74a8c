//! What the device remembers: the journal, and what its next entry will say.

use privyseal_protocol::{Entry, Event, Refusal};

use crate::board::Board;
use crate::journal::{Journal, StorageError};
use crate::limits::Meter;

/// A struct of its own, so that it can be changed while the key is borrowed.
pub(super) struct Records {
    /// `None` if the flash failed when the device started.
    pub(super) journal: Option<Journal>,
    pub(super) meter: Meter,
    /// Refusals since the newest entry of the log that are not in it.
    pub(super) unlogged: u32,
}

impl Records {
    /// Before the flash is read.
    pub(super) const UNREAD: Self = Self {
        journal: None,
        meter: Meter::new(0, 0),
        unlogged: 0,
    };

    pub(super) fn open<B: Board>(board: &mut B) -> Self {
        let device = board.device_id();
        let mut records = Self {
            journal: Journal::open(board.journal(), &device).ok(),
            ..Self::UNREAD
        };
        records.meter = Meter::new(records.state().debt, board.millis());
        records
    }

    /// The state that the journal holds, and which all entries are made from.
    pub(super) fn state(&self) -> Entry {
        self.journal
            .as_ref()
            .map_or(Entry::BEFORE_THE_FIRST, Journal::state)
    }

    /// An entry that says what happened and leaves the numbers as they are, but for what time pays off of
    /// the rate limit's debt.
    pub(super) fn entry(&self, event: Event, millis: u64) -> Entry {
        Entry {
            event,
            code: 0,
            scheme: None,
            audience: None,
            now: 0,
            debt: self.meter.debt(millis),
            unlogged: self.unlogged,
            digest: [0; 32],
            ..self.state()
        }
    }

    /// Writes an entry: when it returns, what it says has happened.
    pub(super) fn write<B: Board>(&mut self, board: &mut B, entry: Entry) -> Result<(), Refusal> {
        let journal = self.journal.as_mut().ok_or(Refusal::Storage)?;
        journal
            .append(board.journal(), entry)
            .map_err(|StorageError| Refusal::Storage)?;
        show(&entry);
        self.unlogged = 0;
        self.meter = Meter::new(entry.debt, board.millis());
        Ok(())
    }
}

/// A line of the log, for a debug probe where there is one. What it says is in the journal, which anyone may
/// read.
fn show(entry: &Entry) {
    #[cfg(feature = "defmt")]
    defmt::info!(
        "{=str}, code {=u8}, counter {=u64}, time floor {=u64}",
        entry.event.name(),
        entry.code,
        entry.counter,
        entry.time_floor
    );
    #[cfg(not(feature = "defmt"))]
    let _ = entry;
}
