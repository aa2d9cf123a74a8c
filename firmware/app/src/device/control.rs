//! What changes more than one assertion: the authority's word about time, renewing, and wiping.

use privyseal_core::UnixTime;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::VerifyingKey;
use privyseal_protocol::authority::{renewal_statement, set_time_statement};
use privyseal_protocol::{DeviceId, Entry, Event, Policy, Refusal, Response};

use super::start::challenge;
use super::{Asked, Machine, Mode};
use crate::board::Board;
use crate::limits::Clock;
use crate::vault::{self, Contents};

impl<B: Board> Machine<B> {
    /// Sets the time floor on the authority's word, forward or, where a clock was ahead, back. A refusal is in the log when
    /// this returns.
    #[inline(never)]
    pub(super) fn set_time(&mut self, id: u8, now: u64, signature: &[u8]) -> Result<(), Refusal> {
        let asked = Asked {
            now,
            ..Asked::default()
        };
        let floor = self
            .try_set_time(now, signature)
            .map_err(|refusal| self.refused(refusal, asked))?;
        self.send(id, &Response::TimeSet { floor });
        Ok(())
    }

    /// Gives the new floor.
    fn try_set_time(&mut self, now: u64, signature: &[u8]) -> Result<u64, Refusal> {
        let refusal = self.mode.refusal();
        let Mode::Ready(keyed) = &mut self.mode else {
            return Err(refusal);
        };
        let millis = self.board.millis();
        let debt = {
            let policy = keyed.policy()?;
            let debt = self.records.meter.one_more(policy.rate, millis)?;
            let statement = set_time_statement(&self.board.device_id(), &self.challenge, now);
            check_word(&policy, statement.as_bytes(), signature)?;
            debt
        };
        UnixTime::from_secs(now).map_err(|_| Refusal::Clock)?;
        // A challenge serves once, also if the flash fails now.
        self.challenge = challenge(keyed)?;
        let entry = Entry {
            time_floor: now,
            now,
            debt,
            ..self.entry(Event::TimeSet)
        };
        self.write(entry)?;
        self.clock = Clock::new(now, millis);
        Ok(now)
    }

    /// Gives up policy and chain for new ones, and keeps the key. A refusal is in the log when this returns.
    #[inline(never)]
    pub(super) fn renew(
        &mut self,
        id: u8,
        policy: [u8; 32],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        self.try_renew(&policy, signature)
            .map_err(|refusal| self.refused(refusal, Asked::default()))?;
        self.send(id, &Response::Accepted { received: 0 });
        Ok(())
    }

    fn try_renew(&mut self, next: &[u8; 32], signature: &[u8]) -> Result<(), Refusal> {
        let refusal = self.mode.refusal();
        let Mode::Ready(keyed) = &mut self.mode else {
            return Err(refusal);
        };
        let debt = {
            let policy = keyed.policy()?;
            let debt = self
                .records
                .meter
                .one_more(policy.rate, self.board.millis())?;
            if policy.fingerprint().as_ref() != Some(next) {
                let device = self.board.device_id();
                let statement = renewal_statement(&device, &self.challenge, next);
                check_word(&policy, statement.as_bytes(), signature)?;
            }
            debt
        };
        // A challenge serves once, also if the flash fails now.
        self.challenge = challenge(keyed)?;
        let Ok(Contents::Whole(_, record)) = vault::inspect(&mut self.board) else {
            return Err(Refusal::Storage);
        };
        let entry = self.entry(Event::RenewalBegun);
        let digest = *next;
        self.write(Entry {
            debt,
            digest,
            ..entry
        })?;
        if !vault::renew(&mut self.board, next).map_err(|_| Refusal::Storage)? {
            return Err(Refusal::Renewal);
        }
        // The key goes from RAM before the policy that guards it goes from the flash.
        self.mode = Mode::Faulted(Refusal::Storage);
        self.recover_born(&record)
    }

    /// Whether a policy may come that is this one: any, unless the key is renewed.
    pub(super) fn check_renewal(&mut self, policy: &Policy<'_>) -> Result<(), Refusal> {
        let (next, _) = vault::renewal(&mut self.board).map_err(|_| Refusal::Storage)?;
        if next.is_none() || next == policy.fingerprint() {
            Ok(())
        } else {
            Err(Refusal::Renewal)
        }
    }

    /// Destroys the key, and everything that came with it. The log stays, and a refusal is in it.
    #[inline(never)]
    pub(super) fn wipe(&mut self, id: u8, device: DeviceId) -> Result<(), Refusal> {
        self.try_wipe(device)
            .map_err(|refusal| self.refused(refusal, Asked::default()))?;
        self.send(id, &Response::Wiped);
        Ok(())
    }

    fn try_wipe(&mut self, device: DeviceId) -> Result<(), Refusal> {
        if matches!(self.mode, Mode::Empty) {
            return Err(self.mode.refusal());
        }
        if device != self.board.device_id() {
            return Err(Refusal::Device);
        }
        // The key goes from RAM first; and until all is done, this is what the device is.
        self.mode = Mode::Faulted(Refusal::Storage);
        self.challenge.fill(0);
        vault::mark(&mut self.board).map_err(|_| Refusal::Storage)?;
        self.finish_wipe()?;
        self.mode = Mode::Empty;
        Ok(())
    }

    /// Wipes what has the mark: also at the next start, if the power goes.
    pub(super) fn finish_wipe(&mut self) -> Result<(), Refusal> {
        // An entry that cannot be written must not keep the key alive. Time and rate begin again with the next key;
        // the log and the counter go on.
        let noted = if self.state().event == Event::Wiped {
            Ok(())
        } else {
            let entry = self.entry(Event::Wiped);
            self.write(Entry {
                faulted: false,
                time_floor: 0,
                debt: 0,
                ..entry
            })
        };
        // The entry may have erased a sector too.
        self.board.feed_watchdog();
        vault::erase(&mut self.board).map_err(|_| Refusal::Storage)?;
        noted
    }
}

/// Whether the policy's authority signed this.
fn check_word(policy: &Policy<'_>, statement: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    let key = policy
        .authority_key()
        .and_then(Result::ok)
        .ok_or(Refusal::Authority)?;
    let key = VerifyingKey::new(key).map_err(|_| Refusal::Authority)?;
    key.verify(&Algorithm::Rs256.digest(statement), signature)
        .map_err(|_| Refusal::Authority)
}
