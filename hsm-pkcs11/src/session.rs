//! A session that knows when it must not be closed.
//!
//! cryptoki closes a session when it is dropped, whatever became of it meanwhile. After the module was
//! initialized again, the number of an old session may be that of another new one, and in a forked
//! child it is that of the parent's. So sessions are opened without that, and closed here, if they still
//! are what they were.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use cryptoki::session::{Session, SessionState};
use cryptoki::slot::Slot;

use crate::error::CallError;
use crate::module::{Entered, Module};

/// An open session of one token. It does one thing at a time, and is closed when dropped.
pub(crate) struct OpenSession {
    module: Arc<Module>,
    epoch: u64,
    session: Session,
}

impl OpenSession {
    /// A read-only session: nothing is ever written to a token.
    pub(crate) fn open(module: &Entered<'_>, slot: Slot) -> Result<Self, CallError> {
        let session = module
            .context()
            .open_ro_session_no_drop(slot)
            .map_err(|error| CallError::new("C_OpenSession", &error))?;
        Ok(Self {
            module: Arc::clone(module.module()),
            epoch: module.module().epoch(),
            session,
        })
    }

    /// Whether the module is still as it was when the session was opened. Says nothing of the token.
    pub(crate) fn is_current(&self) -> bool {
        self.epoch == self.module.epoch()
    }

    /// Whether the user is logged in. A session that is dead is not.
    pub(crate) fn is_logged_in(&self) -> bool {
        is_logged_in(&self.session)
    }
}

/// Whether the user is logged in to the session's token.
pub(crate) fn is_logged_in(session: &Session) -> bool {
    session.get_session_info().is_ok_and(|info| {
        matches!(
            info.session_state(),
            SessionState::RoUser | SessionState::RwUser
        )
    })
}

impl Deref for OpenSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        // A thread that holds the gate may leave the module as it is, and then the session is there still.
        let Ok(module) = self.module.enter() else {
            return;
        };
        if !self.is_current() {
            return;
        }
        // Some errors pass (a busy token), and a session that stays open may keep the token from others.
        if let Err(error) = module.raw().close(&self.session)
            && !error.is_loss_of_what_is_closed()
        {
            let _ = module.raw().close(&self.session);
        }
    }
}

impl fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenSession({})", self.session)
    }
}
