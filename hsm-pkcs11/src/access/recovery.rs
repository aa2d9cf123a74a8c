//! What is done when something is lost.
//!
//! Gently first: is the login's session alive, and the key still there? Then only the session that failed
//! was bad, and a new one is opened. Else the token is looked for again and logged in to, once. Where that
//! cannot be, because the module itself does not see the token any more (SoftHSM after a token came back,
//! a client whose daemon was restarted), the module is initialized again, if it was initialized here.
//!
//! At most one login is made for an incident, however many threads notice it: those that come
//! while another recovers wait, and share the result. A login for one use of the key that failed ends the matter:
//! it may have cost a PIN try. If it failed because the card was pulled or its session closed, the next use begins with
//! a new session and a new login.
//!
//! The module is shared: what ends the sessions of others is not repeated while it does not help.

use std::sync::atomic::Ordering;
use std::time::Instant;

use cryptoki_sys::CK_OBJECT_HANDLE;
use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;

use super::{Connection, KeyAccess};
use crate::error::Error;
use crate::key;
use crate::limits::RECOVERY_COOLDOWN;
use crate::login::LoginReason;
use crate::mechanism::KeyOperation;
use crate::token::OpenToken;

/// How far to go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What lives is kept.
    Gentle,
    /// What seemed to live did not help.
    Deep,
}

/// What is known of earlier attempts.
pub(super) struct Recovery {
    /// How the last one ended: whether it made a login, or why it failed.
    last: Result<bool, Error>,
    /// When the last resort was tried: everything given up, and the module initialized again.
    last_resort: Option<Instant>,
}

impl Recovery {
    pub(super) const fn none() -> Self {
        Self {
            last: Ok(false),
            last_resort: None,
        }
    }
}

impl<O: KeyOperation> KeyAccess<O> {
    /// Does `what`; if something is lost, recovers it and does it again.
    pub(super) fn with_recovery<T>(
        &self,
        mut what: impl FnMut(LoginReason) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Before any lock: in a forked child no thread would ever give it back.
        self.check_process()?;
        let mut reason = LoginReason::Use;
        let mut logged_in = false;
        for depth in [Depth::Gentle, Depth::Deep] {
            let seen = self.attempts.load(Ordering::Acquire);
            let error = match what(reason) {
                Err(error) if error.is_loss() => error,
                Err(error) if error.is_loss_before_login() => {
                    drop(self.disconnect());
                    return Err(error);
                }
                result => return result,
            };
            if depth == Depth::Deep && (logged_in || error.is_loss_of_session()) {
                return Err(error);
            }
            match self.recover(seen, depth) {
                Ok(Some(login)) => logged_in |= login,
                Ok(None) => return Err(error),
                Err(then) => {
                    return Err(Error::RecoveryFailed {
                        first: Box::new(error),
                        then: Box::new(then),
                    });
                }
            }
            reason = LoginReason::UseAgain;
        }
        what(reason)
    }

    /// Whether a login was made, whichever thread made it. None if nothing is left to be done.
    fn recover(&self, seen: u64, depth: Depth) -> Result<Option<bool>, Error> {
        let mut recovery = self.alone_with(&self.recovery)?;
        // If not, another thread was faster: it is one incident, and one result.
        if self.attempts.load(Ordering::Acquire) == seen {
            if depth == Depth::Deep && self.in_cooldown(&recovery) {
                return Ok(None);
            }
            recovery.last = self.reconnect(&mut recovery, depth);
            self.attempts.fetch_add(1, Ordering::AcqRel);
        }
        recovery.last.clone().map(Some)
    }

    /// Whether a login was made.
    fn reconnect(&self, recovery: &mut Recovery, depth: Depth) -> Result<bool, Error> {
        let epoch = self.module.epoch();
        let connection = self.disconnect();
        // Whether the module itself may be the one that is lost.
        let mut suspected = recovery.last.as_ref().is_err_and(may_be_the_modules);
        match connection {
            Some(connection) if depth == Depth::Gentle => {
                match self.key_again(&connection.token) {
                    Ok(Some(key)) => {
                        self.connected(Connection { key, ..connection }, key != connection.key);
                        return Ok(false);
                    }
                    // It says that it lives, and the key is not there: it does not see the token.
                    Err(error) => suspected |= may_be_the_modules(&error),
                    Ok(None) => {}
                }
            }
            // Closed before anything is opened.
            other => drop(other),
        }
        let mut login = false;
        let last_resort = self.module.is_ours()
            && !self.in_cooldown(recovery)
            && (suspected || depth == Depth::Deep);
        if !last_resort {
            match self.connect(&mut login) {
                Err(error)
                    if may_be_the_modules(&error) && !login && !self.in_cooldown(recovery) => {}
                result => {
                    if depth == Depth::Deep {
                        self.start_cooldown(recovery);
                    }
                    self.connected(result?, true);
                    return Ok(login);
                }
            }
        }
        self.module.initialize_again(epoch)?;
        let result = self.connect(&mut login);
        // Else the token was not there to be logged in to, and may be the next time.
        if login || result.is_ok() {
            self.start_cooldown(recovery);
        }
        self.connected(result?, true);
        Ok(login)
    }

    /// The key's handle by a login that lives; None if it does not.
    fn key_again(&self, token: &OpenToken) -> Result<Option<CK_OBJECT_HANDLE>, Error> {
        let _module = self.module.enter()?;
        if !token.is_alive() {
            return Ok(None);
        }
        key::again(&token.session, &self.uri, &self.public).map(Some)
    }

    /// Sets `login` when one is tried, whatever comes of it.
    fn connect(&self, login: &mut bool) -> Result<Connection, Error> {
        let module = self.module.enter()?;
        let mut authenticator = self.alone_with(&self.authenticator)?;
        let tries = authenticator.tries();
        let token = OpenToken::open(
            &module,
            &self.uri,
            &mut authenticator,
            LoginReason::Recovery,
            None,
        );
        *login |= authenticator.tries() != tries;
        let token = token?;
        let key = key::again(&token.session, &self.uri, &self.public)?;
        Ok(Connection { token, key })
    }

    /// Whether the last resort was tried a moment ago, and has not led to success since.
    fn in_cooldown(&self, recovery: &Recovery) -> bool {
        !self.proved.load(Ordering::Relaxed)
            && recovery
                .last_resort
                .is_some_and(|then| then.elapsed() < RECOVERY_COOLDOWN)
    }

    fn start_cooldown(&self, recovery: &mut Recovery) {
        self.proved.store(false, Ordering::Relaxed);
        recovery.last_resort = Some(Instant::now());
    }
}

/// Whether it may be the module that does not see what is there.
fn may_be_the_modules(error: &Error) -> bool {
    matches!(
        error.kind(),
        SignerErrorKind::Unavailable | SignerErrorKind::NotFound
    )
}
