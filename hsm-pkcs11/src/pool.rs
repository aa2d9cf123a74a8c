//! Many threads, one key: sessions are lent out, and taken back when they are whole.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use privyseal_core::{RsaPublicKey, Signature};
use privyseal_hsm::{FitnessNote, SealedInput, SecretProvider, lock, sealed_signer};

use crate::access::{KeyAccess, SignSession};
use crate::error::Error;
use crate::limits::{DEFAULT_SESSIONS, MAX_SESSIONS};
use crate::mechanism::SigningMechanism;
use crate::options::PoolOptions;
use crate::slot::TokenInfo;
use crate::uri::Pkcs11Uri;

/// Sessions of one key, for as many threads as want to sign.
///
/// One session keeps the login and does nothing else; up to [`Pkcs11Pool::max_sessions`] others sign. The
/// first is opened with the pool, the rest when they are needed, and all are kept until the pool is dropped. One that failed is closed and
/// replaced. Dropping the pool closes them all, which ends the login if nothing else in the process has a
/// session of the token; the module stays loaded and initialized.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use privyseal_hsm::{Secret, SecretRequest};
/// use privyseal_pkcs11::{Pkcs11Pool, PoolOptions};
///
/// let uri = "pkcs11:token=eSeal?module-path=/usr/lib/softhsm/libsofthsm2.so&max-sessions=4".parse()?;
/// let pins = |_: &SecretRequest| Secret::new(std::env::var("PIN").unwrap_or_default().trim_end());
/// let pool = Pkcs11Pool::open(&uri, pins, PoolOptions::default())?;
/// std::thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| {
///             let mut signer = pool.signer().expect("a session within ten seconds");
///             // prepare an assertion and sign it with `&mut signer`
/// #           let _ = &mut signer;
///         });
///     }
/// });
/// # Ok(())
/// # }
/// ```
pub struct Pkcs11Pool {
    access: KeyAccess<SigningMechanism>,
    max: u32,
    wait: Duration,
    in_use: Mutex<u32>,
    freed: Condvar,
}

/// One of the pool's sessions, lent out until it is dropped.
pub struct PooledSigner<'p> {
    pool: &'p Pkcs11Pool,
    session: Option<SignSession>,
}

impl Pkcs11Pool {
    /// Finds the token and the key that `uri` means, logs in (at most one try) and checks that the key may
    /// be used. `pins` stays with the pool: it is asked again when a login is lost and for each signature
    /// with a key that wants it, unless `options` let the PIN be kept. After a PIN was refused it is not
    /// asked any more.
    ///
    /// # Errors
    /// As [`Pkcs11Key::open_as`](crate::Pkcs11Key::open_as).
    pub fn open(
        uri: &Pkcs11Uri,
        pins: impl SecretProvider + Send + 'static,
        options: PoolOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, None, Some(Box::new(pins)), &options.signer)
            .map(|access| Self::of(access, uri, options))
    }

    /// As [`Pkcs11Pool::open`], with a PIN provider that is asked while the pool opens and not later: a login
    /// that is lost can be repeated only if `options` let the PIN be kept.
    ///
    /// # Errors
    /// As [`Pkcs11Key::open_as`](crate::Pkcs11Key::open_as).
    pub fn open_as(
        uri: &Pkcs11Uri,
        pins: &mut dyn SecretProvider,
        options: PoolOptions,
    ) -> Result<Self, Error> {
        KeyAccess::open(uri, Some(pins), None, &options.signer)
            .map(|access| Self::of(access, uri, options))
    }

    fn of(mut access: KeyAccess<SigningMechanism>, uri: &Pkcs11Uri, options: PoolOptions) -> Self {
        access.wait = options.wait;
        let wanted = options.sessions.or(uri.max_sessions());
        // One is needed for the login.
        let offered = access
            .token
            .max_sessions
            .map_or(MAX_SESSIONS, |max| max - 1);
        let max = wanted
            .unwrap_or(DEFAULT_SESSIONS)
            .clamp(1, MAX_SESSIONS)
            .min(offered.max(1));
        Self {
            access,
            max,
            wait: options.wait,
            in_use: Mutex::new(0),
            freed: Condvar::new(),
        }
    }

    /// A signer, as soon as one of the sessions is free.
    ///
    /// # Errors
    /// [`Error::PoolTimeout`] if none is for as long as the pool waits; [`Error::Forked`] in a child process.
    pub fn signer(&self) -> Result<PooledSigner<'_>, Error> {
        self.access.check_process()?;
        let (mut in_use, result) = self
            .freed
            .wait_timeout_while(lock(&self.in_use), self.wait, |in_use| *in_use >= self.max)
            .unwrap_or_else(PoisonError::into_inner);
        if result.timed_out() && *in_use >= self.max {
            return Err(Error::PoolTimeout {
                sessions: self.max,
                waited: self.wait,
            });
        }
        *in_use += 1;
        drop(in_use);
        Ok(PooledSigner {
            pool: self,
            session: None,
        })
    }

    /// Signs with the next free session.
    ///
    /// # Errors
    /// As [`Pkcs11Pool::signer`], or the signature fails.
    pub fn sign(&self, input: SealedInput<'_>, signature: &mut Signature) -> Result<(), Error> {
        let mut lent = self.signer()?;
        self.access.sign(&mut lent.session, input, signature)
    }

    /// The public key of the key that signs.
    pub const fn public_key(&self) -> &RsaPublicKey {
        &self.access.public
    }

    /// The key as a URI that names token and key in full, ready to paste.
    pub const fn uri(&self) -> &Pkcs11Uri {
        &self.access.uri
    }

    /// The token that the key is on, as it was when the pool was opened.
    pub const fn token(&self) -> &TokenInfo {
        &self.access.token
    }

    /// The mechanism that signs.
    pub const fn mechanism(&self) -> SigningMechanism {
        self.access.mechanism
    }

    /// Warnings about the key.
    pub fn notes(&self) -> &[FitnessNote] {
        &self.access.notes
    }

    /// As [`Pkcs11Key::certificates`](crate::Pkcs11Key::certificates).
    ///
    /// # Errors
    /// Likewise.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.access.certificates()
    }

    /// How many signers are lent out now.
    pub fn sessions_in_use(&self) -> usize {
        usize::try_from(*lock(&self.in_use)).unwrap_or(usize::MAX)
    }

    /// How many sessions are open for the key: those that are lent out, those that wait for it, and the one that keeps the
    /// login.
    pub fn open_sessions(&self) -> usize {
        self.sessions_in_use() + self.access.open_sessions()
    }

    /// How many can be lent out at once.
    pub const fn max_sessions(&self) -> u32 {
        self.max
    }

    /// Closes the sessions that are not lent out; the login stays. The next signer opens one again.
    pub fn close_idle(&self) {
        self.access.close_idle();
    }
}

sealed_signer!(
    PooledSigner<'_>,
    Error,
    |lent| lent.pool.public_key(),
    |input, signature| lent.pool.access.sign(&mut lent.session, input, signature)
);

impl Drop for PooledSigner<'_> {
    fn drop(&mut self) {
        // Before any lock: in a forked child no thread would ever give it back.
        if self.pool.access.check_process().is_err() {
            return;
        }
        if let Some(session) = self.session.take() {
            self.pool.access.checkin(session);
        }
        let mut in_use = lock(&self.pool.in_use);
        *in_use = in_use.saturating_sub(1);
        drop(in_use);
        self.pool.freed.notify_one();
    }
}

privyseal_core::opaque_debug! {
    [] Pkcs11Pool as it: access, max_sessions = it.max, sessions_in_use = it.sessions_in_use();
}

privyseal_core::opaque_debug! { [] PooledSigner<'_> as it: pool = it.pool; }
