//! Locks that are waited for no longer than one wants to: a thread that holds one may be in a call of a module that
//! does not answer.

use std::sync::{TryLockError, TryLockResult};
use std::thread;
use std::time::{Duration, Instant};

use crate::limits::LOCK_POLL;

/// Takes a lock by polling; None if others hold it for as long as `wait`. A panic of theirs leaves the value as it was then.
/// A blocking lock could wait for ever: for a module that hangs, or, in a thread that holds a read lock already, for a
/// writer that waits.
pub(crate) fn lock_within<G>(
    wait: Duration,
    mut attempt: impl FnMut() -> TryLockResult<G>,
) -> Option<G> {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) if start.elapsed() < wait => thread::sleep(LOCK_POLL),
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn it_is_waited_for_and_no_longer_than_that() {
        let mutex = Mutex::new(1);
        let lock = |wait| lock_within(wait, || mutex.try_lock());
        let mut held = lock(Duration::ZERO).unwrap();
        *held += 1;
        assert!(lock(Duration::from_millis(10)).is_none());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lock(Duration::from_secs(60)).map(|held| *held));
            drop(held);
            assert_eq!(waiting.join().unwrap(), Some(2));
        });
        assert!(lock(Duration::ZERO).is_some(), "it was given back");
    }
}
