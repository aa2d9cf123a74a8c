//! Where the PIN comes from after a key was opened: its own provider, or a PIN that it was allowed to keep.
//!
//! A PIN that the token refused is the last one that is tried: no program repeats it in a loop until the
//! token is locked. A caller that knows better opens the key again. Some modules report a wrong PIN as
//! `CKR_FUNCTION_FAILED` or `CKR_DEVICE_ERROR`: after such a failure the next login needs flags of the token that show
//! that no try was lost.

use std::cell::Cell;
use std::fmt;

use privyseal_hsm::{
    LoginPolicy, Secret, SecretOffer, SecretProvider, SecretRequest, SecretUnavailable,
};

use super::{LoginReason, ModuleLogin, attempt};
use crate::error::Error;
use crate::kept_pin::KeptPin;
use crate::module::Entered;
use crate::session::OpenSession;
use crate::slot::FoundToken;

/// Logs in to one token, as often as it must and no more.
pub(crate) struct Authenticator {
    provider: Option<Box<dyn SecretProvider + Send>>,
    policy: LoginPolicy,
    keep: bool,
    /// From the first login on, if it may keep one.
    kept: Option<KeptPin>,
    refused: bool,
    /// Whether the last login failed with a return value that does not mention the PIN: it may have cost a try.
    doubtful: bool,
    tries: Cell<u32>,
}

impl Authenticator {
    /// Asks `provider` at every login; if `keep`, at the first only. Without one, PINs come from the
    /// caller that opens the key.
    pub(crate) fn new(
        provider: Option<Box<dyn SecretProvider + Send>>,
        policy: LoginPolicy,
        keep: bool,
    ) -> Self {
        Self {
            provider,
            policy,
            keep,
            kept: None,
            refused: false,
            doubtful: false,
            tries: Cell::new(0),
        }
    }

    /// How often `C_Login` was called.
    pub(crate) const fn tries(&self) -> u32 {
        self.tries.get()
    }

    /// Whether there will be a PIN when one is needed again.
    pub(crate) fn can_repeat(&self) -> bool {
        self.provider.is_some() || self.kept_pin().is_some()
    }

    fn kept_pin(&self) -> Option<Secret> {
        self.kept.as_ref().and_then(KeptPin::get)
    }

    /// Logs in for `reason`. `borrowed` is asked first, if there is one.
    pub(crate) fn log_in(
        &mut self,
        module: &Entered<'_>,
        session: &OpenSession,
        token: &FoundToken,
        reason: LoginReason,
        borrowed: Option<&mut dyn SecretProvider>,
    ) -> Result<(), Error> {
        if self.keep && self.kept.is_none() {
            let info = &token.info;
            let name = [&info.label, &info.serial, &info.manufacturer, &info.model];
            let name = name.map(String::clone);
            self.kept = Some(module.module().kept_pins().of(name));
        }
        let reason = match reason {
            LoginReason::Use if self.doubtful => LoginReason::UseAgain,
            other => other,
        };
        let tries = Cell::new(self.tries.get());
        let token_login = ModuleLogin {
            module,
            session,
            token,
            // A context login has a token that was found when the key was opened.
            is_fresh: Cell::new(matches!(
                reason,
                LoginReason::Opening | LoginReason::Recovery
            )),
            tries: &tries,
        };
        let mut asked = PinLookup {
            authenticator: self,
            borrowed,
            given: None,
        };
        let policy = asked.authenticator.policy;
        let result = attempt(&token_login, &mut asked, policy, reason);
        let given = asked.given;
        let before = self.tries.replace(tries.get());
        match (&result, given) {
            (Ok(true), Some(pin)) => {
                if let Some(kept) = &self.kept {
                    kept.set(pin);
                }
            }
            (Err(Error::PinIncorrect { .. } | Error::PinLocked { .. }), Some(pin)) => {
                if let Some(kept) = &self.kept {
                    kept.refused(&pin);
                }
                self.refused = true;
            }
            _ => {}
        }
        if tries.get() != before {
            self.doubtful =
                matches!(&result, Err(error @ Error::Call(_)) if !error.is_loss_before_login());
        }
        result.map(|_| ())
    }
}

/// The order in which a PIN is looked for, and what was given.
struct PinLookup<'a, 'g> {
    authenticator: &'a mut Authenticator,
    borrowed: Option<&'g mut dyn SecretProvider>,
    given: Option<Secret>,
}

impl SecretProvider for PinLookup<'_, '_> {
    fn secret(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        let own = &mut *self.authenticator;
        if own.refused {
            return Err(SecretUnavailable::new(
                "the last one was refused, and a program does not try again: the key \
                 must be opened again with the right one",
            ));
        }
        let pin = match (&mut self.borrowed, own.kept_pin(), &mut own.provider) {
            (Some(borrowed), _, _) => borrowed.secret(request)?,
            (None, Some(kept), _) => kept,
            (None, None, Some(provider)) => provider.secret(request)?,
            (None, None, None) => {
                return Err(SecretUnavailable::new(
                    "it was not kept when the key was opened: the key must be opened again",
                ));
            }
        };
        self.given = Some(pin.clone());
        Ok(pin)
    }

    fn was_refused(&mut self, request: &SecretRequest, pin: &Secret) -> bool {
        match (&mut self.borrowed, &mut self.authenticator.provider) {
            (Some(borrowed), _) => borrowed.was_refused(request, pin),
            (None, Some(provider)) => provider.was_refused(request, pin),
            (None, None) => false,
        }
    }

    fn outcome(&mut self, request: &SecretRequest, pin: &Secret, offer: SecretOffer) {
        match (&mut self.borrowed, &mut self.authenticator.provider) {
            (Some(borrowed), _) => borrowed.outcome(request, pin, offer),
            (None, Some(provider)) => provider.outcome(request, pin, offer),
            (None, None) => {}
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("policy", &self.policy)
            .field("kept", &self.kept)
            .field("refused", &self.refused)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}
