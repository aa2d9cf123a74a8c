//! What a registry said, kept: one request for all who wait, got again ahead of its end, never used past its limit.

use core::fmt::Display;
use core::time::Duration;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use privyseal_hsm::lock;

use crate::shares::{Holder, Place, Room};

privyseal_hsm::options! {
    /// How long what a registry said is used.
    pub struct CachePolicy {
        /// From this age on it is asked for again in the background, while what is known is used.
        refresh_after: Duration = Duration::from_secs(240),
        /// From this age on (or `refresh_after`, if that is longer) it is asked for first, and used where the registry does not
        /// answer in time.
        life: Duration = Duration::from_secs(300),
        /// How long the registry may take then, for the list and a party together. Once it has not answered, what is known is
        /// used at once until it does.
        patience: Duration = Duration::from_secs(3),
        /// How long a caller waits for what is not known at all. What comes later is there for who asks then.
        wait: Duration = Duration::from_secs(10),
        /// From this age on it is not used, however long the registry is away.
        limit: Duration = Duration::from_secs(3600),
        /// How long a bad answer is kept: no such party, not active.
        negative: Duration = Duration::from_secs(30),
        /// How many parties are kept at most.
        max_parties: usize = 10_000,
        /// How many callers may wait at once for the trusted list, as many for parties, and as many for what CAs publish about
        /// revocation: the others are known, and do not wait. Of these places one organization gets a third of those that the
        /// others leave.
        max_waiting: usize = 96,
    }
}

/// Values by name. `E` is why one cannot be loaded.
#[derive(Debug)]
pub(crate) struct Cache<V, E> {
    policy: CachePolicy,
    room: Room,
    /// Whether the server, which other caches may ask, too, did not answer when it was asked last for what is known.
    pub(crate) is_away: Arc<AtomicBool>,
    /// Whether a value may be used while it is got again; one that is not is used for a short time only.
    is_good: fn(&V) -> bool,
    slots: Mutex<HashMap<String, Arc<Slot<V, E>>>>,
}

#[derive(Debug)]
struct Slot<V, E> {
    state: Mutex<State<V, E>>,
    loaded: Condvar,
}

#[derive(Debug)]
struct State<V, E> {
    value: Option<(V, Instant)>,
    /// Since when it is being loaded, if it is.
    loading: Option<Instant>,
    failed: Option<(E, Instant)>,
}

/// How long nobody asks again after a failure, while there is a value.
const PAUSE: Duration = Duration::from_secs(5);

/// The same, while there is none.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

impl<V, E> Cache<V, E>
where
    V: Clone + Send + 'static,
    E: Display + Send + 'static,
{
    pub(crate) fn new(policy: CachePolicy, room: Room, is_good: fn(&V) -> bool) -> Self {
        Self {
            policy,
            room,
            is_away: Arc::default(),
            is_good,
            slots: Mutex::default(),
        }
    }

    /// The value of that name: the one that is known, or what `load` gives; or why there is none. Who may have to wait is
    /// `holder`, whose question has `begun`.
    pub(crate) fn get(
        &self,
        name: &str,
        holder: &Holder,
        begun: Instant,
        load: impl Fn() -> Result<V, E> + Send + 'static,
    ) -> Result<V, String> {
        let slot = self.slot(name);
        let mut state = lock(&slot.state);
        let policy = &self.policy;
        let Some((value, since)) = self.known(&state) else {
            // What comes is for this caller, or for another who asked before, if it comes in time.
            let failed = state.failed_within(SHORT_PAUSE);
            if let Some(error) = failed.filter(|_| state.loading.is_none()) {
                return Err(error.to_string());
            }
            let mut place = Some(self.room.place(holder).ok_or("too many wait for it")?);
            if state.loading.is_none() {
                // Its time is over.
                state.value = None;
                slot.load(&mut state, load, place.take());
            }
            let state = slot.loaded_within(policy.wait, state);
            return match (&state.value, &state.failed) {
                (Some((value, _)), _) => Ok(value.clone()),
                (None, Some((error, _))) if state.loading.is_none() => Err(error.to_string()),
                // Or who loaded it ended without an outcome.
                _ => Err("it has not answered in time".to_owned()),
            };
        };
        if !(self.is_good)(&value) {
            return Ok(value);
        }
        // It is got again ahead of its end, and first where it is old: then this waits a little.
        let age = since.elapsed();
        let may_be_tried = state.loading.is_none() && state.failed_within(PAUSE).is_none();
        if age >= policy.refresh_after && may_be_tried {
            let is_away = Arc::clone(&self.is_away);
            let load = move || {
                let outcome = load();
                is_away.store(outcome.is_err(), Ordering::Relaxed);
                outcome
            };
            slot.load(&mut state, load, None);
        }
        let is_old = age >= policy.life.max(policy.refresh_after);
        let is_silent =
            self.is_away.load(Ordering::Relaxed) || state.failed_within(policy.life).is_some();
        let since = state.loading.filter(|_| is_old && !is_silent);
        let left = since.map(|since| policy.patience.saturating_sub(since.min(begun).elapsed()));
        let left = left.filter(|left| !left.is_zero());
        let Some((left, _place)) = left.zip(left.and_then(|_| self.room.place(holder))) else {
            return Ok(value);
        };
        let state = slot.loaded_within(left, state);
        self.is_away
            .fetch_or(state.loading.is_some(), Ordering::Relaxed);
        let loaded = state.value.as_ref();
        Ok(loaded.map_or(value, |(value, _)| value.clone()))
    }

    /// Whether there is a value of that name that may be used.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        let slot = lock(&self.slots).get(name).cloned();
        slot.is_some_and(|slot| self.known(&lock(&slot.state)).is_some())
    }

    /// Has what is known got again before it is used again, if it is to be had.
    pub(crate) fn outdate(&self, name: &str) {
        let slot = self.slot(name);
        let mut state = lock(&slot.state);
        let old = Instant::now().checked_sub(self.policy.life.max(self.policy.refresh_after));
        if let (Some((_, since)), Some(old)) = (&mut state.value, old) {
            *since = old.min(*since);
        }
    }

    /// The value, and since when it is there, as long as it may be used.
    fn known(&self, state: &State<V, E>) -> Option<(V, Instant)> {
        let (value, since) = state.value.as_ref()?;
        let life = if (self.is_good)(value) {
            self.policy.limit
        } else {
            self.policy.negative
        };
        (since.elapsed() < life).then(|| (value.clone(), *since))
    }

    fn slot(&self, name: &str) -> Arc<Slot<V, E>> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(name) {
            return Arc::clone(slot);
        }
        if slots.len() >= self.policy.max_parties {
            slots.retain(|_, slot| {
                let state = lock(&slot.state);
                state.loading.is_some() || self.known(&state).is_some()
            });
        }
        let slot = Arc::new(Slot {
            state: Mutex::new(State {
                value: None,
                loading: None,
                failed: None,
            }),
            loaded: Condvar::new(),
        });
        // Where all are in use, what is new is asked for, and not kept.
        if slots.len() < self.policy.max_parties {
            slots.insert(name.to_owned(), Arc::clone(&slot));
        }
        slot
    }
}

impl<V: Send + 'static, E: Send + 'static> Slot<V, E> {
    /// Loads in the background, and has the `place` until the end. Then those go on who wait: also where `load` panics.
    fn load(
        self: &Arc<Self>,
        state: &mut State<V, E>,
        load: impl Fn() -> Result<V, E> + Send + 'static,
        place: Option<Place>,
    ) {
        let slot = Arc::clone(self);
        let loading = thread::Builder::new().spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(load));
            // Given back before those who wait go on.
            drop(place);
            let mut state = lock(&slot.state);
            state.loading = None;
            match outcome {
                Ok(Ok(value)) => {
                    state.value = Some((value, Instant::now()));
                    state.failed = None;
                }
                Ok(Err(error)) => state.failed = Some((error, Instant::now())),
                // The panic is told by its hook.
                Err(_) => {}
            }
            slot.loaded.notify_all();
        });
        // Without a thread for it, the next who asks tries again.
        state.loading = loading.ok().map(|_| Instant::now());
    }

    /// The state once it is loaded, or that time is over.
    fn loaded_within<'s>(
        &self,
        time: Duration,
        state: MutexGuard<'s, State<V, E>>,
    ) -> MutexGuard<'s, State<V, E>> {
        let is_loading = |state: &mut State<V, E>| state.loading.is_some();
        let waited = self.loaded.wait_timeout_while(state, time, is_loading);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl<V, E> State<V, E> {
    /// A server that is away is not asked again by every caller.
    fn failed_within(&self, pause: Duration) -> Option<&E> {
        let (error, at) = self.failed.as_ref()?;
        (at.elapsed() < pause).then_some(error)
    }
}

#[cfg(test)]
mod tests;
