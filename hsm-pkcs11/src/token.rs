//! A token that is logged in to.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use cryptoki_sys::{CK_SLOT_ID, CKR_GENERAL_ERROR};
use privyseal_hsm::{
    PinState, Secret, SecretOffer, SecretProvider, SecretRequest, SecretUnavailable,
};

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
        borrowed: Option<&mut dyn SecretProvider>,
    ) -> Result<Self, Error> {
        let mut borrowed = borrowed.map(|pins| AskedOnce { pins, given: None });
        let mut pauses = RACE_PAUSES.iter();
        loop {
            let entered = module.enter()?;
            let pins = borrowed
                .as_mut()
                .map(|pins| pins as &mut dyn SecretProvider);
            let token = Self::unauthenticated(&entered, uri);
            // Another token of the same module counts its tries.
            let slot = token.as_ref().ok().map(Self::slot);
            let opened = token
                .and_then(|it| it.logged_in(&entered, authenticator, LoginReason::Opening, pins));
            let error = match opened {
                Err(error) if may_be_misread(&error) && slot::is_softhsm(&entered, slot) => error,
                result => return result,
            };
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            drop(entered);
            thread::sleep(*pause);
            if module.is_ours() && module.sessions().load(Ordering::Acquire) == 0 {
                module.initialize_again(module.epoch())?;
            }
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

/// Who opens a key is asked for the PIN once, however often the token is tried.
struct AskedOnce<'p> {
    pins: &'p mut dyn SecretProvider,
    given: Option<Secret>,
}

impl SecretProvider for AskedOnce<'_> {
    fn secret(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        if self.given.is_none() {
            self.given = Some(self.pins.secret(request)?);
        }
        self.given.clone().ok_or(SecretUnavailable::Empty)
    }

    fn was_refused(&mut self, request: &SecretRequest, secret: &Secret) -> bool {
        self.pins.was_refused(request, secret)
    }

    fn outcome(&mut self, request: &SecretRequest, secret: &Secret, offer: SecretOffer) {
        self.pins.outcome(request, secret, offer);
    }
}
