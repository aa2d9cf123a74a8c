//! A token that is logged in to.

use std::sync::Arc;
use std::thread;

use cryptoki_sys::CK_SLOT_ID;
use privyseal_hsm::SecretProvider;

use crate::error::Error;
use crate::limits::RACE_PAUSES;
use crate::login::{Authenticator, LoginReason};
use crate::module::{Entered, Module};
use crate::session::OpenSession;
use crate::slot::{self, FoundToken};
use crate::uri::Pkcs11Uri;

/// A token and the session that keeps its login. That session is never used for signing, so it is never
/// dropped after an error: the login lasts only as long as one session of the process does.
#[derive(Debug)]
pub(crate) struct OpenToken {
    pub(crate) found: FoundToken,
    pub(crate) session: OpenSession,
}

impl OpenToken {
    /// Finds the token that `uri` means and logs in to it, asking `borrowed` for the PIN if there is one.
    pub(crate) fn open(
        module: &Entered<'_>,
        uri: &Pkcs11Uri,
        authenticator: &mut Authenticator,
        reason: LoginReason,
        borrowed: Option<&mut dyn SecretProvider>,
    ) -> Result<Self, Error> {
        let token = Self::unauthenticated(module, uri)?;
        authenticator.log_in(module, &token.session, &token.found, reason, borrowed)?;
        Ok(token)
    }

    /// The same without a login.
    pub(crate) fn unauthenticated(module: &Entered<'_>, uri: &Pkcs11Uri) -> Result<Self, Error> {
        let found = slot::select(module, uri)?;
        let session = OpenSession::open(module, found.slot)?;
        Ok(Self { found, session })
    }

    /// The same for a key that is opened. SoftHSM reads its tokens when it is initialized, and misses one that another
    /// process writes to at that moment: nothing was spent, so it is initialized again, if no session depends on it.
    pub(crate) fn open_first(
        module: &Arc<Module>,
        uri: &Pkcs11Uri,
        authenticator: &mut Authenticator,
        mut borrowed: Option<&mut dyn SecretProvider>,
    ) -> Result<Self, Error> {
        let mut pauses = RACE_PAUSES.iter();
        loop {
            let entered = module.enter()?;
            let borrowed = borrowed
                .as_mut()
                .map(|pins| &mut **pins as &mut dyn SecretProvider);
            let opened = Self::open(&entered, uri, authenticator, LoginReason::Opening, borrowed);
            if !matches!(&opened, Err(Error::Token(_)))
                || module.has_sessions()
                || !module.is_ours()
                || !slot::none_is_read(&entered).unwrap_or(false)
            {
                return opened;
            }
            let Some(pause) = pauses.next() else {
                return opened;
            };
            drop(entered);
            thread::sleep(*pause);
            module.initialize_again(module.epoch())?;
        }
    }

    pub(crate) const fn slot(&self) -> CK_SLOT_ID {
        self.found.slot
    }

    /// Whether its session lives, and what needs a login has one.
    pub(crate) fn is_alive(&self) -> bool {
        self.session.is_current()
            && self
                .session
                .is_logged_in()
                .is_ok_and(|logged_in| logged_in || !self.found.info.login_required)
    }

    /// The token as a URI that opens it again: how to reach it is as `given`.
    pub(crate) fn uri(&self, given: &Pkcs11Uri) -> Pkcs11Uri {
        self.found.info.uri().reached_as(given)
    }
}
