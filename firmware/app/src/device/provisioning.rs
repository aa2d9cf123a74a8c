//! Provisioning: parts come in pieces, straight into the flash, or, where they are secret, into RAM; commit checks all
//! of them, encrypts what is secret, and locks.

use core::hint::black_box;

use privyseal_core::limits::MAX_CHAIN_DER;
use privyseal_protocol::{
    AtRest, CHUNK, Entry, Event, MAX_KEY, MAX_POLICY, MAX_SEED, MIN_SEED, Origin, Part, PartFault,
    Provision, Refusal, Response, Totals, UNLOCK_LEN, UnlockSecret,
};
use zeroize::Zeroize as _;

use super::{Born, Machine, Mode};
use crate::at_rest::{KeptUnder, PROOF_LEN, Secrets};
use crate::board::Board;
use crate::flash::write_padded;
use crate::keyed::{bad, encode_headers, keep, mapped_policy, policy_of, seeded};
use crate::numbers::Numbers;
use crate::vault::{self, KeyRecord, Manifest, Place};

/// The parts that are uploaded.
const PARTS: [Part; 5] = [
    Part::Key,
    Part::Policy,
    Part::Chain,
    Part::Seed,
    Part::Unlock,
];

/// An upload that was begun.
pub(super) struct Upload {
    totals: Totals,
    received: Totals,
    /// The key that the rest is for, if the device has made it.
    born: Option<Born>,
    staged: Staged,
    /// When the last step came, in the board's milliseconds.
    last: u64,
}

/// Secret parts of an upload. Wiped when they are dropped.
struct Staged {
    key: [u8; MAX_KEY],
    seed: [u8; MAX_SEED],
    unlock: [u8; UNLOCK_LEN],
}

impl Staged {
    const EMPTY: Self = Self {
        key: [0; MAX_KEY],
        seed: [0; MAX_SEED],
        unlock: [0; UNLOCK_LEN],
    };

    /// The place of a part, if it is secret.
    fn part(&mut self, part: Part) -> Option<&mut [u8]> {
        Some(match part {
            Part::Key => &mut self.key,
            Part::Seed => &mut self.seed,
            Part::Unlock => &mut self.unlock,
            _ => return None,
        })
    }

    fn wipe(&mut self) {
        self.key.zeroize();
        self.seed.zeroize();
        self.unlock.zeroize();
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.wipe();
    }
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
            Part::Unlock => &mut self.received.unlock,
            _ => return None,
        })
    }
}

/// The least and the most bytes of a part, with or without a key that is there already.
const fn bounds(part: Part, is_born: bool) -> (usize, usize) {
    match part {
        Part::Key | Part::Seed | Part::Unlock if is_born => (0, 0),
        Part::Key => (MIN_KEY, MAX_KEY),
        Part::Policy => (1, MAX_POLICY),
        Part::Chain => (0, MAX_CHAIN_DER),
        Part::Seed => (MIN_SEED, MAX_SEED),
        Part::Unlock => (0, UNLOCK_LEN),
        _ => (0, 0),
    }
}

/// The shortest key.
const MIN_KEY: usize = MAX_KEY / 2;

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
                if !matches!(self.mode, Mode::Generating(_)) {
                    self.upload()?;
                }
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
        let born = self.key_of_its_own();
        // Twice, so that no single fault has a device that is ready take another key.
        let has_no_policy = |mode: &_| matches!(mode, Mode::Empty | Mode::Uncertified(_));
        if !has_no_policy(&self.mode) || !has_no_policy(black_box(&self.mode)) {
            return Err(self.mode.refusal());
        }
        for part in PARTS {
            let (min, max) = bounds(part, born.is_some());
            let (min, max) = (number(min), number(max));
            let total = totals.of(part);
            // Of the unlock secret all or nothing.
            let is_half = part == Part::Unlock && total != 0 && total != max;
            if is_half || !(min..=max).contains(&total) {
                return Err(bad(part, PartFault::Size { min, max }));
            }
        }
        let entry = self.entry(Event::ProvisionBegun);
        self.write(entry)?;
        let last = self.board.millis();
        self.enter(Mode::Provisioning(Upload {
            totals,
            received: Totals::default(),
            born,
            staged: Staged::EMPTY,
            last,
        }));
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
        if let Some(place) = upload.staged.part(part) {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            for (to, from) in place.iter_mut().skip(from).zip(bytes) {
                *to = *from;
            }
            return Ok(Response::Accepted { received });
        }
        let start = vault::start(part).ok_or(bad(part, PartFault::NotUploaded))?;
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
        let upload = self.upload()?;
        let (totals, born) = (upload.totals, upload.born.clone());
        for part in PARTS {
            let received = upload.received.of(part);
            if received != totals.of(part) {
                return Err(bad(part, PartFault::Missing { received }));
            }
        }
        let outcome = self.lock(totals, born.as_ref());
        match outcome {
            Ok(key) => Ok(Response::Provisioned { key }),
            Err(refusal) => {
                self.discard_all_but(born)?;
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
    fn lock(&mut self, totals: Totals, born: Option<&Born>) -> Result<[u8; 32], Refusal> {
        let journal = self.records.journal.as_ref().ok_or(Refusal::Storage)?;
        let sequence = journal.next_sequence();
        let mut manifest = Manifest {
            sequence,
            policy: totals.policy,
            chain: totals.chain,
            headers: [Place::default(); _],
            digest: [0; 32],
            proof: [0; PROOF_LEN],
        };
        self.check_policy(&manifest)?;
        encode_headers(&mut self.board, &mut manifest)?;
        self.board.feed_watchdog();
        manifest.digest = manifest.digest(&self.board).ok_or(Refusal::Storage)?;
        let (key, under) = match born {
            Some(born) => (born.record, born.under.clone()),
            None => self.imported(sequence, totals)?,
        };
        manifest.proof = manifest.proof_under(&under, &key);
        // Everything that a start proves is proved before there is anything to start from.
        self.load(&manifest, &key, &under)?;
        self.check_rules(&key)?;
        // Once more, since the authority's word is worth nothing without it.
        self.check_policy(black_box(&manifest))?;
        vault::commit(self.board.provision(), &manifest).map_err(|_| Refusal::Storage)?;
        self.note_provisioned(&manifest, &key)?;
        match &self.mode {
            Mode::Ready(keyed) => Ok(*keyed.key.spki_digest()),
            _ => Err(Refusal::PairwiseTest),
        }
    }

    /// Encrypts a key that was uploaded and writes it, and the record of it: by itself it counts for nothing. Nothing is
    /// written among the secrets once the key was loaded from there.
    #[inline(never)]
    fn imported(
        &mut self,
        sequence: u32,
        totals: Totals,
    ) -> Result<(KeyRecord, KeptUnder), Refusal> {
        // Another than that of the generator which comes next: the salt that is drawn here anyone may read in the flash.
        let nonce = self.nonce().map(|byte| !byte);
        let refusal = self.mode.refusal();
        let Mode::Provisioning(Upload { staged, .. }) = &mut self.mode else {
            return Err(refusal);
        };
        let record = KeyRecord {
            sequence,
            origin: Origin::Imported,
            board_entropy: false,
            at_rest: AtRest::default(),
            key: totals.key,
            digest: [0; 32],
        };
        let len = |len: u32| usize::try_from(len).unwrap_or(usize::MAX);
        let malformed = bad(Part::Key, PartFault::Malformed);
        let numbers = staged.key.get(..len(totals.key)).and_then(Numbers::read);
        let Numbers { modulus, p, q } = numbers.ok_or(malformed)?;
        let seed = staged.seed.get(..len(totals.seed)).unwrap_or(&[]);
        let secrets = Secrets::of(seed, [p, q]).ok_or(malformed)?;
        let unlock = UnlockSecret(staged.unlock);
        let unlock = (totals.unlock != 0).then_some(&unlock);
        let board = &mut self.board;
        let mut drbg = seeded(board, seed, false, &nonce)?;
        let kept = keep(board, &mut drbg, record, modulus, secrets, unlock)?;
        staged.wipe();
        vault::write_record(board.secrets(), &kept.0).map_err(|_| Refusal::Storage)?;
        Ok(kept)
    }

    /// A key that is renewed takes no other policy than was agreed.
    #[inline(never)]
    fn check_policy(&mut self, manifest: &Manifest) -> Result<(), Refusal> {
        let policy = mapped_policy(&self.board, manifest)?;
        self.check_renewal(&policy_of(policy.as_ref())?)
    }

    /// A key that the device has made must be as random as the policy says; and a floor past the certificates' end
    /// would make a key that never signs.
    fn check_rules(&self, key: &KeyRecord) -> Result<(), Refusal> {
        let Mode::Ready(keyed) = &self.mode else {
            return Err(Refusal::Storage);
        };
        let policy = keyed.policy()?;
        if policy.board_entropy && key.origin == Origin::Generated && !key.board_entropy {
            return Err(Refusal::KeyEntropy);
        }
        if policy.unlock && !key.at_rest.unlock_secret {
            return Err(Refusal::KeyUnlock);
        }
        let floor = policy.time_floor;
        if keyed.ends().all(|end| floor <= end) {
            Ok(())
        } else {
            Err(bad(Part::Policy, PartFault::Rule))
        }
    }

    /// An upload whose host has gone leaves an empty device.
    #[inline(never)]
    pub(super) fn abandon_stale_upload(&mut self) {
        let millis = self.board.millis();
        if let Mode::Provisioning(upload) = &self.mode
            && millis.saturating_sub(upload.last) > MAX_PAUSE
        {
            // If the flash fails, the device is faulted and says so.
            let _ = self.discard();
        }
    }

    /// The key that the device has made and that has no certificate yet, if it is so.
    pub(super) fn key_of_its_own(&self) -> Option<Born> {
        match &self.mode {
            Mode::Uncertified(born) => Some(born.clone()),
            Mode::Provisioning(upload) => upload.born.clone(),
            _ => None,
        }
    }

    /// Destroys what was uploaded or is being made, and leaves a key that is made.
    pub(super) fn discard(&mut self) -> Result<(), Refusal> {
        let born = self.key_of_its_own();
        self.discard_all_but(born)
    }

    fn discard_all_but(&mut self, born: Option<Born>) -> Result<(), Refusal> {
        self.enter(Mode::Faulted(Refusal::Storage));
        let board = &mut self.board;
        let mode = if let Some(born) = born {
            vault::erase_upload(board).map_err(|_| Refusal::Storage)?;
            Mode::Uncertified(born)
        } else {
            if !vault::is_erased(board).map_err(|_| Refusal::Storage)? {
                // The mark first: a manifest that was just written must not outlive a cut.
                vault::mark(board)
                    .and_then(|()| vault::erase(board))
                    .map_err(|_| Refusal::Storage)?;
            }
            Mode::Empty
        };
        self.enter(mode);
        Ok(())
    }
}
