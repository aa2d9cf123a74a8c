//! What the device tells of itself: info, public parts, log.

use core::hint::black_box;

use privyseal_core::RsaPublicKey;
use privyseal_core::encoding::sink::SliceSink;
use privyseal_core::limits::MAX_CHAIN_DER;
use privyseal_core::rsa::spki::write_spki;
use privyseal_protocol::{Info, MAX_DATA, MAX_POLICY, Part, Rate, Refusal, Response};

use super::unlocking::Locked;
use super::{Born, Machine, Mode};
use crate::board::Board;
use crate::journal::{Journal, StorageError};
use crate::keyed::public_key;
use crate::limits::Meter;

/// Bytes of the SubjectPublicKeyInfo of RSA-4096, at least: a power of two.
const MAX_SPKI: usize = 1024;

/// How often something may be read: enough to read all of it some ten times at once, and once in three minutes
/// from then on. Whoever tries faults on reads has so many tries.
const READS: Rate = Rate {
    assertions: 600,
    seconds: 150,
};

const _: () = assert!(
    MAX_POLICY.is_power_of_two() && MAX_CHAIN_DER.is_power_of_two() && MAX_SPKI.is_power_of_two()
);

/// The SubjectPublicKeyInfo.
fn written<'a>(key: &RsaPublicKey, spki: &'a mut [u8; MAX_SPKI]) -> Result<&'a [u8], Refusal> {
    let mut sink = SliceSink::new(spki);
    let written = write_spki(key, &mut sink).and(sink.finish());
    written.map_err(|_| Refusal::NotReadable(Part::PublicKey))
}

impl<B: Board> Machine<B> {
    #[inline(never)]
    pub(super) fn info(&mut self, id: u8) {
        let millis = self.board.millis();
        let state = self.state();
        let held = match &self.mode {
            Mode::Ready(keyed) => Some((*keyed.key.spki_digest(), keyed.origin, keyed.at_rest)),
            Mode::Locked(Locked { record, key, .. }) => Some((*key, record.origin, record.at_rest)),
            _ => self
                .key_of_its_own()
                .map(|Born { record, key, .. }| (key, record.origin, record.at_rest)),
        };
        let (time_ceiling, rate_left) = match &self.mode {
            Mode::Ready(keyed) => {
                let policy = keyed.policy();
                policy.map_or((0, 0), |policy| {
                    (
                        self.clock.ceiling(&policy, millis),
                        self.records.meter.left(policy.rate, millis),
                    )
                })
            }
            _ => (0, 0),
        };
        let info = Info {
            firmware: env!("CARGO_PKG_VERSION"),
            image: self.board.image_hash(),
            device: self.board.device_id(),
            read_out: self.board.read_out(),
            state: self.mode.state(),
            fault: match self.mode {
                Mode::Faulted(refusal) => Some(refusal),
                _ => None,
            },
            key: held.map(|(key, ..)| key),
            counter: state.counter,
            time_floor: state.time_floor,
            time_ceiling,
            challenge: self.challenge,
            rate_left,
            boots: state.boots,
            uptime: millis,
            log_next: self
                .records
                .journal
                .as_ref()
                .map_or(0, Journal::next_sequence),
            bad_frames: self.bad_frames,
            origin: held.map(|(_, origin, _)| origin),
            generation: match &self.mode {
                Mode::Generating(generating) => Some(generating.progress()),
                _ => None,
            },
            at_rest: held.map(|(.., at_rest)| at_rest),
        };
        self.send(id, &Response::Info(info));
    }

    #[inline(never)]
    pub(super) fn read(&mut self, id: u8, part: Part, offset: u16) -> Result<(), Refusal> {
        if !matches!(
            self.mode,
            Mode::Ready(_) | Mode::Uncertified(_) | Mode::Locked(_)
        ) {
            return Err(self.mode.refusal());
        }
        let millis = self.board.millis();
        match self.reads.one_more(READS, millis) {
            Ok(debt) => self.reads = Meter::new(debt, millis),
            Err(refusal) => {
                self.records.unlogged = self.records.unlogged.saturating_add(1);
                return Err(refusal);
            }
        }
        let mut spki = [0; MAX_SPKI];
        let (whole, reach) = match (part, &self.mode) {
            (Part::Policy, Mode::Ready(keyed)) => (keyed.policy.as_ref(), MAX_POLICY),
            (Part::Chain, Mode::Ready(keyed)) => (keyed.chain.as_ref(), MAX_CHAIN_DER),
            (Part::PublicKey, Mode::Ready(keyed)) => {
                (written(keyed.key.public_key(), &mut spki)?, MAX_SPKI)
            }
            (
                Part::PublicKey,
                Mode::Uncertified(Born { record, .. }) | Mode::Locked(Locked { record, .. }),
            ) => (
                written(&public_key(&self.board, record)?, &mut spki)?,
                MAX_SPKI,
            ),
            _ => return Err(Refusal::NotReadable(part)),
        };
        // Compared, and cut to what a part may have: past what may be read no single fault reaches. Hidden from
        // the compiler, which would leave out what the comparison makes superfluous.
        let place = usize::from(offset);
        let is_within = place <= whole.len();
        let place = black_box(place) & reach.saturating_sub(1);
        let rest = whole.get(place..).filter(|_| is_within).unwrap_or(&[]);
        let mut piece = [0; MAX_DATA];
        let len = rest.len().min(MAX_DATA);
        for (to, from) in piece.iter_mut().zip(rest) {
            *to = *from;
        }
        let response = Response::Data {
            part,
            total: u32::try_from(whole.len()).unwrap_or(u32::MAX),
            offset: offset.into(),
            bytes: piece.get(..len).unwrap_or(&[]),
        };
        let _ = self.line.send(&mut self.board, id, &response);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn log(&mut self, id: u8, from: u32, max: u16) -> Result<(), Refusal> {
        let Self {
            board,
            line,
            records,
            ..
        } = self;
        let storage = |StorageError| Refusal::Storage;
        let journal = records.journal.as_ref().ok_or(Refusal::Storage)?;
        let first = journal.oldest(board.journal()).map_err(storage)?;
        let mut left = max;
        for place in 0..Journal::places(board.journal()) {
            if left == 0 {
                break;
            }
            let found = journal.at(board.journal(), place).map_err(storage)?;
            let Some((entry, record)) = found else {
                continue;
            };
            if entry.sequence < from.max(first) {
                continue;
            }
            left = left.saturating_sub(1);
            let response = Response::Entry { record: &record };
            if line.send(board, id, &response).is_err() {
                return Ok(());
            }
        }
        let end = Response::LogEnd {
            first,
            next: journal.next_sequence(),
            head: *journal.head(),
        };
        let _ = line.send(board, id, &end);
        Ok(())
    }
}
