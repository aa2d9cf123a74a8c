//! Where requests wait for hardware or for a server.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use hyper::StatusCode;
use privyseal_hsm::lock;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;
use tokio::task::block_in_place;
use tokio::time::timeout;

use super::Served;
use crate::problem::Problem;
use crate::stream::{Connection, ending};

/// Requests that may wait at one desk: a module that hangs holds no more threads.
const MAX_AT_ONCE: usize = 32;

/// How long a request waits for its turn, and then for its answer.
const TURN_WAIT: Duration = Duration::from_secs(10);
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How long it waits for a key that answers nobody: longer than it takes to pass over two references that hang.
pub(super) const SILENCE_LIMIT: Duration = Duration::from_secs(15);

pub(super) struct Desk {
    turns: Arc<Semaphore>,
    /// When one was done last.
    done: Arc<Mutex<Option<Instant>>>,
    /// How long one waits while none is done.
    silence: Duration,
}

impl Desk {
    pub(super) fn new(silence: Duration) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(MAX_AT_ONCE)),
            done: Arc::default(),
            silence,
        }
    }

    /// Waits for a turn. The work has it for as long as it takes, however long anybody waits for it.
    pub(super) async fn turn<T, W: FnOnce() -> Result<T, Problem>>(
        &self,
        in_use: Gauge,
        work: W,
    ) -> Result<impl FnOnce() -> Result<T, Problem> + use<T, W>, Problem> {
        let turn = timeout(TURN_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let detail = format!("{MAX_AT_ONCE} requests of this profile wait already");
            return Err(Problem::unavailable("busy", detail));
        };
        let done = Arc::clone(&self.done);
        Ok(move || {
            let _turn = (turn, InUse::new(in_use));
            let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                let detail = "the request was not completed";
                Err(Problem::new(status, "internal", detail))
            });
            // What fails does not show that the key answers.
            if outcome.is_ok() {
                *lock(&done) = Some(Instant::now());
            }
            outcome
        })
    }

    /// Whether one that waits since `begun` is to wait no longer.
    fn is_silent(&self, begun: Instant) -> bool {
        let last = lock(&self.done).map_or(begun, |done| done.max(begun));
        last.elapsed() >= self.silence || begun.elapsed() >= ANSWER_LIMIT
    }
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) desk: fn(&Served) -> &Desk,
    /// Counts one that is given up.
    pub(super) given_up: fn(&Served),
}

/// The requests whose threads are in a call that may not end: others answer them then.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Vec<Waits>>);

struct Waits {
    connection: Arc<Connection>,
    served: Arc<Served>,
    kind: Kind,
    begun: Instant,
}

impl Waiting {
    /// Does `work` on this thread, while others do what else it has to do. Nothing, if that was given up meanwhile.
    pub(super) fn during<T>(
        &self,
        connection: &Arc<Connection>,
        served: &Arc<Served>,
        kind: Kind,
        work: impl FnOnce() -> T,
    ) -> Option<T> {
        lock(&self.0).push(Waits {
            connection: Arc::clone(connection),
            served: Arc::clone(served),
            kind,
            begun: Instant::now(),
        });
        let outcome = block_in_place(work);
        let mut waiting = lock(&self.0);
        let is_it = |it: &Waits| Arc::ptr_eq(&it.connection, connection);
        let place = waiting.iter().position(is_it)?;
        waiting.swap_remove(place);
        Some(outcome)
    }

    /// Answers those who waited long enough.
    pub(crate) fn give_up(&self) {
        let is_silent = |it: &mut Waits| (it.kind.desk)(&it.served).is_silent(it.begun);
        let silent: Vec<_> = lock(&self.0).extract_if(.., is_silent).collect();
        for it in silent {
            (it.kind.given_up)(&it.served);
            it.connection.refuse(&no_answer());
        }
    }

    /// Answers all: the agent ends.
    pub(crate) fn end(&self) {
        for it in core::mem::take(&mut *lock(&self.0)) {
            it.connection.refuse(&ending());
        }
    }
}

pub(super) fn no_answer() -> Problem {
    let status = StatusCode::GATEWAY_TIMEOUT;
    let detail = "the key or the server did not answer in time";
    Problem {
        key_state: Some("away"),
        ..Problem::new(status, "timeout", detail)
    }
}

/// Counted while it lives.
struct InUse(Gauge);

impl InUse {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_fail_do_not_make_one_wait_longer() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let desk = Desk::new(Duration::from_millis(10));
        let done = |outcome: fn() -> Result<(), Problem>| {
            let work = runtime.block_on(desk.turn(Gauge::default(), outcome));
            work.unwrap()()
        };
        let begun = Instant::now();
        std::thread::sleep(desk.silence);
        let failed = done(|| Err(no_answer())).unwrap_err();
        assert_eq!(failed.kind, "timeout");
        let panicked = done(|| panic!("a module")).unwrap_err();
        assert_eq!(panicked.kind, "internal");
        assert!(desk.is_silent(begun));
        // Until the key answers somebody.
        let desk = Desk {
            silence: ANSWER_LIMIT / 2,
            ..desk
        };
        let long_ago = begun.checked_sub(desk.silence).unwrap();
        assert!(desk.is_silent(long_ago));
        runtime
            .block_on(desk.turn(Gauge::default(), || Ok(())))
            .unwrap()()
        .unwrap();
        assert!(!desk.is_silent(long_ago));
        let longer_ago = begun.checked_sub(ANSWER_LIMIT).unwrap();
        assert!(desk.is_silent(longer_ago));
    }
}
