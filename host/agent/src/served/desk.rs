//! Where requests wait for hardware or for a server, on threads that may.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::problem::Problem;

/// Requests that may wait at one desk: a module that hangs holds no more threads.
pub(crate) const MAX_AT_ONCE: usize = 32;

/// How long a request waits for its turn, and then for its answer.
const TURN_WAIT: Duration = Duration::from_secs(10);
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How long it waits for a key that answers nobody: longer than it takes to pass over two references that hang.
pub(super) const SILENCE_LIMIT: Duration = Duration::from_secs(15);

pub(super) struct Desk {
    turns: Arc<Semaphore>,
    /// How many were done.
    done: Arc<AtomicUsize>,
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

    pub(super) async fn run<T: Send + 'static>(
        &self,
        in_use: Gauge,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = timeout(TURN_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let detail = format!("{MAX_AT_ONCE} requests of this profile wait already");
            return Err(Problem::unavailable("busy", detail));
        };
        let done = Arc::clone(&self.done);
        let mut work = spawn_blocking(move || {
            // Held for as long as the thread is, however long anybody waits for it.
            let _turn = (turn, InUse::new(in_use));
            let outcome = work();
            // What fails does not show that the key answers.
            if outcome.is_ok() {
                done.fetch_add(1, Ordering::Relaxed);
            }
            outcome
        });
        let begun = Instant::now();
        loop {
            let before = self.done.load(Ordering::Relaxed);
            if let Ok(outcome) = timeout(self.silence, &mut work).await {
                return outcome.unwrap_or_else(|_| {
                    let status = StatusCode::INTERNAL_SERVER_ERROR;
                    let detail = "the request was not completed";
                    Err(Problem::new(status, "internal", detail))
                });
            }
            let is_silent = before == self.done.load(Ordering::Relaxed);
            if is_silent || begun.elapsed() >= ANSWER_LIMIT {
                return Err(no_answer());
            }
        }
    }
}

pub(super) fn no_answer() -> Problem {
    let status = StatusCode::GATEWAY_TIMEOUT;
    let detail = "the key or the server did not answer in time";
    Problem::new(status, "timeout", detail)
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
    use std::sync::mpsc;

    #[test]
    fn those_that_fail_do_not_make_one_wait_longer() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let desk = Desk::new(Duration::from_secs(1));
        let (end, ended) = mpsc::channel::<()>();
        let begun = Instant::now();
        let waits = desk.run(Gauge::default(), move || Ok(ended.recv()));
        let outcome = runtime.block_on(async {
            let fail = async {
                loop {
                    let failed: Result<(), _> =
                        desk.run(Gauge::default(), || Err(no_answer())).await;
                    assert!(failed.is_err());
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::select! {
                outcome = waits => outcome,
                () = fail => unreachable!("it has no end"),
            }
        });
        assert_eq!(outcome.unwrap_err().kind, "timeout");
        assert!(begun.elapsed() < ANSWER_LIMIT, "{:?}", begun.elapsed());
        drop(end);
    }
}
