//! One key behind its module: the login that keeps it open, and sessions that sign or decrypt with it.
//!
//! What can be lost (the login's session, the handle of the key, idle sessions) is in [`State`], behind
//! one lock under which no module is called. What identifies the key never changes. [`heal`] says what is
//! done when something is lost, by one thread at a time.
//!
//! Turns that are held over calls of the module (to heal, to log in) are waited for no longer than `wait`.
//! They are taken in the order heals, module, authenticator.

mod decrypt;
mod open;
mod recovery;
mod sign;

pub(crate) use open::Pins;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cryptoki::object::ObjectHandle;
use privyseal_core::RsaPublicKey;
use recovery::Heals;

use crate::certificate;
use crate::error::Error;
use crate::key::FitnessNote;
use crate::login::{Authenticator, Occasion};
use crate::mechanism::Duty;
use crate::module::{Entered, Module};
use crate::object::ObjectName;
use crate::session::OpenSession;
use crate::slot::{FoundToken, TokenInfo};
use crate::timed_mutex::{Held, Patient};
use crate::token::OpenToken;
use crate::uri::Pkcs11Uri;

/// A key that was found and is fit for its duty, and all that is needed to use it.
pub(crate) struct KeyAccess<D> {
    module: Arc<Module>,
    pub(crate) uri: Pkcs11Uri,
    pub(crate) token: TokenInfo,
    name: ObjectName,
    pub(crate) mechanism: D,
    pub(crate) public: RsaPublicKey,
    pub(crate) notes: Vec<FitnessNote>,
    always_authenticate: bool,
    authenticator: Patient<Authenticator>,
    state: Mutex<State>,
    heals: Patient<Heals>,
    /// Counts how often the key was found anew; sessions of an earlier time have its old handle.
    generation: AtomicU64,
    /// Counts the attempts to heal.
    attempts: AtomicU64,
    /// Whether the key was used successfully since everything was given up and had anew.
    proved: AtomicBool,
    /// For how long to wait for others who heal or log in.
    pub(crate) wait: Duration,
}

/// What can be lost.
struct State {
    connection: Option<Connection>,
    idle: Vec<Work>,
}

/// The login and the key.
struct Connection {
    token: OpenToken,
    key: ObjectHandle,
}

/// A session that works, and what it works with. It is dropped after an error.
pub(crate) struct Work {
    session: OpenSession,
    found: FoundToken,
    key: ObjectHandle,
    generation: u64,
}

impl<D: Duty> KeyAccess<D> {
    /// A session, opened now if none is idle.
    pub(crate) fn work(&self) -> Result<Work, Error> {
        if let Some(work) = self.state().idle.pop() {
            return Ok(work);
        }
        let (found, key, generation) = if let Some(place) = self.place() {
            place
        } else {
            // Perhaps somebody is getting it back.
            drop(self.heals()?);
            self.place().ok_or(Error::Disconnected)?
        };
        let module = self.module.enter()?;
        Ok(Work {
            session: OpenSession::open(&module, found.slot)?,
            found,
            key,
            generation,
        })
    }

    /// Takes a session back for whoever needs one next.
    pub(crate) fn put_back(&self, work: Work) {
        if self.check_process().is_err() {
            return;
        }
        let mut state = self.state();
        if self.is_current(&work) {
            state.idle.push(work);
        }
    }

    /// Closes the idle sessions.
    pub(crate) fn close_idle(&self) {
        if self.check_process().is_ok() {
            let idle = std::mem::take(&mut self.state().idle);
            drop(idle);
        }
    }

    /// The key's certificate and its issuers as far as they are on the token.
    pub(crate) fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        let heap = self.healing(|_| {
            let work = self.work()?;
            let module = self.module.enter()?;
            let heap = certificate::all(&work.session)?;
            drop(module);
            self.put_back(work);
            Ok(heap)
        })?;
        Ok(certificate::of_key(&heap, &self.public, &self.name.id)?)
    }

    pub(crate) fn check_process(&self) -> Result<(), Error> {
        self.module.check_process()
    }

    /// Does `what` in the session in `work`, or in another if there is none or it is outdated.
    fn once<T>(
        &self,
        work: &mut Option<Work>,
        what: impl FnOnce(&Entered<'_>, &Work) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Taken, and put back only after success: a session that failed is closed here.
        let ready = match work.take().filter(|work| self.is_current(work)) {
            Some(work) => work,
            None => self.work()?,
        };
        let module = self.module.enter()?;
        if !ready.session.is_current() {
            // The module was initialized anew a moment ago: this number may be somebody else's now.
            return Err(Error::Disconnected);
        }
        let result = what(&module, &ready)?;
        drop(module);
        *work = Some(ready);
        if !self.proved.load(Ordering::Relaxed) {
            self.proved.store(true, Ordering::Relaxed);
        }
        Ok(result)
    }

    /// The login that a key with `CKA_ALWAYS_AUTHENTICATE` wants after an operation was begun.
    fn log_in_for_use(
        &self,
        module: &Entered<'_>,
        ready: &Work,
        occasion: Occasion,
    ) -> Result<(), Error> {
        if !self.always_authenticate {
            return Ok(());
        }
        self.authenticator()?
            .log_in(module, &ready.session, &ready.found, occasion, None)
    }

    /// Where to open a session, and what to use there.
    fn place(&self) -> Option<(FoundToken, ObjectHandle, u64)> {
        let state = self.state();
        let connection = state.connection.as_ref()?;
        Some((
            connection.token.found.clone(),
            connection.key,
            self.generation(),
        ))
    }

    /// Takes what may be lost away from everybody.
    fn disconnect(&self) -> Option<Connection> {
        let (connection, idle) = {
            let mut state = self.state();
            (state.connection.take(), std::mem::take(&mut state.idle))
        };
        drop(idle);
        connection
    }

    /// Gives it to everybody; `anew` if sessions of before are of no use.
    fn connected(&self, connection: Connection, anew: bool) {
        let mut outdated = Vec::new();
        let mut state = self.state();
        if anew {
            self.generation.fetch_add(1, Ordering::AcqRel);
            std::mem::swap(&mut outdated, &mut state.idle);
        }
        state.connection = Some(connection);
        drop(state);
        drop(outdated);
    }

    /// Whether a session is of the present: not of a key that was lost, nor of a module that was.
    fn is_current(&self, work: &Work) -> bool {
        work.generation == self.generation() && work.session.is_current()
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    // A panic leaves neither half changed: what is lost is found missing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn authenticator(&self) -> Result<Held<'_, Authenticator>, Error> {
        let waited = self.wait;
        self.authenticator
            .lock(waited)
            .ok_or(Error::TokenBusy { waited })
    }
}

impl<D: Duty> fmt::Debug for KeyAccess<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyAccess")
            .field("uri", &format_args!("{}", self.uri))
            .field("mechanism", &self.mechanism)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
