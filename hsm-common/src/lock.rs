//! Mutexes that go on after a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the mutex guards, also where a thread panicked with it: for what is whole after each statement.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
