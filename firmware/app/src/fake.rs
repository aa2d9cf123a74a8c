//! A board for hosts: flash that obeys the rules of NOR flash and loses its power on demand, a clock that
//! stands still or runs, a button that is pressed by nobody. For tests and the simulator; with the feature
//! `fake` only.

// Test machinery: it stops where something is wrong.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc
)]

mod flash;
mod parts;
mod slots;

use core::ops::Range;
use std::sync::Arc;
use std::vec::Vec;

use embedded_io::{Read, ReadReady, Write};
use privyseal_protocol::{DeviceId, ReadOut};
use rand_core::TryRng as _;

use crate::first_stage::Staging;
use crate::{Board, PAGE, PROVISION_LEN, SECRETS_LEN};

pub use flash::{Cells, Cut, Flash, Moment, Power};
pub use parts::{Button, Entropy, Misread, Time, Wire};
pub use slots::{BOARD, Slots};

/// One sector for policy and chain, one for the key, two for the journal.
const PROVISION_SECTOR: usize = 56 * 1024;
const SECRETS_SECTOR: usize = 2 * 1024;
const JOURNAL_SECTOR: usize = 16 * 1024;

/// What outlives a power cut.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Policy and chain.
    pub provision: Cells,
    /// The key.
    pub secrets: Cells,
    /// The journal.
    pub journal: Cells,
    /// Bytes of a sector of the journal, so that a small one fills up fast.
    pub journal_sector: usize,
    /// What a first stage has, on a board with one.
    pub slots: Option<Slots>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::with_journal_sector(JOURNAL_SECTOR)
    }
}

impl Memory {
    /// A device as it left the factory, with two sectors of that size for its journal.
    pub fn with_journal_sector(journal_sector: usize) -> Self {
        Self {
            provision: Cells::blank(PROVISION_LEN.try_into().expect("a length")),
            secrets: Cells::blank(SECRETS_LEN.try_into().expect("a length")),
            journal: Cells::blank(2 * journal_sector),
            journal_sector,
            slots: None,
        }
    }

    /// Whether nothing of key, policy and chain is left.
    pub fn is_blank(&self) -> bool {
        let mut all = self.provision.iter().chain(self.secrets.iter());
        all.all(|&byte| byte == 0xff)
    }
}

/// A board without hardware. `S` is its serial line: a [`Wire`] in tests, a socket in the simulator.
#[derive(Debug)]
pub struct FakeBoard<S> {
    /// The line to the host.
    pub serial: S,
    /// Whether the status LED is lit.
    pub lit: bool,
    /// The presence button, if there is one.
    pub button: Option<Button>,
    /// The clock.
    pub time: Time,
    /// The random generator, if there is one.
    pub entropy: Option<Entropy>,
    /// The device's id.
    pub device: DeviceId,
    /// The part's secret, if it has one.
    pub secret: Option<[u8; 32]>,
    /// A read of [`Board::mapped_secret`] that goes wrong.
    pub misread: Option<Misread>,
    /// What is protected.
    pub protected: Option<Range<usize>>,
    /// When the watchdog was last fed, and the longest that it was not: milliseconds.
    pub fed: (u64, u64),
    provision: Flash,
    secrets: Flash,
    journal: Flash,
    /// With what lies in the active slot.
    staging: Option<(Cells, Staging<Flash>)>,
    /// Whether the device has started again.
    pub restarted: bool,
    power: Arc<Power>,
}

impl<S> FakeBoard<S> {
    /// A board with this memory, an id of its own, a clock at zero that stands still, no random generator
    /// and no button.
    pub fn new(serial: S, memory: Memory, time: Time) -> Self {
        let power = Arc::new(Power::default());
        let flash = |cells, sector| Flash::new(cells, sector, Arc::clone(&power));
        Self {
            serial,
            lit: false,
            button: None,
            time,
            entropy: None,
            secret: Some([0x5c; 32]),
            misread: None,
            device: *b"fake device!",
            protected: None,
            fed: (0, 0),
            provision: flash(memory.provision, PROVISION_SECTOR),
            secrets: flash(memory.secrets, SECRETS_SECTOR),
            journal: flash(memory.journal, memory.journal_sector),
            staging: memory.slots.map(|slots| {
                let staging = slots.staging(&power);
                (slots.active, staging)
            }),
            restarted: false,
            power,
        }
    }

    /// What the flash holds now.
    pub fn memory(&self) -> Memory {
        Memory {
            provision: self.provision.cells().clone(),
            secrets: self.secrets.cells().clone(),
            journal: self.journal.cells().clone(),
            journal_sector: self.journal.sector(),
            slots: self
                .staging
                .as_ref()
                .map(|(active, staging)| Slots::of(active, staging)),
        }
    }

    /// The power supply.
    pub fn power(&self) -> &Power {
        &self.power
    }
}

impl<S: Read + ReadReady + Write> Board for FakeBoard<S> {
    type Serial = S;
    type Provision = Flash;
    type Mapped = Vec<u8>;
    type Journal = Flash;

    fn light(&mut self, lit: bool) {
        self.lit = lit;
    }

    fn is_pressed(&mut self) -> Option<bool> {
        self.button.as_mut().map(Button::look)
    }

    fn rest(&mut self) {
        self.time.advance(10);
    }

    fn fill_random(&mut self, out: &mut [u8]) -> bool {
        let entropy = self.entropy.as_mut();
        entropy.is_some_and(|entropy| entropy.try_fill_bytes(out).is_ok())
    }

    fn serial(&mut self) -> &mut S {
        &mut self.serial
    }

    fn provision(&mut self) -> &mut Flash {
        &mut self.provision
    }

    fn secrets(&mut self) -> &mut Flash {
        &mut self.secrets
    }

    fn mapped(&self, offset: u32, len: u32) -> Option<Vec<u8>> {
        self.provision.piece(offset, len)
    }

    fn mapped_secret(&self, offset: u32, len: u32) -> Option<Vec<u8>> {
        match &self.misread {
            Some(misread) if misread.happens(offset) => Some(misread.instead.clone()),
            _ => self.secrets.piece(offset, len),
        }
    }

    fn journal(&mut self) -> &mut Flash {
        &mut self.journal
    }

    fn millis(&mut self) -> u64 {
        self.time.millis()
    }

    fn feed_watchdog(&mut self) {
        let (last, longest) = self.fed;
        let now = self.time.millis();
        self.fed = (now, longest.max(now.saturating_sub(last)));
    }

    fn wipe_stack(&mut self) {}

    fn protect(&mut self, memory: Range<usize>) {
        assert!(memory.start.is_multiple_of(PAGE) && memory.len().is_multiple_of(PAGE));
        self.protected = Some(memory);
    }

    fn unprotect(&mut self) {
        self.protected = None;
    }

    fn device_secret(&mut self) -> Option<[u8; 32]> {
        self.secret
    }

    fn staging(&mut self) -> Option<&mut Staging<Flash>> {
        self.staging.as_mut().map(|(_, staging)| staging)
    }

    fn restart(&mut self) {
        self.restarted = true;
    }

    fn device_id(&self) -> DeviceId {
        self.device
    }

    fn read_out(&self) -> Option<ReadOut> {
        None
    }

    fn image_hash(&self) -> [u8; 32] {
        *b"not an image, but a host process"
    }
}
