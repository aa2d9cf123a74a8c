//! A token that is logged in to.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use cryptoki_sys::{CK_SLOT_ID, CKR_GENERAL_ERROR};
use privyseal_hsm::{PinState, SecretProvider};

use crate::error::{Error, SelectError};
use crate::limits::{RACE_PAUSES, START_WAIT};
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
        Self::unauthenticated(module, uri)?.logged_in(module, authenticator, reason, borrowed)
    }

    fn logged_in(
        self,
        module: &Entered<'_>,
        authenticator: &mut Authenticator,
        reason: LoginReason,
        borrowed: Option<&mut dyn SecretProvider>,
    ) -> Result<Self, Error> {
        authenticator.log_in(module, &self.session, &self.found, reason, borrowed)?;
        Ok(self)
    }

    /// The same without a login.
    pub(crate) fn unauthenticated(module: &Entered<'_>, uri: &Pkcs11Uri) -> Result<Self, Error> {
        let _alone = module.module().alone(START_WAIT);
        let found = slot::select(module, uri)?;
        let session = OpenSession::open(module, found.slot)?;
        Ok(Self { found, session })
    }

    /// The same for a key that is opened. SoftHSM misreads a token that another process writes to at that moment, as a login
    /// does: it is looked at again, and initialized again if no session depends on it.
    pub(crate) fn open_first(
        module: &Arc<Module>,
        uri: &Pkcs11Uri,
        authenticator: &mut Authenticator,
        mut borrowed: Option<&mut dyn SecretProvider>,
    ) -> Result<Self, Error> {
        let mut pauses = RACE_PAUSES.iter();
        let opened = loop {
            let entered = module.enter()?;
            let pins = borrowed.as_mut().map(|pins| &mut **pins as _);
            let token = Self::unauthenticated(&entered, uri);
            // Another token of the same module counts its tries.
            let slot = token.as_ref().ok().map(Self::slot);
            let opened = token
                .and_then(|it| it.logged_in(&entered, authenticator, LoginReason::Opening, pins));
            let is_misread =
                |error: &Error| may_be_misread(error) && slot::is_softhsm(&entered, slot);
            let pause = match &opened {
                Err(error) if is_misread(error) => pauses.next(),
                _ => None,
            };
            let Some(pause) = pause else { break opened };
            drop(entered);
            thread::sleep(Duration::from_millis(*pause));
            if module.is_ours() && module.sessions().load(Ordering::Acquire) == 0 {
                module.initialize_again(module.epoch())?;
            }
        };
        authenticator.end_opening();
        opened
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

/// Whether SoftHSM may have misread its tokens. It counts no tries, so none was spent.
fn may_be_misread(error: &Error) -> bool {
    match error {
        Error::Token(SelectError::None { .. })
        | Error::PinNotInitialized { .. }
        | Error::PinFinalTry {
            state: PinState::Unknown,
            ..
        } => true,
        Error::Call(call) => call.rv() == Some(CKR_GENERAL_ERROR),
        _ => false,
    }
}
