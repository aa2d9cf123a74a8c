//! A thread that owns the client, so that no caller ever waits longer than it said.
//!
//! The `yubihsm` crate waits 20 s for a connector that hangs, whatever its configuration says, with its
//! locks held: every other thread would wait for that, one after another, and a panic in it poisons
//! those locks for good. So the client lives in a thread of its own. Callers hand it work and wait for
//! the answer until *their* deadline; work that was not begun by then is taken back. A panic ends the
//! client, not the thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use privyseal_hsm::lock;
use yubihsm::{Client, Connector, Credentials, client};

use crate::connector::connector;
use crate::error::{ClientFailure, Error};
use crate::uri::Endpoint;

/// The thread and the way to it.
pub(crate) struct Worker {
    /// None after it was retired.
    jobs: Mutex<Option<Sender<Job>>>,
    thread: JoinHandle<()>,
}

type Job = Box<dyn FnOnce(&mut ClientThread) + Send>;

/// Why a job has no answer.
#[derive(Debug)]
pub(crate) enum JobFailure {
    /// The deadline passed. `begun`: the command may have reached the device.
    TimedOut {
        /// Whether the job was begun.
        begun: bool,
    },
    /// The client panicked.
    Crashed,
}

impl Worker {
    /// Starts the thread. Nothing is connected yet.
    pub(crate) fn start(endpoint: &Endpoint, credentials: &Credentials) -> Result<Self, Error> {
        let connector = connector(endpoint)?;
        let mut owner = ClientThread {
            endpoint: endpoint.clone(),
            credentials: credentials.clone(),
            connector,
            client: None,
        };
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = thread::Builder::new()
            .name("yubihsm".into())
            // Ends when the last sender is gone.
            .spawn(move || queue.into_iter().for_each(|job| job(&mut owner)))
            .map_err(|source| Error::Thread {
                reason: source.to_string(),
            })?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread,
        })
    }

    /// Takes no more work; the thread ends when what it has is done.
    pub(crate) fn retire(&self) {
        lock(&self.jobs).take();
    }

    /// Whether the thread has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Runs `work` with the client and waits for it, at most `within`.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl FnOnce(&Client) -> Result<T, client::Error> + Send + 'static,
    ) -> Result<Result<T, client::Error>, JobFailure> {
        let state = Arc::new(JobState::default());
        let (answer, answered) = mpsc::sync_channel(1);
        let begun = Arc::clone(&state);
        let job: Job = Box::new(move |owner| {
            if begun.begin() {
                // The caller may be gone.
                let _ = answer.send(owner.run(work));
            }
        });
        self.send(job)?;
        if let Ok(result) = answered.recv_timeout(within) {
            return result;
        }
        let begun = !state.take_back();
        // The answer may have come between the two.
        answered
            .try_recv()
            .unwrap_or(Err(JobFailure::TimedOut { begun }))
    }

    /// Another caller may have retired it meanwhile; then this job was not begun.
    fn send(&self, job: Job) -> Result<(), JobFailure> {
        let jobs = lock(&self.jobs);
        let sent = jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if sent {
            Ok(())
        } else {
            Err(JobFailure::TimedOut { begun: false })
        }
    }
}

/// Whether a job still waits; exactly one of the two sides wins.
#[derive(Default)]
struct JobState(AtomicU8);

impl JobState {
    const WAITING: u8 = 0;
    const BEGUN: u8 = 1;
    const TAKEN_BACK: u8 = 2;

    fn begin(&self) -> bool {
        self.leave_queue(Self::BEGUN)
    }

    fn take_back(&self) -> bool {
        self.leave_queue(Self::TAKEN_BACK)
    }

    fn leave_queue(&self, to: u8) -> bool {
        self.0
            .compare_exchange(Self::WAITING, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// What the thread owns.
struct ClientThread {
    endpoint: Endpoint,
    credentials: Credentials,
    connector: Connector,
    client: Option<Client>,
}

impl ClientThread {
    fn run<T>(
        &mut self,
        work: impl FnOnce(&Client) -> Result<T, client::Error>,
    ) -> Result<Result<T, client::Error>, JobFailure> {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.client().and_then(work)));
        let Ok(outcome) = outcome else {
            // Client and connector may both hold a poisoned lock.
            self.client = None;
            if let Ok(fresh) = connector(&self.endpoint) {
                self.connector = fresh;
            }
            return Err(JobFailure::Crashed);
        };
        // A dropped session comes back with a new client only. And after an answer that could not be read, host and
        // device no longer agree on the session's counter: what is sent next would be deciphered to another command.
        let failure = outcome.as_ref().err().map(ClientFailure::of);
        if let Some(ClientFailure::SessionLost | ClientFailure::Protocol) = failure {
            self.client = None;
        }
        Ok(outcome)
    }

    /// The one client. It opens its session at the first command, and again after it was idle.
    fn client(&mut self) -> Result<&Client, client::Error> {
        if self.client.is_none() {
            let client = Client::create(self.connector.clone(), self.credentials.clone())?;
            self.client = Some(client);
        }
        self.client
            .as_ref()
            .ok_or_else(|| client::ErrorKind::CreateFailed.into())
    }
}
