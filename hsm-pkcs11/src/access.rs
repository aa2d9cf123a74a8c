//! One key behind its module: the login that keeps it open, and sessions that sign with it.
//!
//! What can be lost (the login's session, the handle of the key, idle sessions) is in [`State`], behind
//! one lock that is taken to get a session and to heal, not to sign. What identifies the key never
//! changes. [`heal`] says what is done when something is lost.
//!
//! Locks are taken in the order state, module, authenticator.

mod heal;
mod open;

pub(crate) use open::Pins;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cryptoki::object::ObjectHandle;
use privyseal_core::limits::MAX_SIGNATURE;
use privyseal_core::{RsaPublicKey, Signature};

use crate::certificate;
use crate::error::Error;
use crate::key::FitnessNote;
use crate::login::{Authenticator, Occasion};
use crate::mechanism::SigningMechanism;
use crate::module::Module;
use crate::object::ObjectName;
use crate::operation::{self, ToSign};
use crate::session::OpenSession;
use crate::slot::{FoundToken, TokenInfo};
use crate::token::OpenToken;
use crate::uri::Pkcs11Uri;

/// A key that was found and is fit, and all that is needed to sign with it.
pub(crate) struct KeyAccess {
    module: Arc<Module>,
    pub(crate) uri: Pkcs11Uri,
    pub(crate) token: TokenInfo,
    name: ObjectName,
    pub(crate) mechanism: SigningMechanism,
    pub(crate) public: RsaPublicKey,
    pub(crate) notes: Vec<FitnessNote>,
    always_authenticate: bool,
    authenticator: Mutex<Authenticator>,
    state: Mutex<State>,
    /// Counts how often the key was found anew; sessions of an earlier time have its old handle.
    generation: AtomicU64,
    /// Counts the attempts to heal.
    attempts: AtomicU64,
}

/// What can be lost.
struct State {
    connection: Option<Connection>,
    idle: Vec<Work>,
    /// How the last attempt to heal failed, unless it succeeded.
    failure: Option<Error>,
}

/// The login and the key.
struct Connection {
    token: OpenToken,
    key: ObjectHandle,
}

/// A session that signs, and what it signs with. It is dropped after an error.
pub(crate) struct Work {
    session: OpenSession,
    found: FoundToken,
    key: ObjectHandle,
    generation: u64,
}

impl KeyAccess {
    /// Signs `input` with the session in `work`, or with another if there is none or it is outdated. What
    /// was lost is healed, and then the signature is made: the same one, as RS256 is deterministic.
    pub(crate) fn sign(
        &self,
        work: &mut Option<Work>,
        input: ToSign<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        self.healing(|| self.sign_once(work, input, signature))
    }

    /// A session, opened now if none is idle.
    pub(crate) fn work(&self) -> Result<Work, Error> {
        let (found, key, generation) = {
            let mut state = self.state();
            if let Some(work) = state.idle.pop() {
                return Ok(work);
            }
            let connection = state.connection.as_ref().ok_or(Error::Disconnected)?;
            let found = connection.token.found.clone();
            (found, connection.key, self.generation())
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
        let mut state = self.state();
        if self.is_current(&work) {
            state.idle.push(work);
        }
    }

    /// Closes the idle sessions.
    pub(crate) fn close_idle(&self) {
        let idle = std::mem::take(&mut self.state().idle);
        drop(idle);
    }

    /// The key's certificate and its issuers as far as they are on the token.
    pub(crate) fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        let heap = self.healing(|| {
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

    fn sign_once(
        &self,
        work: &mut Option<Work>,
        input: ToSign<'_>,
        signature: &mut Signature,
    ) -> Result<(), Error> {
        // Taken, and put back only after success: a session that failed is closed here.
        let ready = match work.take().filter(|work| self.is_current(work)) {
            Some(work) => work,
            None => self.work()?,
        };
        let mut buffer = [0; MAX_SIGNATURE];
        let expected = self.public.size();
        let buffer = buffer.get_mut(..expected).unwrap_or_default();
        let len = self.round_trips(&ready, input, buffer)?;
        if len != expected {
            return Err(Error::SignatureLength { len, expected });
        }
        let length = |_| Error::SignatureLength { len, expected };
        signature.set(buffer).map_err(length)?;
        *work = Some(ready);
        Ok(())
    }

    fn round_trips(
        &self,
        ready: &Work,
        input: ToSign<'_>,
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        let module = self.module.enter()?;
        if !ready.session.is_current() {
            // The module was initialized anew a moment ago: this number may be somebody else's now.
            return Err(Error::Disconnected);
        }
        let log_in = || {
            if !self.always_authenticate {
                return Ok(());
            }
            self.authenticator().log_in(
                &module,
                &ready.session,
                &ready.found,
                Occasion::Signing,
                None,
            )
        };
        operation::sign(
            module.raw(),
            &ready.session,
            self.mechanism,
            ready.key,
            input,
            buffer,
            log_in,
        )
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

    fn authenticator(&self) -> MutexGuard<'_, Authenticator> {
        self.authenticator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyAccess")
            .field("uri", &format_args!("{}", self.uri))
            .field("mechanism", &self.mechanism)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
