//! A device and its one session.
//!
//! A client that is dropped leaves its session on the device, where it takes one of 16 places for 30 s.
//! So there is one client for each device, authentication key and password, kept for the life of the
//! process and shared by all signers. Every call goes through [`Device::call`], which knows the
//! device's and the crate's moods: a session that the device has dropped, no free session, a connector
//! that hangs.

mod info;
mod registry;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use yubihsm::{Client, client};

use crate::error::{Error, Trouble};
use crate::limits::MAX_STUCK;
use crate::password::{PasswordProvider, PasswordRequest};
use crate::uri::YubihsmUri;
use crate::worker::{Failure, Worker};

pub use info::DeviceInfo;
use registry::Shared;

/// An open YubiHSM 2. Clones share its session.
#[derive(Clone)]
pub struct Device {
    shared: Arc<Shared>,
    timeout: Duration,
    session_wait: Duration,
}

/// The workers of a device.
#[derive(Default)]
pub(crate) struct Workers {
    current: Option<Arc<Worker>>,
    /// Those whose last call hangs. They end when it ends.
    stuck: Vec<Arc<Worker>>,
}

impl Device {
    /// Opens a session with the authentication key that `uri` names. The password is asked for once.
    pub fn open(uri: &YubihsmUri, passwords: &mut dyn PasswordProvider) -> Result<Self, Error> {
        // Before a password is asked for: is there a way to the device at all?
        crate::connector::connector(uri.endpoint())?;
        let request = PasswordRequest {
            device: uri.endpoint().to_string(),
            auth_key: uri.auth_key(),
        };
        let password =
            passwords
                .password(&request)
                .map_err(|reason| Error::PasswordUnavailable {
                    device: request.device.clone(),
                    auth_key: request.auth_key,
                    reason,
                })?;
        let shared = Shared::get(uri.endpoint(), uri.auth_key(), &password);
        let device = Self {
            shared,
            timeout: uri.timeout(),
            session_wait: uri.session_wait(),
        };
        match device.call("CreateSession", |client| client.session().map(drop)) {
            Ok(()) => Ok(device),
            Err(error) => {
                if matches!(
                    error,
                    Error::PasswordIncorrect { .. } | Error::AuthKeyNotFound { .. }
                ) {
                    device.shared.forget();
                }
                Err(error)
            }
        }
    }

    /// What a message calls it.
    pub fn name(&self) -> String {
        self.shared.endpoint.to_string()
    }

    /// The id of the authentication key that opened the session.
    pub fn auth_key(&self) -> u16 {
        self.shared.credentials.authentication_key_id
    }

    /// Runs one command, named `function` in errors. It may run twice, but then the first time it did
    /// not reach the device's command interpreter.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        function: &'static str,
        work: impl Fn(&Client) -> Result<T, client::Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        self.call_within(self.timeout, function, work)
    }

    /// As [`Device::call`], for commands that take long.
    pub(crate) fn call_within<T: Send + 'static>(
        &self,
        timeout: Duration,
        function: &'static str,
        work: impl Fn(&Client) -> Result<T, client::Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let context = Context {
            device: self,
            function,
            timeout,
        };
        let begin = Instant::now();
        let mut rebuilt = false;
        let mut pause = Duration::from_millis(50);
        loop {
            let error = match self.attempt(&context, work.clone()) {
                Ok(value) => return Ok(value),
                Err(Attempt::Final(error)) => return Err(error),
                Err(Attempt::Client(error)) => error,
            };
            match Trouble::of(&error) {
                // The worker has dropped the client already; once is enough if that was the reason.
                Trouble::Wedged if !rebuilt => rebuilt = true,
                Trouble::SessionsFull if begin.elapsed() + pause <= self.session_wait => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                Trouble::SessionsFull => {
                    return Err(Error::SessionsFull {
                        device: self.name(),
                        waited: begin.elapsed(),
                    });
                }
                trouble => return Err(context.error(trouble, &error)),
            }
        }
    }

    fn attempt<T: Send + 'static>(
        &self,
        context: &Context<'_>,
        work: impl FnOnce(&Client) -> Result<T, client::Error> + Send + 'static,
    ) -> Result<T, Attempt> {
        let worker = self.worker().map_err(Attempt::Final)?;
        worker
            .run(context.timeout, work)
            .map_err(|failure| match failure {
                Failure::Client(error) => Attempt::Client(error),
                Failure::Crashed => Attempt::Final(Error::Crashed {
                    device: self.name(),
                    function: context.function,
                }),
                Failure::TimedOut { begun } => {
                    if begun {
                        self.set_aside(&worker);
                    }
                    Attempt::Final(Error::Timeout {
                        device: self.name(),
                        function: context.function,
                        after: context.timeout,
                        begun,
                    })
                }
            })
    }

    /// The worker to use now. There is a new one after the last got stuck, but not without end.
    fn worker(&self) -> Result<Arc<Worker>, Error> {
        let mut workers = self.lock();
        workers.stuck.retain(|worker| !worker.is_finished());
        if let Some(worker) = &workers.current {
            return Ok(Arc::clone(worker));
        }
        if workers.stuck.len() >= MAX_STUCK {
            return Err(Error::Stuck {
                device: self.name(),
                count: workers.stuck.len(),
            });
        }
        let worker = Arc::new(Worker::start(
            &self.shared.endpoint,
            &self.shared.credentials,
        )?);
        workers.current = Some(Arc::clone(&worker));
        Ok(worker)
    }

    fn set_aside(&self, worker: &Arc<Worker>) {
        let mut workers = self.lock();
        if workers
            .current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, worker))
        {
            workers.current = None;
            worker.retire();
            workers.stuck.push(Arc::clone(worker));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Workers> {
        // Nothing that is done under the lock can leave it half done.
        self.shared
            .workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

enum Attempt {
    Client(client::Error),
    Final(Error),
}

struct Context<'a> {
    device: &'a Device,
    function: &'static str,
    timeout: Duration,
}

impl Context<'_> {
    fn error(&self, trouble: Trouble, error: &client::Error) -> Error {
        trouble.into_error(
            self.function,
            self.device.name(),
            self.device.auth_key(),
            error,
        )
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Device({}, authentication key {})",
            self.name(),
            self.auth_key()
        )
    }
}

/// For [`registry`], which owns the lock.
pub(crate) type WorkersLock = Mutex<Workers>;
