//! Provisioning: parts come in pieces, straight into the flash; commit checks all of them and locks.

use privyseal_core::limits::MAX_CHAIN_DER;
use privyseal_protocol::{
    CHUNK, Entry, Event, MAX_KEY, MAX_POLICY, MAX_SEED, MIN_SEED, Part, PartFault, Provision,
    Refusal, Response, Totals,
};

use super::{Machine, Mode};
use crate::PROVISION_LEN;
use crate::board::Board;
use crate::flash::{is_blank, write_padded};
use crate::keyed::{bad, encode_headers};
use crate::vault::{self, Manifest, Place};

/// The parts that are uploaded.
const PARTS: [Part; 4] = [Part::Key, Part::Policy, Part::Chain, Part::Seed];

/// An upload that was begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upload {
    totals: Totals,
    received: Totals,
    /// When the last step came, in the board's milliseconds.
    last: u64,
}

/// Milliseconds from one step of an upload to the next, at most: then the host is gone.
const MAX_PAUSE: u64 = 60_000;

impl Upload {
    /// Bytes of a part that are there.
    fn received(&mut self, part: Part) -> Option<&mut u32> {
        Some(match part {
            Part::Key => &mut self.received.key,
            Part::Policy => &mut self.received.policy,
            Part::Chain => &mut self.received.chain,
            Part::Seed => &mut self.received.seed,
            _ => return None,
        })
    }
}

/// The least and the most bytes of a part.
const fn bounds(part: Part) -> (usize, usize) {
    match part {
        Part::Key => (1, MAX_KEY),
        Part::Policy => (1, MAX_POLICY),
        Part::Chain => (0, MAX_CHAIN_DER),
        Part::Seed => (MIN_SEED, MAX_SEED),
        _ => (0, 0),
    }
}

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl<B: Board> Machine<B> {
    #[inline(never)]
    pub(super) fn provision(&mut self, id: u8, step: Provision<'_>) -> Result<(), Refusal> {
        let outcome = self.step(step)?;
        self.send(id, &outcome);
        Ok(())
    }

    fn step(&mut self, step: Provision<'_>) -> Result<Response<'static>, Refusal> {
        match step {
            Provision::Begin(totals) => self.begin(totals),
            Provision::Chunk {
                part,
                offset,
                bytes,
            } => self.chunk(part, offset, bytes),
            Provision::Commit => self.commit(),
            Provision::Abort => {
                self.upload()?;
                self.discard()?;
                Ok(Response::Accepted { received: 0 })
            }
            _ => Err(self.mode.refusal()),
        }
    }

    fn upload(&mut self) -> Result<&mut Upload, Refusal> {
        let refusal = self.mode.refusal();
        match &mut self.mode {
            Mode::Provisioning(upload) => Ok(upload),
            _ => Err(refusal),
        }
    }

    fn begin(&mut self, totals: Totals) -> Result<Response<'static>, Refusal> {
        if !matches!(self.mode, Mode::Empty) {
            return Err(self.mode.refusal());
        }
        for part in PARTS {
            let (min, max) = bounds(part);
            let (min, max) = (number(min), number(max));
            if !(min..=max).contains(&totals.of(part)) {
                return Err(bad(part, PartFault::Size { min, max }));
            }
        }
        let entry = self.entry(Event::ProvisionBegun);
        self.write(entry)?;
        self.mode = Mode::Provisioning(Upload {
            totals,
            received: Totals::default(),
            last: self.board.millis(),
        });
        Ok(Response::Accepted { received: 0 })
    }

    fn chunk(
        &mut self,
        part: Part,
        offset: u32,
        bytes: &[u8],
    ) -> Result<Response<'static>, Refusal> {
        let millis = self.board.millis();
        let upload = self.upload()?;
        upload.last = millis;
        let total = upload.totals.of(part);
        let start = vault::start(part).ok_or(bad(part, PartFault::NotUploaded))?;
        let received = upload
            .received(part)
            .ok_or(bad(part, PartFault::NotUploaded))?;
        if offset != *received {
            let expected = *received;
            return Err(bad(part, PartFault::Offset { expected }));
        }
        let left = total.saturating_sub(offset);
        let len = number(bytes.len());
        if len == 0 || len != left.min(number(CHUNK)) {
            return Err(bad(part, PartFault::ChunkSize));
        }
        *received = offset.saturating_add(len);
        let received = *received;
        let at = start.saturating_add(offset);
        if write_padded(self.board.provision(), at, bytes).is_err() {
            // What is there now is not known, and no place is written twice.
            self.discard()?;
            return Err(Refusal::Storage);
        }
        Ok(Response::Accepted { received })
    }

    /// Checks everything, and locks. An upload that is not complete is left as it is; one that is not
    /// right is destroyed.
    fn commit(&mut self) -> Result<Response<'static>, Refusal> {
        let upload = *self.upload()?;
        for part in PARTS {
            let received = upload.received.of(part);
            if received != upload.totals.of(part) {
                return Err(bad(part, PartFault::Missing { received }));
            }
        }
        let outcome = self.lock(upload.totals);
        match outcome {
            Ok(key) => Ok(Response::Provisioned { key }),
            Err(refusal) => {
                self.discard()?;
                // One entry for each upload, which has one already.
                let entry = self.entry(Event::Refused);
                let _ = self.write(Entry {
                    code: refusal.code(),
                    ..entry
                });
                Err(refusal)
            }
        }
    }

    #[inline(never)]
    fn lock(&mut self, totals: Totals) -> Result<[u8; 32], Refusal> {
        let journal = self.records.journal.as_ref().ok_or(Refusal::Storage)?;
        let mut manifest = Manifest {
            sequence: journal.next_sequence(),
            totals,
            headers: [Place::default(); _],
            digest: [0; 32],
        };
        encode_headers(&mut self.board, &mut manifest)?;
        self.board.feed_watchdog();
        manifest.digest = vault::digest(&self.board, &manifest).ok_or(Refusal::Storage)?;
        // Everything that a start proves is proved before there is anything to start from.
        self.load(&manifest)?;
        self.check_floor()?;
        vault::commit(self.board.provision(), &manifest).map_err(|_| Refusal::Storage)?;
        self.note_provisioned(&manifest)?;
        match &self.mode {
            Mode::Ready(keyed) => Ok(*keyed.key.spki_digest()),
            _ => Err(Refusal::PairwiseTest),
        }
    }

    /// A floor past the certificates' end would make a key that never signs.
    fn check_floor(&self) -> Result<(), Refusal> {
        let Mode::Ready(keyed) = &self.mode else {
            return Err(Refusal::Storage);
        };
        let floor = keyed.policy()?.time_floor;
        if keyed.ends().all(|end| floor <= end) {
            Ok(())
        } else {
            Err(bad(Part::Policy, PartFault::Rule))
        }
    }

    /// An upload whose host has gone leaves an empty device.
    pub(super) fn abandon_stale_upload(&mut self) {
        let millis = self.board.millis();
        if let Mode::Provisioning(upload) = &self.mode
            && millis.saturating_sub(upload.last) > MAX_PAUSE
        {
            // If the flash fails, the device is faulted and says so.
            let _ = self.discard();
        }
    }

    /// Destroys what was uploaded.
    fn discard(&mut self) -> Result<(), Refusal> {
        self.mode = Mode::Faulted(Refusal::Storage);
        let flash = self.board.provision();
        let blank = is_blank(flash, 0, PROVISION_LEN).map_err(|_| Refusal::Storage)?;
        if !blank {
            // The mark first: a manifest that was just written must not outlive a cut.
            vault::mark(flash)
                .and_then(|()| vault::erase(flash))
                .map_err(|_| Refusal::Storage)?;
        }
        self.mode = Mode::Empty;
        Ok(())
    }
}
