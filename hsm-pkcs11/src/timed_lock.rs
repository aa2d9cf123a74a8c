//! A mutex that is waited for no longer than one wants to: a thread that holds it may be in a call of a module that
//! does not answer.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) struct TimedMutex<T> {
    taken: Mutex<bool>,
    freed: Condvar,
    /// Locked by the holder of the turn only.
    value: Mutex<T>,
}

/// Leave to use the value. Fields are dropped in this order.
pub(crate) struct TimedMutexGuard<'p, T> {
    value: MutexGuard<'p, T>,
    _turn: Turn<'p>,
}

struct Turn<'p> {
    taken: &'p Mutex<bool>,
    freed: &'p Condvar,
}

impl<T> TimedMutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            taken: Mutex::new(false),
            freed: Condvar::new(),
            value: Mutex::new(value),
        }
    }

    /// None if others hold it for as long as `wait`. A panic of theirs leaves the value as it was then.
    pub(crate) fn lock(&self, wait: Duration) -> Option<TimedMutexGuard<'_, T>> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut taken, _) = self
            .freed
            .wait_timeout_while(taken, wait, |taken| *taken)
            .unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *taken, true) {
            return None;
        }
        drop(taken);
        let turn = Turn {
            taken: &self.taken,
            freed: &self.freed,
        };
        Some(TimedMutexGuard {
            value: self.value.lock().unwrap_or_else(PoisonError::into_inner),
            _turn: turn,
        })
    }
}

impl<T> Deref for TimedMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for TimedMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_waited_for_and_no_longer_than_that() {
        let mutex = TimedMutex::new(1);
        let mut held = mutex.lock(Duration::ZERO).unwrap();
        *held += 1;
        assert!(mutex.lock(Duration::from_millis(10)).is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| mutex.lock(Duration::from_secs(60)).map(|held| *held));
            drop(held);
            assert_eq!(waiting.join().unwrap(), Some(2));
        });
        assert!(mutex.lock(Duration::ZERO).is_some(), "it was given back");
    }
}
