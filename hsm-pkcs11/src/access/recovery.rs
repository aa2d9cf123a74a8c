//! What is done when something is lost.
//!
//! Gently first: is the login's session alive, and the key still there? Then only the session that failed
//! was bad, and a new one is opened. Else the token is looked for anew and logged in to, once. Where that
//! cannot be, because the module itself does not see the token any more (SoftHSM after a token came back,
//! a client whose daemon was restarted), the module is initialized anew, if it was initialized here.
//!
//! At most one login is made for an incident, whoever and however many notice it: those who come while
//! somebody heals wait, and share the result. A login for one use of the key that failed ends the matter:
//! it may have cost a PIN try.
//!
//! The module is shared: what ends the sessions of others is not repeated while it does not help.

use std::sync::atomic::Ordering;
use std::time::Instant;

use cryptoki::object::ObjectHandle;
use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;

use super::{Connection, KeyAccess};
use crate::error::Error;
use crate::key;
use crate::limits::LAST_RESORT_REST;
use crate::login::Occasion;
use crate::mechanism::Duty;
use crate::timed_mutex::Held;
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
pub(super) struct Heals {
    /// How the last one ended: whether it made a login, or why it failed.
    last: Result<bool, Error>,
    /// When everything was given up and had anew.
    last_resort: Option<Instant>,
}

impl Heals {
    pub(super) const fn none() -> Self {
        Self {
            last: Ok(false),
            last_resort: None,
        }
    }
}

impl<D: Duty> KeyAccess<D> {
    /// Does `what`; if something is lost, heals and does it again.
    pub(super) fn healing<T>(
        &self,
        mut what: impl FnMut(Occasion) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Before any lock: in a forked child nobody would ever give it back.
        self.check_process()?;
        let mut occasion = Occasion::Use;
        let mut logged_in = false;
        for depth in [Depth::Gentle, Depth::Deep] {
            let seen = self.attempts.load(Ordering::Acquire);
            let error = match what(occasion) {
                Err(error) if error.is_loss() => error,
                result => return result,
            };
            if depth == Depth::Deep && (logged_in || error.is_loss_of_session()) {
                return Err(error);
            }
            match self.heal(seen, depth) {
                Ok(Some(login)) => logged_in |= login,
                Ok(None) => return Err(error),
                Err(then) => {
                    return Err(Error::NotHealed {
                        first: Box::new(error),
                        then: Box::new(then),
                    });
                }
            }
            occasion = Occasion::UseAgain;
        }
        what(occasion)
    }

    /// Whether a login was made, by whoever healed. None if nothing is left to be done.
    fn heal(&self, seen: u64, depth: Depth) -> Result<Option<bool>, Error> {
        let mut heals = self.heals()?;
        // If not, somebody else was faster: it is one incident, and one result.
        if self.attempts.load(Ordering::Acquire) == seen {
            if depth == Depth::Deep && self.rests(&heals) {
                return Ok(None);
            }
            heals.last = self.reconnect(&mut heals, depth);
            self.attempts.fetch_add(1, Ordering::AcqRel);
        }
        heals.last.clone().map(Some)
    }

    /// Whether a login was made.
    fn reconnect(&self, heals: &mut Heals, depth: Depth) -> Result<bool, Error> {
        let epoch = self.module.epoch();
        let connection = self.disconnect();
        // Whether the module itself may be the one that is lost.
        let mut suspected = heals.last.as_ref().is_err_and(may_be_the_modules);
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
        let anew =
            self.module.is_ours() && !self.rests(heals) && (suspected || depth == Depth::Deep);
        if !anew {
            match self.connect(&mut login) {
                Err(error) if may_be_the_modules(&error) && !login && !self.rests(heals) => {}
                result => {
                    if depth == Depth::Deep {
                        self.rest(heals);
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
            self.rest(heals);
        }
        self.connected(result?, true);
        Ok(login)
    }

    /// The key's handle by a login that lives; None if it does not.
    fn key_again(&self, token: &OpenToken) -> Result<Option<ObjectHandle>, Error> {
        let module = self.module.enter()?;
        if !token.is_alive() {
            return Ok(None);
        }
        key::again(module.raw(), &token.session, &self.uri, &self.public).map(Some)
    }

    /// Sets `login` when one is tried, whatever comes of it.
    fn connect(&self, login: &mut bool) -> Result<Connection, Error> {
        let module = self.module.enter()?;
        let mut authenticator = self.authenticator()?;
        let tries = authenticator.tries();
        let token = OpenToken::open(
            &module,
            &self.uri,
            &mut authenticator,
            Occasion::Healing,
            None,
        );
        *login |= authenticator.tries() != tries;
        let token = token?;
        let key = key::again(module.raw(), &token.session, &self.uri, &self.public)?;
        Ok(Connection { token, key })
    }

    /// Whether everything was had anew a moment ago, and has not led to success since.
    fn rests(&self, heals: &Heals) -> bool {
        !self.proved.load(Ordering::Relaxed)
            && heals
                .last_resort
                .is_some_and(|then| then.elapsed() < LAST_RESORT_REST)
    }

    fn rest(&self, heals: &mut Heals) {
        self.proved.store(false, Ordering::Relaxed);
        heals.last_resort = Some(Instant::now());
    }

    /// The turn of who heals.
    pub(super) fn heals(&self) -> Result<Held<'_, Heals>, Error> {
        self.heals
            .lock(self.wait)
            .ok_or(Error::TokenBusy { waited: self.wait })
    }
}

/// Whether it may be the module that does not see what is there.
fn may_be_the_modules(error: &Error) -> bool {
    matches!(
        error.kind(),
        SignerErrorKind::Unavailable | SignerErrorKind::NotFound
    )
}
