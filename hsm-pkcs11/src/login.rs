//! The login: at most one try, and only where the token's flags allow it.

mod authenticator;

use cryptoki::error::{Error as Cryptoki, RvError};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;

pub(crate) use authenticator::Authenticator;

use crate::error::{CallError, Error};
use crate::module::Entered;
use crate::pin::PinProvider;
use crate::session::OpenSession;
use crate::slot::{FoundToken, PinState, TokenInfo};

/// What a login may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginPolicy {
    /// Spend the last try too, and try where the flags cannot be read. A wrong PIN then locks the
    /// token.
    pub spend_final_try: bool,
}

/// Why somebody logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A person or a program opens the key.
    Opening,
    /// The login was lost and is repeated by itself: not where a try was lost since the last right PIN.
    Healing,
    /// The key has `CKA_ALWAYS_AUTHENTICATE` and an operation was begun.
    Use,
    /// As [`Occasion::Use`], after something failed: not where a try was lost since the last right PIN.
    UseAgain,
}

/// What a login needs of a token; a seam, because no software token can be brought into every state.
trait LoginDesk {
    /// The token as its flags are now.
    fn token(&self) -> TokenInfo;
    /// Whether the process is logged in to it already.
    fn is_logged_in(&self) -> bool;
    /// `C_Login`; without a PIN, the PIN pad asks.
    fn login(&self, user: UserType, pin: Option<&AuthPin>) -> Result<(), Cryptoki>;
}

/// Logs in, if that is needed and not yet done.
fn attempt(
    desk: &impl LoginDesk,
    pins: &mut dyn PinProvider,
    policy: LoginPolicy,
    occasion: Occasion,
) -> Result<(), Error> {
    let token = desk.token();
    let user = match occasion {
        Occasion::Opening | Occasion::Healing if !token.login_required || desk.is_logged_in() => {
            return Ok(());
        }
        Occasion::Opening | Occasion::Healing => UserType::User,
        Occasion::Use | Occasion::UseAgain => UserType::ContextSpecific,
    };
    allow(&token, policy, occasion)?;
    let pin = if token.protected_auth_path {
        None
    } else {
        let unavailable = |reason| Error::PinUnavailable {
            token: token.name(),
            reason,
        };
        Some(pins.pin(&token).map_err(unavailable)?.to_auth_pin())
    };
    match desk.login(user, pin.as_ref()) {
        Ok(()) | Err(Cryptoki::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(refused(&token, &error, || desk.token().pin_state)),
    }
}

/// Whether one try may be spent.
fn allow(token: &TokenInfo, policy: LoginPolicy, occasion: Occasion) -> Result<(), Error> {
    let name = token.name();
    match token.pin_state {
        PinState::CountLow if matches!(occasion, Occasion::Healing | Occasion::UseAgain) => {
            Err(Error::PinCountLow { token: name })
        }
        PinState::Locked => Err(Error::PinLocked {
            token: name,
            call: None,
        }),
        state @ (PinState::FinalTry | PinState::Unknown) if !policy.spend_final_try => {
            Err(Error::PinFinalTry { token: name, state })
        }
        PinState::FinalTry | PinState::Unknown | PinState::CountLow | PinState::Ok => Ok(()),
    }
}

fn refused(token: &TokenInfo, error: &Cryptoki, state_now: impl Fn() -> PinState) -> Error {
    let call = CallError::new("C_Login", error);
    match call.rv() {
        // A PIN of the wrong length is a wrong PIN to some tokens: reckon with a spent try.
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

struct Desk<'t> {
    module: &'t Entered<'t>,
    session: &'t OpenSession,
    token: &'t FoundToken,
    tries: &'t std::cell::Cell<u32>,
}

impl LoginDesk for Desk<'_> {
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
