//! A key that is kept under an unlock secret: the device has it, and cannot read it before its host gives the secret.

use core::hint::black_box;

use privyseal_protocol::{Entry, Event, Rate, Refusal, Response, UnlockSecret};

use super::{Asked, Born, Machine, Mode};
use crate::board::Board;
use crate::keyed::{kept_under, secrets};
use crate::limits::limit;
use crate::vault::{KeyRecord, Manifest};

/// How often a secret may be tried. A wrong one counts twice, since it has two entries in the log; a right one not at
/// all. Switching off and on forgives nothing.
pub(super) const TRIES: Rate = Rate {
    assertions: 10,
    seconds: 600,
};

/// What a locked device has.
#[derive(Clone, Copy)]
pub(super) struct Locked {
    pub(super) record: KeyRecord,
    /// Unless it waits for its certificate.
    pub(super) manifest: Option<Manifest>,
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    pub(super) key: [u8; 32],
}

impl<B: Board> Machine<B> {
    /// Takes the unlock secret. A refusal is in the log when this returns.
    #[inline(never)]
    pub(super) fn unlock(&mut self, id: u8, secret: &UnlockSecret) -> Result<(), Refusal> {
        let Mode::Locked(locked) = &self.mode else {
            return Err(self.mode.refusal());
        };
        let locked = *locked;
        let outcome = self.try_unlock(&locked, secret);
        // Not by the outcome alone, which one fault can turn.
        let is_locked = matches!(black_box(&self.mode), Mode::Locked(_));
        match outcome {
            Ok(()) if !is_locked => {
                self.send(id, &Response::Unlocked);
                Ok(())
            }
            // Reading the key is what failed, and not the secret.
            Err(refusal) if !is_locked => Err(refusal),
            outcome => {
                let refusal = outcome.err().unwrap_or(Refusal::Unlock);
                Err(self.refused(refusal, Asked::default()))
            }
        }
    }

    #[inline(never)]
    fn try_unlock(&mut self, locked: &Locked, secret: &UnlockSecret) -> Result<(), Refusal> {
        let Locked {
            record,
            manifest,
            key,
        } = *locked;
        let (millis, before) = (self.board.millis(), self.records.meter);
        let debt = before.one_more(TRIES, millis)?;
        // In the flash before it is tried: to cut the power at the refusal gains nothing.
        let tried = self.entry(Event::UnlockTried);
        self.write(Entry { debt, ..tried })?;
        let under = kept_under(&mut self.board, &record, Some(secret))?;
        drop(secrets(&self.board, &record, &under)?);
        match manifest {
            None => self.enter(Mode::Uncertified(Born { record, under, key })),
            Some(manifest) => {
                let loaded = self.load(&manifest, &record, &under);
                loaded.map_err(|refusal| {
                    let refusal = self.not_ready(refusal);
                    self.enter(Mode::Faulted(refusal));
                    refusal
                })?;
            }
        }
        self.note_unlocked(before.debt(millis))
            .inspect_err(|refusal| {
                self.enter(Mode::Faulted(*refusal));
            })
    }

    /// This try has cost nothing, and wrong ones before it no more than the policy's rate lets anything cost: else its
    /// host would wait for them.
    fn note_unlocked(&mut self, debt: u32) -> Result<(), Refusal> {
        let most = match &self.mode {
            Mode::Ready(keyed) => limit(keyed.policy()?.rate),
            _ => limit(TRIES),
        };
        let unlocked = self.entry(Event::Unlocked);
        self.write(Entry {
            debt: debt.min(most),
            ..unlocked
        })
    }
}
