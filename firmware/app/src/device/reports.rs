//! What the device tells of itself: info, public parts, log.

use privyseal_core::encoding::sink::SliceSink;
use privyseal_core::rsa::spki::write_spki;
use privyseal_protocol::{Info, MAX_DATA, Part, Refusal, Response};

use super::{Machine, Mode};
use crate::board::Board;
use crate::journal::{Journal, StorageError};

/// Bytes of the SubjectPublicKeyInfo of RSA-2048, at least.
const MAX_SPKI: usize = 320;

impl<B: Board> Machine<B> {
    #[inline(never)]
    pub(super) fn info(&mut self, id: u8) {
        let millis = self.board.millis();
        let state = self.state();
        let (key, time_ceiling, rate_left) = match &self.mode {
            Mode::Ready(keyed) => {
                let policy = keyed.policy();
                let (ceiling, left) = policy.map_or((0, 0), |policy| {
                    (
                        self.clock.ceiling(&policy, millis),
                        self.records.meter.left(policy.rate, millis),
                    )
                });
                (Some(*keyed.key.spki_digest()), ceiling, left)
            }
            _ => (None, 0, 0),
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
            key,
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
        };
        self.send(id, &Response::Info(info));
    }

    #[inline(never)]
    pub(super) fn read(&mut self, id: u8, part: Part, offset: u32) -> Result<(), Refusal> {
        let Mode::Ready(keyed) = &self.mode else {
            return Err(self.mode.refusal());
        };
        let mut spki = [0; MAX_SPKI];
        let whole = match part {
            Part::Policy => keyed.policy.as_ref(),
            Part::Chain => keyed.chain.as_ref(),
            Part::PublicKey => {
                let mut sink = SliceSink::new(&mut spki);
                let written = write_spki(keyed.key.public_key(), &mut sink);
                let refusal = Refusal::NotReadable(part);
                written.and(sink.finish()).map_err(|_| refusal)?
            }
            _ => return Err(Refusal::NotReadable(part)),
        };
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| whole.get(offset..))
            .unwrap_or(&[]);
        let (bytes, _) = rest.split_at_checked(MAX_DATA).unwrap_or((rest, &[]));
        let response = Response::Data {
            part,
            total: u32::try_from(whole.len()).unwrap_or(u32::MAX),
            offset,
            bytes,
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
