//! What changes more than one assertion: the authority's word about time, renewing, and wiping.

use core::hint::black_box;

use privyseal_core::UnixTime;
use privyseal_protocol::authority::{MAX_STATEMENT, renewal_statement, set_time_statement};
use privyseal_protocol::{DeviceId, Entry, Event, Policy, Refusal, Response};

use super::start::challenge;
use super::{Asked, Machine, Mode};
use crate::board::Board;
use crate::first_stage::is_signed;
use crate::limits::Clock;
use crate::vault::{self, Contents};

/// A line that the authority signs.
type Statement = heapless::String<MAX_STATEMENT>;

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
        let (millis, device, challenge) =
            (self.board.millis(), self.board.device_id(), self.challenge);
        let debt = self.with_word(signature, |_| {
            Some(set_time_statement(&device, &challenge, now))
        })?;
        UnixTime::from_secs(now).map_err(|_| Refusal::Clock)?;
        self.draw_challenge()?;
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
        let (device, challenge) = (self.board.device_id(), self.challenge);
        let debt = self.with_word(signature, |policy| {
            let is_other = policy.fingerprint().as_ref() != Some(black_box(next));
            is_other.then(|| renewal_statement(&device, &challenge, next))
        })?;
        self.draw_challenge()?;
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
        self.enter(Mode::Faulted(Refusal::Storage));
        self.recover_born(&record)
    }

    /// What is owed after what the authority has signed the line for; without a line it need not. Judged twice, so that no
    /// single fault takes another's word for the authority's.
    fn with_word(
        &mut self,
        signature: &[u8],
        line: impl Fn(&Policy<'_>) -> Option<Statement>,
    ) -> Result<u32, Refusal> {
        self.judged(signature, &line)?;
        self.judged(black_box(signature), &line)
    }

    #[inline(never)]
    fn judged(
        &mut self,
        signature: &[u8],
        line: &impl Fn(&Policy<'_>) -> Option<Statement>,
    ) -> Result<u32, Refusal> {
        let millis = self.board.millis();
        let Mode::Ready(keyed) = &self.mode else {
            return Err(self.mode.refusal());
        };
        let policy = keyed.policy()?;
        let debt = self.records.meter.one_more(policy.rate, millis)?;
        if let Some(line) = line(&policy) {
            check_word(&policy, line.as_bytes(), signature)?;
        }
        Ok(debt)
    }

    /// A challenge serves once, also if the flash fails then.
    fn draw_challenge(&mut self) -> Result<(), Refusal> {
        if let Mode::Ready(keyed) = &mut self.mode {
            self.challenge = challenge(keyed)?;
        }
        Ok(())
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
        // Twice, so that no single fault takes another device's name for its own.
        let is_own = |named: &DeviceId| *named == self.board.device_id();
        if !is_own(&device) || !is_own(black_box(&device)) {
            return Err(Refusal::Device);
        }
        // The key goes from RAM first; and until all is done, this is what the device is.
        self.enter(Mode::Faulted(Refusal::Storage));
        self.challenge.fill(0);
        vault::mark(&mut self.board).map_err(|_| Refusal::Storage)?;
        self.finish_wipe()?;
        self.enter(Mode::Empty);
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
    if is_signed(key, statement, signature) {
        Ok(())
    } else {
        Err(Refusal::Authority)
    }
}
