//! What is done when something is lost.
//!
//! Gently first: is the login's session alive, and the key still there? Then only the session that failed
//! was bad, and a new one is opened. Else the token is looked for anew and logged in to, once. Where that
//! cannot be, because the module itself does not see the token any more (SoftHSM after a token came back,
//! a client whose daemon was restarted), the module is initialized anew, if it was initialized here.
//!
//! At most one login is made for an incident, whoever and however many notice it: those who come while
//! somebody heals wait, and share the result.

use std::sync::atomic::Ordering;

use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;

use super::{Connection, KeyAccess, State};
use crate::error::Error;
use crate::key;
use crate::login::Occasion;
use crate::mechanism::Duty;
use crate::token::OpenToken;

/// How far to go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What lives is kept.
    Gentle,
    /// What seemed to live did not help.
    Deep,
}

impl<D: Duty> KeyAccess<D> {
    /// Does `what`; if something is lost, heals and does it again.
    pub(super) fn healing<T>(
        &self,
        mut what: impl FnMut() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut logged_in = false;
        for depth in [Depth::Gentle, Depth::Deep] {
            let seen = self.attempts.load(Ordering::Acquire);
            let error = match what() {
                Err(error) if error.is_loss() => error,
                result => return result,
            };
            if depth == Depth::Deep && (logged_in || error.is_loss_of_session()) {
                return Err(error);
            }
            match self.heal(seen, depth) {
                Ok(login_made) => logged_in |= login_made,
                Err(then) => {
                    return Err(Error::NotHealed {
                        first: Box::new(error),
                        then: Box::new(then),
                    });
                }
            }
        }
        what()
    }

    /// Whether a login was made.
    fn heal(&self, seen: u64, depth: Depth) -> Result<bool, Error> {
        self.check_process()?;
        let mut state = self.state();
        if self.attempts.load(Ordering::Acquire) != seen {
            // Somebody else was faster: it is one incident, and one result.
            return state.failure.clone().map_or(Ok(false), Err);
        }
        let tries = self.authenticator().tries();
        let result = self.reconnect(&mut state, depth);
        state.failure = result.as_ref().err().cloned();
        self.attempts.fetch_add(1, Ordering::AcqRel);
        result.map(|()| self.authenticator().tries() != tries)
    }

    fn reconnect(&self, state: &mut State, depth: Depth) -> Result<(), Error> {
        state.idle.clear();
        let epoch = self.module.epoch();
        let connection = state.connection.take();
        let mut last_resort = depth == Depth::Deep
            || state.failure.as_ref().is_some_and(may_be_the_modules) && self.module.is_ours();
        if let Some(mut connection) = connection.filter(|_| depth == Depth::Gentle) {
            match self.key_again(&connection.token) {
                Ok(Some(key)) => {
                    if key != connection.key {
                        connection.key = key;
                        self.generation.fetch_add(1, Ordering::AcqRel);
                    }
                    state.connection = Some(connection);
                    return Ok(());
                }
                // It says that it lives, and the key is not there: the module does not see the token.
                Err(error) if may_be_the_modules(&error) => last_resort = self.module.is_ours(),
                Ok(None) | Err(_) => {}
            }
        }
        if !last_resort {
            let tries = self.authenticator().tries();
            match self.connect() {
                Ok(connection) => {
                    self.accept(state, connection);
                    return Ok(());
                }
                Err(error)
                    if !may_be_the_modules(&error) || self.authenticator().tries() != tries =>
                {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        self.module.initialize_again(epoch)?;
        let connection = self.connect()?;
        self.accept(state, connection);
        Ok(())
    }

    fn accept(&self, state: &mut State, connection: Connection) {
        state.connection = Some(connection);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// The key's handle by a login that lives; None if it does not.
    fn key_again(
        &self,
        token: &OpenToken,
    ) -> Result<Option<cryptoki::object::ObjectHandle>, Error> {
        let module = self.module.enter()?;
        if !token.is_alive() {
            return Ok(None);
        }
        key::again(module.raw(), &token.session, &self.uri, &self.public).map(Some)
    }

    fn connect(&self) -> Result<Connection, Error> {
        let module = self.module.enter()?;
        let mut authenticator = self.authenticator();
        let token = OpenToken::open(
            &module,
            &self.uri,
            &mut authenticator,
            Occasion::Healing,
            None,
        )?;
        let key = key::again(module.raw(), &token.session, &self.uri, &self.public)?;
        Ok(Connection { token, key })
    }
}

/// Whether it may be the module that does not see what is there.
fn may_be_the_modules(error: &Error) -> bool {
    matches!(
        error.kind(),
        SignerErrorKind::Unavailable | SignerErrorKind::NotFound
    )
}
