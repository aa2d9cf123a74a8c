//! What was accepted already. An assertion counts once (RFC 7523 section 3, point 7).

#[cfg(feature = "redis")]
mod redis;

use core::fmt;
use std::sync::Mutex;

use privyseal_core::UnixTime;
use privyseal_hsm::lock;

use crate::shares::Expiring;

#[cfg(feature = "redis")]
pub use self::redis::{RedisOptions, RedisStore};

/// Seconds by which the clocks of receivers that share a store may differ.
const SKEW: u64 = 5;

/// An assertion that every other check accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presented {
    /// Names the assertion: a SHA-256 over issuer, audience and `jti`.
    pub key: [u8; 32],
    /// Names who issued it: a SHA-256.
    pub issuer: [u8; 32],
    /// Not earlier than this it was made, by the receiver's clock.
    pub issued: UnixTime,
    /// From then on it is refused as expired.
    pub until: UnixTime,
    /// The receiver's clock.
    pub now: UnixTime,
}

/// What a store knows about an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "each decides")]
pub enum Seen {
    /// It was never presented, and now is remembered.
    First,
    /// It was presented before.
    Again,
    /// It may have been presented to a predecessor of the store, which has forgotten: it was made before the store's
    /// memory begins.
    MayBeForgotten,
}

/// Why a store cannot tell. Then nothing is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room for one more that has not expired: at all, or of this party.
    #[error("it has no room for one more of this party beside those that have not expired")]
    Full,
    /// It cannot be reached, or failed.
    #[error("it is away: {0}")]
    Away(String),
    /// Its URL names no server.
    #[error("its URL has {0}")]
    Url(&'static str),
    /// It is set up so that it cannot do its work.
    #[error("{0}")]
    Unfit(&'static str),
}

/// Remembers assertions until they expire. Of any number of calls with one key, at once or one after the other, exactly one
/// gets [`Seen::First`].
pub trait ReplayStore: fmt::Debug + Send + Sync {
    /// Remembers the assertion, unless it is known.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that cannot be told.
    fn remember(&self, presented: &Presented) -> Result<Seen, StoreError>;

    /// Whether the assertion is known, where that is told without a server: a replay then costs no other check.
    fn knows(&self, _key: &[u8; 32]) -> bool {
        false
    }
}

/// Remembers in the memory of this process: exactly, and never more than so many. (A cache makes room by forgetting, which
/// would let a replay in.)
pub struct MemoryStore {
    begins: Option<UnixTime>,
    seen: Mutex<Expiring<()>>,
}

impl MemoryStore {
    /// Room for so many assertions that have not expired. One more is refused: nothing is forgotten early. One issuer gets a
    /// third of what the others leave. An entry takes about 150 bytes.
    pub fn new(capacity: usize) -> Self {
        Self {
            begins: None,
            seen: Mutex::new(Expiring::new(capacity)),
        }
    }

    /// The same of a process that started at `now`: what was made before may have been presented to its predecessor, and is
    /// refused.
    #[must_use]
    pub const fn beginning(mut self, now: UnixTime) -> Self {
        self.begins = Some(now);
        self
    }
}

impl ReplayStore for MemoryStore {
    fn remember(&self, presented: &Presented) -> Result<Seen, StoreError> {
        if self.begins.is_some_and(|begins| presented.issued <= begins) {
            return Ok(Seen::MayBeForgotten);
        }
        let mut seen = lock(&self.seen);
        // A clock that is put back does not make good again what was forgotten.
        if seen.forget(presented.now) >= Some(presented.until) {
            return Ok(Seen::MayBeForgotten);
        }
        if seen.get(&presented.key).is_some() {
            return Ok(Seen::Again);
        }
        if seen.keep(presented.key, (), presented.issuer, presented.until) {
            Ok(Seen::First)
        } else {
            Err(StoreError::Full)
        }
    }

    fn knows(&self, key: &[u8; 32]) -> bool {
        lock(&self.seen).get(key).is_some()
    }
}

privyseal_core::opaque_debug! { [] MemoryStore: begins; }

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(1_800_000_000 + seconds).unwrap()
    }

    fn presented(key: u8, now: u64, until: u64) -> Presented {
        Presented {
            key: [key; 32],
            issuer: [key; 32],
            issued: at(now),
            until: at(until),
            now: at(now),
        }
    }

    #[test]
    fn an_assertion_counts_once() {
        let store = MemoryStore::new(10);
        assert_eq!(store.remember(&presented(1, 0, 30)), Ok(Seen::First));
        assert_eq!(store.remember(&presented(1, 29, 30)), Ok(Seen::Again));
        assert_eq!(store.remember(&presented(2, 29, 59)), Ok(Seen::First));
        assert!(store.knows(&[1; 32]));
    }

    #[test]
    fn a_full_store_refuses_and_forgets_nothing_before_its_end() {
        let store = MemoryStore::new(2);
        for key in [1, 2] {
            assert_eq!(store.remember(&presented(key, 0, 30)), Ok(Seen::First));
        }
        assert_eq!(store.remember(&presented(3, 29, 59)), Err(StoreError::Full));
        assert_eq!(store.remember(&presented(1, 29, 30)), Ok(Seen::Again));
        assert_eq!(store.remember(&presented(3, 30, 60)), Ok(Seen::First));
    }

    #[test]
    fn no_issuer_fills_the_store() {
        let store = MemoryStore::new(100);
        let of = |issuer: u8, key: u8, now| Presented {
            issuer: [issuer; 32],
            ..presented(key, now, now + 30)
        };
        let taken = (0..100).filter(|key| store.remember(&of(1, *key, 0)).is_ok());
        assert_eq!(taken.count(), 34);
        assert_eq!(store.remember(&of(1, 100, 29)), Err(StoreError::Full));
        assert_eq!(store.remember(&of(2, 101, 29)), Ok(Seen::First));
        assert_eq!(store.remember(&of(1, 100, 30)), Ok(Seen::First));
    }

    #[test]
    fn a_clock_that_is_put_back_makes_nothing_good_again() {
        let store = MemoryStore::new(10);
        assert_eq!(store.remember(&presented(1, 0, 30)), Ok(Seen::First));
        assert_eq!(store.remember(&presented(2, 40, 70)), Ok(Seen::First));
        assert_eq!(
            store.remember(&presented(1, 10, 30)),
            Ok(Seen::MayBeForgotten)
        );
    }

    #[test]
    fn what_was_made_before_the_store_began_may_be_forgotten() {
        let store = MemoryStore::new(10).beginning(at(0));
        assert_eq!(
            store.remember(&presented(1, 0, 30)),
            Ok(Seen::MayBeForgotten)
        );
        assert_eq!(store.remember(&presented(1, 1, 31)), Ok(Seen::First));
    }

    #[test]
    fn of_many_at_once_exactly_one_is_the_first() {
        let store = MemoryStore::new(10);
        let first = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| store.remember(&presented(1, 0, 30))))
                .collect();
            let seen = threads.into_iter().map(|thread| thread.join().unwrap());
            seen.filter(|seen| *seen == Ok(Seen::First)).count()
        });
        assert_eq!(first, 1);
    }
}
