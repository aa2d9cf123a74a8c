//! The login: at most one try, and only where the token's flags allow it.

mod authenticator;

use cryptoki::error::{Error as Cryptoki, RvError};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;

pub(crate) use authenticator::Authenticator;
use privyseal_hsm::{LoginPolicy, PinState, SecretProvider, SecretRequest};

use crate::error::{CallError, Error};
use crate::limits::MAX_PIN;
use crate::module::Entered;
use crate::session::OpenSession;
use crate::slot::{FoundToken, TokenInfo};

/// What a login is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginReason {
    /// A person or a program opens the key.
    Opening,
    /// The login was lost and is repeated by itself: not where a try was lost since the last right PIN.
    Recovery,
    /// The key has `CKA_ALWAYS_AUTHENTICATE` and an operation was begun.
    Use,
    /// As [`LoginReason::Use`], after something failed: not where a try was lost since the last right PIN.
    UseAgain,
}

/// What a login needs of a token; a seam, because no software token can be brought into every state.
trait TokenLogin {
    /// The token as its flags are now.
    fn token(&self) -> TokenInfo;
    /// Whether the process is logged in to it already.
    fn is_logged_in(&self) -> bool;
    /// `C_Login`; without a PIN, the PIN pad asks.
    fn login(&self, user: UserType, pin: Option<&AuthPin>) -> Result<(), Cryptoki>;
}

/// Logs in, if that is needed and not yet done.
fn attempt(
    token_login: &impl TokenLogin,
    pins: &mut dyn SecretProvider,
    policy: LoginPolicy,
    reason: LoginReason,
) -> Result<(), Error> {
    let token = token_login.token();
    let user = match reason {
        LoginReason::Opening | LoginReason::Recovery
            if !token.login_required || token_login.is_logged_in() =>
        {
            return Ok(());
        }
        LoginReason::Opening | LoginReason::Recovery => UserType::User,
        LoginReason::Use | LoginReason::UseAgain => UserType::ContextSpecific,
    };
    allow(&token, policy, reason)?;
    let pin = if token.protected_auth_path {
        None
    } else {
        let request = SecretRequest::Pin {
            token: token.label.clone(),
            serial: token.serial.clone(),
            state: token.pin_state,
        };
        let pin = pins.secret(&request).and_then(|pin| pin.at_most(MAX_PIN));
        let pin = pin.map_err(|reason| Error::PinUnavailable {
            token: token.name(),
            reason,
        })?;
        // A copy that is wiped as well.
        Some(AuthPin::from(pin.expose()))
    };
    match token_login.login(user, pin.as_ref()) {
        Ok(()) | Err(Cryptoki::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(refused(&token, &error, || token_login.token().pin_state)),
    }
}

/// Whether one try may be spent.
fn allow(token: &TokenInfo, policy: LoginPolicy, reason: LoginReason) -> Result<(), Error> {
    let name = token.name();
    match token.pin_state {
        PinState::CountLow if matches!(reason, LoginReason::Recovery | LoginReason::UseAgain) => {
            Err(Error::PinCountLow { token: name })
        }
        PinState::Locked => Err(Error::PinLocked {
            token: name,
            call: None,
        }),
        PinState::Ok | PinState::CountLow => Ok(()),
        state if !policy.spend_final_try => Err(Error::PinFinalTry { token: name, state }),
        _ => Ok(()),
    }
}

fn refused(token: &TokenInfo, error: &Cryptoki, state_now: impl Fn() -> PinState) -> Error {
    let call = CallError::new("C_Login", error);
    match call.rv() {
        // A PIN of the wrong length is a wrong PIN to some tokens: a try may be spent.
        Some(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid) => {
            Error::PinIncorrect {
                token: token.name(),
                now: state_now(),
                call,
            }
        }
        Some(RvError::PinLocked) => Error::PinLocked {
            token: token.name(),
            call: Some(call),
        },
        Some(RvError::UserPinNotInitialized) => Error::PinNotInitialized {
            token: token.name(),
        },
        _ => Error::Call(call),
    }
}

struct ModuleLogin<'t> {
    module: &'t Entered<'t>,
    session: &'t OpenSession,
    token: &'t FoundToken,
    tries: &'t std::cell::Cell<u32>,
}

impl TokenLogin for ModuleLogin<'_> {
    fn token(&self) -> TokenInfo {
        TokenInfo::of(self.module.raw(), self.token.slot).unwrap_or_else(|_| TokenInfo {
            pin_state: PinState::Unknown,
            ..self.token.info.clone()
        })
    }

    fn is_logged_in(&self) -> bool {
        self.session.is_logged_in()
    }

    fn login(&self, user: UserType, pin: Option<&AuthPin>) -> Result<(), Cryptoki> {
        self.tries.set(self.tries.get().saturating_add(1));
        self.session.login(user, pin)
    }
}

#[cfg(test)]
mod tests;
