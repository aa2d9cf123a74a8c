//! One key behind its module: the login that keeps it open, and sessions that sign or decrypt with it.
//!
//! What can be lost (the login's session, the handle of the key, idle sessions) is in [`LiveSessions`], behind
//! one lock under which no module is called. What identifies the key never changes. [`recovery`] says what is
//! done when something is lost, by one thread at a time.
//!
//! The locks for recovery and login are held while the module is called, so waiting for them is bounded by `wait`.
//! They are taken in the order recovery, module, authenticator.

mod open;
mod operation;
mod recovery;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use cryptoki_sys::CK_OBJECT_HANDLE;
use privyseal_core::RsaPublicKey;
use privyseal_hsm::{FitnessNote, lock};
use recovery::Recovery;

use crate::certificate::{self, TokenCertificate};
use crate::error::Error;
use crate::limits::CERTIFICATES_FRESH;
use crate::login::Authenticator;
use crate::mechanism::KeyOperation;
use crate::module::Module;
use crate::object::ObjectName;
use crate::session::OpenSession;
use crate::slot::{FoundToken, TokenInfo};
use crate::timed_lock::lock_within;
use crate::token::OpenToken;
use crate::uri::Pkcs11Uri;

/// A key that was found and is fit for its operation, and all that is needed to use it.
pub(crate) struct KeyAccess<O> {
    module: Arc<Module>,
    pub(crate) uri: Pkcs11Uri,
    pub(crate) token: TokenInfo,
    name: ObjectName,
    pub(crate) mechanism: O,
    pub(crate) public: RsaPublicKey,
    pub(crate) notes: Vec<FitnessNote>,
    /// The certificates that were read when the key was opened, for who asks for them then.
    heap: Mutex<Option<(Instant, Vec<TokenCertificate>)>>,
    always_authenticate: bool,
    authenticator: Mutex<Authenticator>,
    live: Mutex<LiveSessions>,
    recovery: Mutex<Recovery>,
    /// Counts how often the key was found again; sessions of before have its old handle.
    generation: AtomicU64,
    /// Counts the attempts to recover.
    attempts: AtomicU64,
    /// Whether the key was used successfully since the last resort of recovery.
    proved: AtomicBool,
    /// For how long to wait for others who recover or log in.
    pub(crate) wait: Duration,
}

/// What can be lost.
struct LiveSessions {
    connection: Option<Connection>,
    idle: Vec<SignSession>,
}

/// The login and the key.
struct Connection {
    token: OpenToken,
    key: CK_OBJECT_HANDLE,
}

/// A session that works, and what it works with. It is dropped after an error.
pub(crate) struct SignSession {
    session: OpenSession,
    found: FoundToken,
    key: CK_OBJECT_HANDLE,
    generation: u64,
}

impl<O: KeyOperation> KeyAccess<O> {
    /// A session, opened now if none is idle.
    pub(crate) fn checkout(&self) -> Result<SignSession, Error> {
        if let Some(session) = self.live().idle.pop() {
            return Ok(session);
        }
        let (found, key, generation) = if let Some(place) = self.place() {
            place
        } else {
            // Perhaps another thread is getting it back.
            drop(self.alone_with(&self.recovery)?);
            self.place().ok_or(Error::Disconnected)?
        };
        let module = self.module.enter()?;
        Ok(SignSession {
            session: OpenSession::open(&module, found.slot)?,
            found,
            key,
            generation,
        })
    }

    /// Takes a session back, for the next caller.
    pub(crate) fn checkin(&self, session: SignSession) {
        if self.check_process().is_err() {
            return;
        }
        let mut live = self.live();
        if self.is_current(&session) {
            live.idle.push(session);
        }
    }

    /// How many are open and not lent out.
    pub(crate) fn open_sessions(&self) -> usize {
        let live = self.live();
        live.idle.len() + usize::from(live.connection.is_some())
    }

    /// Closes the idle sessions.
    pub(crate) fn close_idle(&self) {
        if self.check_process().is_ok() {
            let idle = std::mem::take(&mut self.live().idle);
            drop(idle);
        }
    }

    /// The key's certificate and its issuers as far as they are on the token.
    pub(crate) fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.check_process()?;
        let read = lock(&self.heap).take();
        let of_key = |heap: &[_]| certificate::of_key(heap, &self.public, &self.name.id);
        let fresh = read.filter(|(when, _)| when.elapsed() < CERTIFICATES_FRESH);
        if let Some(Ok(certificates)) = fresh.map(|(_, heap)| of_key(&heap)) {
            return Ok(certificates);
        }
        Ok(of_key(&self.read_certificates()?)?)
    }

    fn read_certificates(&self) -> Result<Vec<TokenCertificate>, Error> {
        self.with_recovery(|_| {
            let session = self.checkout()?;
            let module = self.module.enter()?;
            let heap = certificate::all(&session.session)?;
            drop(module);
            self.checkin(session);
            Ok(heap)
        })
    }

    pub(crate) fn check_process(&self) -> Result<(), Error> {
        self.module.check_process()
    }

    /// Where to open a session, and what to use there.
    fn place(&self) -> Option<(FoundToken, CK_OBJECT_HANDLE, u64)> {
        let live = self.live();
        let connection = live.connection.as_ref()?;
        Some((
            connection.token.found.clone(),
            connection.key,
            self.generation(),
        ))
    }

    /// Removes the connection and the idle sessions, so that no thread uses them any more.
    fn disconnect(&self) -> Option<Connection> {
        let (connection, idle) = {
            let mut live = self.live();
            (live.connection.take(), std::mem::take(&mut live.idle))
        };
        drop(idle);
        connection
    }

    /// Publishes `connection`. With `replaced`, sessions that were opened before are discarded.
    fn connected(&self, connection: Connection, replaced: bool) {
        let mut outdated = Vec::new();
        let mut live = self.live();
        if replaced {
            self.generation.fetch_add(1, Ordering::AcqRel);
            std::mem::swap(&mut outdated, &mut live.idle);
        }
        live.connection = Some(connection);
        drop(live);
        drop(outdated);
    }

    /// Whether the session belongs to the present key handle and the present initialization of the module.
    fn is_current(&self, session: &SignSession) -> bool {
        session.generation == self.generation() && session.session.is_current()
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    // A panic leaves neither half changed: what is lost is found missing.
    fn live(&self) -> MutexGuard<'_, LiveSessions> {
        lock(&self.live)
    }

    /// What one thread at a time calls the module with.
    fn alone_with<'m, T>(&self, mutex: &'m Mutex<T>) -> Result<MutexGuard<'m, T>, Error> {
        let waited = self.wait;
        lock_within(waited, || mutex.try_lock()).ok_or(Error::TokenBusy { waited })
    }
}

privyseal_core::opaque_debug! {
    [O: KeyOperation] KeyAccess<O> as it: uri = format_args!("{}", it.uri), mechanism, public;
}
