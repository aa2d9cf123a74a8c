//! The login: at most one try, and only where the token's flags allow it.

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as Cryptoki, RvError};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::types::AuthPin;

use crate::error::{CallError, Error};
use crate::pin::PinProvider;
use crate::slot::{FoundToken, PinState, TokenInfo};

/// What a login may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginPolicy {
    /// Spend the last try too, and try where the flags cannot be read. A wrong PIN then locks the
    /// token.
    pub spend_final_try: bool,
}

/// Logs the user in to the session's token, if that is needed and not yet done.
pub(crate) fn login(
    context: &Pkcs11,
    session: &Session,
    token: &FoundToken,
    pins: &mut dyn PinProvider,
    policy: LoginPolicy,
) -> Result<(), Error> {
    attempt(
        &Desk {
            context,
            session,
            token,
        },
        pins,
        policy,
    )
}

/// What a login needs of a token; a seam, because no software token can be brought into every state.
trait LoginDesk {
    /// The token as its flags are now.
    fn token(&self) -> TokenInfo;
    /// Whether the process is logged in to it already.
    fn is_logged_in(&self) -> bool;
    /// `C_Login` as user; without a PIN, the PIN pad asks.
    fn login(&self, pin: Option<&AuthPin>) -> Result<(), Cryptoki>;
}

fn attempt(
    desk: &impl LoginDesk,
    pins: &mut dyn PinProvider,
    policy: LoginPolicy,
) -> Result<(), Error> {
    let token = desk.token();
    if !token.login_required || desk.is_logged_in() {
        return Ok(());
    }
    allow(&token, policy)?;
    let pin = if token.protected_auth_path {
        None
    } else {
        let unavailable = |reason| Error::PinUnavailable {
            token: token.name(),
            reason,
        };
        Some(pins.pin(&token).map_err(unavailable)?.to_auth_pin())
    };
    match desk.login(pin.as_ref()) {
        Ok(()) | Err(Cryptoki::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(refused(&token, &error, || desk.token().pin_state)),
    }
}

/// Whether one try may be spent.
fn allow(token: &TokenInfo, policy: LoginPolicy) -> Result<(), Error> {
    let name = token.name();
    match token.pin_state {
        PinState::Locked => Err(Error::PinLocked { token: name }),
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
        },
        Some(RvError::UserPinNotInitialized) => Error::PinNotInitialized {
            token: token.name(),
        },
        _ => Error::Call(call),
    }
}

struct Desk<'t> {
    context: &'t Pkcs11,
    session: &'t Session,
    token: &'t FoundToken,
}

impl LoginDesk for Desk<'_> {
    fn token(&self) -> TokenInfo {
        match self.context.get_token_info(self.token.slot) {
            Ok(info) => TokenInfo::read(self.token.slot, &info),
            Err(_) => TokenInfo {
                pin_state: PinState::Unknown,
                ..self.token.info.clone()
            },
        }
    }

    fn is_logged_in(&self) -> bool {
        self.session.get_session_info().is_ok_and(|info| {
            matches!(
                info.session_state(),
                SessionState::RoUser | SessionState::RwUser
            )
        })
    }

    fn login(&self, pin: Option<&AuthPin>) -> Result<(), Cryptoki> {
        self.session.login(UserType::User, pin)
    }
}

#[cfg(test)]
mod tests;
