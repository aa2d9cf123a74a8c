//! The start: what is in the flash decides what the device is.

use privyseal_core::rsa::spki::spki_digest;
use privyseal_protocol::authority::CHALLENGE_LEN;
use privyseal_protocol::{Entry, Event, Origin, Part, PartFault, Refusal};
use rand_core::TryRng;

use super::composing::Composed;
use super::records::Records;
use super::unlocking::Locked;
use super::{Born, Machine, Mode};
use crate::at_rest::KeptUnder;
use crate::board::Board;
use crate::guarded::Guarded;
use crate::keyed::{Keyed, bad, kept_under, mapped_policy, policy_of, public_key, secrets};
use crate::limits::{Clock, Meter};
use crate::link::Line;
use crate::vault::{self, Contents, KeyRecord, Manifest};

impl<B: Board> Machine<B> {
    /// Before the start.
    pub(super) const fn new(board: B) -> Self {
        Self {
            board,
            line: Line::new(),
            records: Records::UNREAD,
            mode: Mode::Faulted(Refusal::Storage),
            key: Guarded::EMPTY,
            clock: Clock::new(0, 0),
            composed: Composed::EMPTY,
            reads: Meter::new(0, 0),
            challenge: [0; CHALLENGE_LEN],
            bad_frames: 0,
            staged: 0,
        }
    }

    /// In its place: see [`super::Device::start`].
    #[inline(never)]
    pub(super) fn start(&mut self) {
        self.board.feed_watchdog();
        self.records = Records::open(&mut self.board);
        self.board.feed_watchdog();
        self.clock = Clock::new(self.state().time_floor, self.board.millis());
        // Whatever fails here leaves a device that signs nothing and still answers.
        if let Err(refusal) = self.recover() {
            self.enter(Mode::Faulted(refusal));
        }
    }

    /// Finishes what was interrupted; then the device is what it is.
    fn recover(&mut self) -> Result<(), Refusal> {
        let storage = |_| Refusal::Storage;
        match vault::inspect(&mut self.board).map_err(storage)? {
            Contents::Blank => {}
            Contents::Leftover => vault::erase(&mut self.board).map_err(storage)?,
            Contents::Marked => self.finish_wipe()?,
            Contents::Born(record) => return self.recover_born(&record),
            Contents::Whole(manifest, key) => return self.recover_key(&manifest, &key),
        }
        self.enter(Mode::Empty);
        Ok(())
    }

    /// Whether the entry of that number is still to be written. An error if entries before it are missing: the journal
    /// was lost, and counter and time floor with it.
    fn is_next(&self, sequence: u32) -> Result<bool, Refusal> {
        let journal = self.records.journal.as_ref().ok_or(Refusal::Storage)?;
        match journal.next_sequence() {
            next if next < sequence => Err(Refusal::Storage),
            next => Ok(next == sequence),
        }
    }

    pub(super) fn recover_born(&mut self, record: &KeyRecord) -> Result<(), Refusal> {
        if self.is_next(record.sequence)? {
            self.note_generated(record)?;
        }
        if self.state().faulted {
            return Err(Refusal::Fault);
        }
        vault::erase_upload(&mut self.board).map_err(|_| Refusal::Storage)?;
        let key = spki_digest(&public_key(&self.board, record)?);
        let record = *record;
        if record.at_rest.unlock_secret {
            self.lock_up(record, None, key);
            return Ok(());
        }
        let under = kept_under(&mut self.board, &record, None)?;
        let opened = secrets(&self.board, &record, &under).map(drop);
        opened.map_err(|refusal| self.not_ready(refusal))?;
        self.enter(Mode::Uncertified(Born { record, under, key }));
        Ok(())
    }

    /// Waits for the unlock secret.
    fn lock_up(&mut self, record: KeyRecord, manifest: Option<Manifest>, key: [u8; 32]) {
        self.enter(Mode::Locked(Locked {
            record,
            manifest,
            key,
        }));
    }

    fn recover_key(&mut self, manifest: &Manifest, key: &KeyRecord) -> Result<(), Refusal> {
        if self.is_next(manifest.sequence)? {
            self.note_provisioned(manifest, key)?;
        }
        if self.state().faulted {
            return Err(Refusal::Fault);
        }
        let entry = self.entry(Event::Boot);
        self.write(Entry {
            boots: entry.boots.saturating_add(1),
            ..entry
        })?;
        if key.at_rest.unlock_secret {
            let digest = spki_digest(&public_key(&self.board, key)?);
            self.lock_up(*key, Some(*manifest), digest);
            return Ok(());
        }
        kept_under(&mut self.board, key, None)
            .and_then(|under| self.load(manifest, key, &under))
            .map_err(|refusal| self.not_ready(refusal))
    }

    /// A key that was proved when the device was provisioned, and whose digest is right, is not ready now.
    pub(super) fn not_ready(&mut self, refusal: Refusal) -> Refusal {
        match refusal {
            // What has been computed with it went wrong.
            Refusal::PairwiseTest
            | Refusal::Unlock
            | Refusal::Part {
                part: Part::Key, ..
            } => self.fault(),
            _ => {
                let entry = self.entry(Event::Refused);
                let _ = self.write(Entry {
                    code: refusal.code(),
                    ..entry
                });
                refusal
            }
        }
    }

    /// Writes that the device was provisioned: the last step of it.
    pub(super) fn note_provisioned(
        &mut self,
        manifest: &Manifest,
        key: &KeyRecord,
    ) -> Result<(), Refusal> {
        let digest = spki_digest(&public_key(&self.board, key)?);
        let policy = mapped_policy(&self.board, manifest)?;
        let policy = policy_of(policy.as_ref())?;
        let millis = self.board.millis();
        let is_imported = key.origin == Origin::Imported && key.sequence == manifest.sequence;
        let entry = self.entry(if is_imported {
            Event::Imported
        } else {
            Event::Installed
        });
        if entry.time_floor > 0 {
            // A renewal, whose floor nobody has signed, moves time no further than a signature would.
            let floor = policy.time_floor.min(self.clock.ceiling(&policy, millis));
            let time_floor = entry.time_floor.max(floor);
            return self.write(Entry {
                time_floor,
                digest,
                ..entry
            });
        }
        let time_floor = policy.time_floor;
        self.write(Entry {
            time_floor,
            digest,
            debt: 0,
            ..entry
        })?;
        self.clock = Clock::new(time_floor, millis);
        Ok(())
    }

    /// For the random generator: the number of the newest entry, which the caller has written for what it is about to
    /// do.
    pub(super) fn nonce(&self) -> [u8; 8] {
        let state = self.state();
        let numbers = (u64::from(state.sequence) << 32) | u64::from(state.boots);
        numbers.to_le_bytes()
    }

    /// Makes the key ready, and the device with it. The newest entry was written in this start or for this key.
    pub(super) fn load(
        &mut self,
        manifest: &Manifest,
        key: &KeyRecord,
        under: &KeptUnder,
    ) -> Result<(), Refusal> {
        // Another part, or another secret, is told from another policy.
        drop(secrets(&self.board, key, under)?);
        if manifest.proof != manifest.proof_under(under, key) {
            return Err(bad(Part::Policy, PartFault::Rule));
        }
        let (nonce, board) = (self.nonce(), &mut self.board);
        let keyed = Keyed::load(board, manifest, key, under, &nonce)?;
        self.enter(Mode::Ready(keyed));
        let outcome = self.start_engine(key, under);
        if let Err(refusal) = outcome {
            self.enter(Mode::Faulted(refusal));
        }
        outcome
    }

    fn start_engine(&mut self, key: &KeyRecord, under: &KeptUnder) -> Result<(), Refusal> {
        if let Mode::Ready(keyed) = &mut self.mode {
            keyed.start_engine(&mut self.board, key, under, &mut self.key)?;
            self.challenge = challenge(keyed)?;
        }
        Ok(())
    }
}

/// What the authority must sign next.
pub(super) fn challenge<M>(keyed: &mut Keyed<M>) -> Result<[u8; CHALLENGE_LEN], Refusal> {
    let mut bytes = [0; CHALLENGE_LEN];
    keyed
        .drbg
        .try_fill_bytes(&mut bytes)
        .map_err(|_| Refusal::Entropy)?;
    Ok(bytes)
}
