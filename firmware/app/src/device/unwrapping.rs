//! One content key: policy and rate are checked, the event is written, and only then the key is used.

use core::hint::black_box;

use privyseal_protocol::{Entry, Event, Refusal, Response};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Asked, Machine, Mode};
use crate::board::Board;
use crate::limits::Meter;
use crate::signals::wait_for_press;

/// The longest content key.
const MAX_LEN: usize = 64;

/// What the policy says.
struct Allowed {
    /// What is owed after it.
    debt: u32,
    /// Within how many seconds the button must be pressed, if it must.
    presence: Option<u8>,
    /// All ones, which the content key is masked with.
    mask: u8,
}

impl<B: Board> Machine<B> {
    /// Unwraps a content key and sends it. A refusal is in the log when this returns.
    #[inline(never)]
    pub(super) fn unwrap(&mut self, id: u8, ciphertext: &[u8]) -> Result<(), Refusal> {
        let outcome = self.try_unwrap(id, ciphertext);
        // The key was in it, and its frame.
        self.line.message.fill(0);
        self.settle(outcome, Asked::default())
    }

    /// Judged twice, as a statement is: before anything is done, and before the key leaves, by what is in the memory and in
    /// the log then. A fault in either is not enough.
    fn try_unwrap(&mut self, id: u8, ciphertext: &[u8]) -> Result<(), Refusal> {
        let before = self.records.meter;
        let Allowed { debt, presence, .. } = self.may_unwrap(&before)?;
        let pressed = presence.is_some_and(|seconds| wait_for_press(&mut self.board, seconds));
        if presence.is_some() && !pressed {
            return Err(Refusal::Presence);
        }
        let entry = self.entry(Event::Unwrapped);
        self.write(Entry {
            debt,
            digest: Sha256::digest(ciphertext).into(),
            ..entry
        })?;
        let mut key = Zeroizing::new([0; MAX_LEN]);
        let len = self.content_key(ciphertext, &mut key)?;
        let noted = self.state();
        let allowed = self.may_unwrap(&before).map_err(|_| Refusal::Fault)?;
        let is_noted = noted.event == Event::Unwrapped
            && noted.digest[..] == Sha256::digest(black_box(ciphertext))[..]
            && allowed.debt <= noted.debt;
        let is_pressed = allowed.presence.is_none() || black_box(pressed);
        if !is_noted || !is_pressed {
            return Err(Refusal::Fault);
        }
        for byte in key.iter_mut() {
            *byte &= allowed.mask;
        }
        self.board.feed_watchdog();
        let bytes = key.get(..len).unwrap_or(&[]);
        self.send(id, &Response::ContentKey { bytes });
        Ok(())
    }

    #[inline(never)]
    fn may_unwrap(&mut self, meter: &Meter) -> Result<Allowed, Refusal> {
        let millis = self.board.millis();
        let Mode::Ready(keyed) = &self.mode else {
            return Err(self.mode.refusal());
        };
        let policy = keyed.policy()?;
        let debt = meter.one_more(policy.rate, millis)?;
        let unwraps = policy.unwraps();
        if !black_box(unwraps) {
            return Err(Refusal::Unwrap);
        }
        Ok(Allowed {
            debt,
            presence: policy.presence,
            mask: 0_u8.wrapping_sub(black_box(unwraps).into()),
        })
    }

    /// What the engine makes of it, and how long it is.
    #[inline(never)]
    fn content_key(
        &mut self,
        ciphertext: &[u8],
        place: &mut [u8; MAX_LEN],
    ) -> Result<usize, Refusal> {
        let Self {
            board,
            mode,
            key,
            line,
            ..
        } = self;
        let Mode::Ready(keyed) = mode else {
            return Err(Refusal::Storage);
        };
        board.feed_watchdog();
        let (drbg, out) = (&mut keyed.drbg, &mut line.message);
        let unwrapped = key.open(board, |_, key| {
            let unwrapped = key.engine()?.unwrap_key(ciphertext, drbg, out);
            unwrapped.map_err(|_| Refusal::Fault)
        });
        board.feed_watchdog();
        let key = unwrapped?.ok_or(Refusal::Ciphertext)?;
        for (to, from) in place.iter_mut().zip(key) {
            *to = *from;
        }
        Ok(key.len())
    }
}
