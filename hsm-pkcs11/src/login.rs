//! The login: at most one try, and only where the token's flags allow it.

mod authenticator;

use cryptoki_sys::{
    CK_USER_TYPE, CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_LOCKED,
    CKR_USER_ALREADY_LOGGED_IN, CKR_USER_PIN_NOT_INITIALIZED, CKU_CONTEXT_SPECIFIC, CKU_USER,
};
use privyseal_hsm::{
    LoginPolicy, PinState, ProcessLock, Secret, SecretOffer, SecretProvider, SecretRequest,
    SecretUnavailable,
};

pub(crate) use authenticator::Authenticator;

use crate::error::{CallError, Error};
use crate::limits::{LOGIN_WAIT, MAX_PIN};
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
    /// The token as its flags are now, or were when it was found a moment ago.
    fn token(&self) -> TokenInfo;
    /// The token as its flags are now.
    fn token_now(&self) -> Result<TokenInfo, CallError>;
    /// Keeps other processes from logging in.
    fn alone(&self) -> Option<ProcessLock>;
    /// Whether the process is logged in to it already.
    fn is_logged_in(&self) -> bool;
    /// `C_Login`; without a PIN, the PIN pad asks.
    fn login(&self, user: CK_USER_TYPE, pin: Option<&Secret>) -> Result<(), CallError>;
}

/// Logs in, if that is needed and not yet done. Whether the PIN was proved to be right.
fn attempt(
    token_login: &impl TokenLogin,
    pins: &mut dyn SecretProvider,
    policy: LoginPolicy,
    reason: LoginReason,
) -> Result<bool, Error> {
    let token = token_login.token();
    let user = match reason {
        LoginReason::Opening | LoginReason::Recovery
            if !token.login_required || token_login.is_logged_in() =>
        {
            return Ok(false);
        }
        LoginReason::Opening | LoginReason::Recovery => CKU_USER,
        LoginReason::Use | LoginReason::UseAgain => CKU_CONTEXT_SPECIFIC,
    };
    allow(&token, policy, reason)?;
    let mut request = SecretRequest::Pin {
        token: token.label.clone(),
        serial: token.serial.clone(),
        state: token.pin_state,
    };
    let given = if token.protected_auth_path {
        None
    } else {
        Some(given_pin(
            token_login,
            &token,
            pins,
            policy,
            reason,
            &request,
        )?)
    };
    let pin = given.as_ref().map(|(pin, _)| pin);
    let result = match token_login.login(user, pin) {
        Ok(()) => Ok(true),
        Err(call) if call.rv() == Some(CKR_USER_ALREADY_LOGGED_IN) => Ok(false),
        Err(call) => Err(refused(&token, call, || token_login.token().pin_state)),
    };
    if let Some(pin) = pin {
        let offer = match &result {
            Ok(true) => SecretOffer::Accepted,
            Err(Error::PinIncorrect { now, .. }) => {
                if let SecretRequest::Pin { state, .. } = &mut request {
                    *state = *now;
                }
                SecretOffer::Refused
            }
            _ => SecretOffer::Unjudged,
        };
        pins.outcome(&request, pin, offer);
    }
    result
}

/// The PIN, if it may be offered now. A login of the user is made alone: what another process spent while this one waited
/// counts.
fn given_pin(
    token_login: &impl TokenLogin,
    token: &TokenInfo,
    pins: &mut dyn SecretProvider,
    policy: LoginPolicy,
    reason: LoginReason,
    request: &SecretRequest,
) -> Result<(Secret, Option<ProcessLock>), Error> {
    let unavailable = |reason| Error::PinUnavailable {
        token: token.name(),
        reason,
    };
    let (min, max) = token.pin_lengths.unwrap_or((1, MAX_PIN));
    let pin = pins.secret(request).and_then(|pin| pin.within(min, max));
    let pin = pin.map_err(unavailable)?;
    let mut alone = None;
    let is_of_user = matches!(reason, LoginReason::Opening | LoginReason::Recovery);
    if is_of_user {
        alone = token_login.alone();
        match token_login.token_now() {
            Ok(now) => allow(&now, policy, reason)?,
            // They could not be read before, and a try may be spent.
            Err(_) if token.pin_state == PinState::Unknown => {}
            Err(call) => return Err(call.into()),
        }
    }
    if pins.was_refused(request, &pin) {
        return Err(unavailable(SecretUnavailable::RefusedBefore));
    }
    // A login for one use has the PIN that opened the key.
    if is_of_user {
        pins.outcome(request, &pin, SecretOffer::Begun);
    }
    Ok((pin, alone))
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

fn refused(token: &TokenInfo, call: CallError, state_now: impl Fn() -> PinState) -> Error {
    match call.rv() {
        // A PIN of the wrong length is a wrong PIN to some tokens: a try may be spent.
        Some(CKR_PIN_INCORRECT | CKR_PIN_LEN_RANGE | CKR_PIN_INVALID) => Error::PinIncorrect {
            token: token.name(),
            now: state_now(),
            call,
        },
        Some(CKR_PIN_LOCKED) => Error::PinLocked {
            token: token.name(),
            call: Some(call),
        },
        Some(CKR_USER_PIN_NOT_INITIALIZED) => Error::PinNotInitialized {
            token: token.name(),
        },
        _ => Error::Call(call),
    }
}

struct ModuleLogin<'t> {
    module: &'t Entered<'t>,
    session: &'t OpenSession,
    token: &'t FoundToken,
    /// Whether it was read a moment ago.
    is_fresh: std::cell::Cell<bool>,
    tries: &'t std::cell::Cell<u32>,
}

impl TokenLogin for ModuleLogin<'_> {
    fn token(&self) -> TokenInfo {
        if self.is_fresh.take() {
            return self.token.info.clone();
        }
        self.token_now().unwrap_or_else(|_| TokenInfo {
            pin_state: PinState::Unknown,
            ..self.token.info.clone()
        })
    }

    fn token_now(&self) -> Result<TokenInfo, CallError> {
        TokenInfo::of(self.module.raw(), self.token.slot)
    }

    fn alone(&self) -> Option<ProcessLock> {
        self.module.module().alone(LOGIN_WAIT)
    }

    fn is_logged_in(&self) -> bool {
        // A session that is dead is not.
        self.session.is_logged_in().unwrap_or(false)
    }

    fn login(&self, user: CK_USER_TYPE, pin: Option<&Secret>) -> Result<(), CallError> {
        self.tries.set(self.tries.get().saturating_add(1));
        let session = self.session.handle();
        self.module
            .raw()
            .login(session, user, pin.map(Secret::expose))
    }
}

#[cfg(test)]
mod tests;
