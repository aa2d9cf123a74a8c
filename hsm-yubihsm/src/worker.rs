//! A thread that owns the client, so that no caller ever waits longer than it said.
//!
//! The `yubihsm` crate waits 20 s for a connector that hangs, whatever its configuration says, with its
//! locks held: every other thread would wait for that, one after another, and a panic in it poisons
//! those locks for good. So the client lives in a thread of its own. Callers hand it work and wait for
//! the answer until *their* deadline; work that was not begun by then is taken back. A panic ends the
//! client, not the thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use privyseal_hsm::lock;
use yubihsm::{Client, Connector, Credentials, client};

use crate::connector::connector;
use crate::error::{Error, failure};
use crate::uri::Endpoint;

/// The thread and the way to it.
pub(crate) struct Worker {
    /// None after it was retired.
    jobs: Mutex<Option<Sender<Job>>>,
    endpoint: Endpoint,
    thread: JoinHandle<()>,
}

type Job = Box<dyn FnOnce(&mut ClientThread) + Send>;

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
            endpoint: endpoint.clone(),
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

    /// Runs `work`, named `function` in errors, with the client and waits for it, at most `within`.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        function: &'static str,
        within: Duration,
        work: impl FnOnce(&Client) -> Result<T, client::Error> + Send + 'static,
    ) -> Result<T, Error> {
        // Whoever is first: the thread begins the job, or the caller takes it back.
        let claimed = Arc::new(AtomicBool::new(false));
        let (answer, answered) = mpsc::sync_channel(1);
        let by_thread = Arc::clone(&claimed);
        let job: Job = Box::new(move |owner| {
            if !by_thread.swap(true, Ordering::AcqRel) {
                // The caller may be gone.
                let _ = answer.send(owner.run(function, work));
            }
        });
        // Another caller may have retired it meanwhile; then this job was not begun.
        let jobs = lock(&self.jobs).clone();
        let sent = jobs.is_some_and(|jobs| jobs.send(job).is_ok());
        if sent && let Ok(result) = answered.recv_timeout(within) {
            return result;
        }
        let timeout = Error::Timeout {
            device: self.endpoint.to_string(),
            function,
            after: within,
            begun: claimed.swap(true, Ordering::AcqRel),
        };
        // The answer may have come between the two.
        answered.try_recv().unwrap_or(Err(timeout))
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
        function: &'static str,
        work: impl FnOnce(&Client) -> Result<T, client::Error>,
    ) -> Result<T, Error> {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.client().and_then(work)));
        let device = &self.endpoint;
        let Ok(outcome) = outcome else {
            let device = device.to_string();
            // Client and connector may both hold a poisoned lock.
            self.client = None;
            if let Ok(fresh) = connector(&self.endpoint) {
                self.connector = fresh;
            }
            return Err(Error::Crashed { device, function });
        };
        let auth_key = self.credentials.authentication_key_id;
        let result = outcome.map_err(|error| failure(function, device, auth_key, &error));
        // A dropped session comes back with a new client only. And after an answer that could not be read, host and
        // device no longer agree on the session's counter: what is sent next would be deciphered to another command.
        if let Err(Error::SessionLost { .. } | Error::Protocol { .. }) = result {
            self.client = None;
        }
        result
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
