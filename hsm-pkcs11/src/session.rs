//! A session that knows when it must not be closed.
//!
//! After the module was initialized again, a new session may have got the old handle, and in a forked child the handle
//! is the parent's. So a session is closed only in the process and the initialization that opened it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cryptoki_sys::{CK_SESSION_HANDLE, CK_SLOT_ID, CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS};

use crate::error::CallError;
use crate::module::{Entered, Module};
use crate::raw::RawModule;

/// An open session of one token. It does one thing at a time, and is closed when dropped.
pub(crate) struct OpenSession {
    module: Arc<Module>,
    epoch: u64,
    handle: CK_SESSION_HANDLE,
}

impl OpenSession {
    pub(crate) fn open(module: &Entered<'_>, slot: CK_SLOT_ID) -> Result<Self, CallError> {
        Self::new(module, slot, false)
    }

    /// One that writes.
    pub(crate) fn writing(module: &Entered<'_>, slot: CK_SLOT_ID) -> Result<Self, CallError> {
        Self::new(module, slot, true)
    }

    fn new(module: &Entered<'_>, slot: CK_SLOT_ID, writes: bool) -> Result<Self, CallError> {
        let handle = module.raw().open_session(slot, writes)?;
        module.module().sessions().fetch_add(1, Ordering::AcqRel);
        Ok(Self {
            handle,
            module: Arc::clone(module.module()),
            epoch: module.module().epoch(),
        })
    }

    /// Whether the module is still as it was when the session was opened. Says nothing of the token.
    pub(crate) fn is_current(&self) -> bool {
        self.epoch == self.module.epoch()
    }

    /// Whether the user is logged in to the token.
    pub(crate) fn is_logged_in(&self) -> Result<bool, CallError> {
        let state = self.raw().session_state(self.handle)?;
        Ok(matches!(
            state,
            CKS_RO_USER_FUNCTIONS | CKS_RW_USER_FUNCTIONS
        ))
    }

    /// Its number. Calls are made by who has entered the module.
    pub(crate) const fn handle(&self) -> CK_SESSION_HANDLE {
        self.handle
    }

    pub(crate) fn raw(&self) -> &RawModule {
        self.module.raw()
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.module.sessions().fetch_sub(1, Ordering::AcqRel);
        // A thread that holds the gate may leave the module as it is, and then the session is there still.
        let Ok(module) = self.module.enter() else {
            return;
        };
        if !self.is_current() {
            return;
        }
        // Some errors pass (a busy token), and a session that stays open may keep the token from others.
        if let Err(error) = module.raw().close_session(self.handle)
            && !error.is_loss_of_what_is_closed()
        {
            let _ = module.raw().close_session(self.handle);
        }
    }
}

impl fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenSession({})", self.handle)
    }
}
