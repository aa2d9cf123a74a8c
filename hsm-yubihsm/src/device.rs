//! A device and its one session.
//!
//! A client that is dropped leaves its session on the device, where it takes one of 16 places for 30 s.
//! So there is one client for each device, authentication key and password, kept for the life of the
//! process and shared by all signers. Every call goes through [`Device::call`], which knows the
//! device's and the crate's faults: a session that the device has dropped, no free session, a connector
//! that hangs.

mod info;
mod registry;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use privyseal_hsm::{SecretProvider, SecretRequest, lock};
use yubihsm::{Client, client};

use crate::error::Error;
use crate::limits::MAX_STUCK;
use crate::uri::YubihsmUri;
use crate::worker::Worker;

pub use info::DeviceInfo;
use registry::Shared;
pub(crate) use registry::derive;

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
    ///
    /// # Errors
    /// There is no way to the device, no password or a wrong one, or no free session.
    pub fn open(uri: &YubihsmUri, passwords: &mut dyn SecretProvider) -> Result<Self, Error> {
        // Before a password is asked for: is there a way to the device at all?
        let endpoint = uri.endpoint();
        crate::connector::connector(&endpoint)?;
        let (device, auth_key) = (endpoint.to_string(), uri.auth_key());
        let request = SecretRequest::Password {
            device: device.clone(),
            auth_key,
        };
        let unavailable = |reason| Error::PasswordUnavailable {
            device,
            auth_key,
            reason,
        };
        let password = passwords.secret(&request).map_err(unavailable)?;
        let shared = Shared::get(&endpoint, auth_key, &password);
        let device = Self {
            shared,
            timeout: uri.timeout(),
            session_wait: uri.session_wait(),
        };
        let opened = device.call("CreateSession", |client| client.session().map(drop));
        if let Err(Error::PasswordIncorrect { .. } | Error::AuthKeyNotFound { .. }) = opened {
            device.shared.forget();
        }
        opened.map(|()| device)
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
        let begin = Instant::now();
        let mut rebuilt = false;
        let mut pause = Duration::from_millis(50);
        loop {
            let worker = self.worker()?;
            match worker.run(function, timeout, work.clone()) {
                // The worker has dropped the client already; once is enough if that was the reason.
                Err(Error::SessionLost { .. }) if !rebuilt => rebuilt = true,
                Err(Error::SessionsFull { .. }) if begin.elapsed() + pause <= self.session_wait => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                Err(Error::SessionsFull { device, .. }) => {
                    let waited = begin.elapsed();
                    return Err(Error::SessionsFull { device, waited });
                }
                result => {
                    if let Err(Error::Timeout { begun: true, .. }) = result {
                        self.set_aside(&worker);
                    }
                    return result;
                }
            }
        }
    }

    /// The worker to use now. There is a new one after the last got stuck, but not without end.
    fn worker(&self) -> Result<Arc<Worker>, Error> {
        let mut workers = lock(&self.shared.workers);
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
        let mut workers = lock(&self.shared.workers);
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
}

privyseal_core::opaque_debug! { [] Device as it: name = it.name(), auth_key = it.auth_key(); }

/// For [`registry`], which owns the lock.
pub(crate) type WorkersLock = Mutex<Workers>;
