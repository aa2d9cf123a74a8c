//! Where the PIN comes from after a key was opened: its own provider, or a PIN that it was allowed to keep.
//!
//! A PIN that the token refused is the last one that is tried: no program repeats it in a loop until the
//! token is locked. A caller that knows better opens the key again. Some modules report a wrong PIN as
//! `CKR_FUNCTION_FAILED` or `CKR_DEVICE_ERROR`: after such a failure the next login needs flags of the token that show
//! that no try was lost.

use std::cell::Cell;

use privyseal_hsm::{
    LoginPolicy, Secret, SecretOffer, SecretProvider, SecretRequest, SecretUnavailable, lock,
};

use super::{LoginReason, ModuleLogin, attempt};
use crate::error::Error;
use crate::kept_pin::KeptPin;
use crate::module::Entered;
use crate::session::OpenSession;
use crate::slot::FoundToken;

/// Logs in to one token, as often as it must and no more.
#[derive(Default)]
pub(crate) struct Authenticator {
    provider: Option<Box<dyn SecretProvider + Send>>,
    policy: LoginPolicy,
    keep: bool,
    /// From the first login on, if it may keep one.
    kept: Option<KeptPin>,
    /// What was given for a key that is opened: who opens it is asked once, however often the token is tried.
    opening: Option<Secret>,
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
            ..Self::default()
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
        lock(self.kept.as_ref()?).clone()
    }

    /// The key is open, or will not be.
    pub(crate) fn end_opening(&mut self) {
        self.opening = None;
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
        let policy = self.policy;
        let mut asked = PinLookup {
            authenticator: self,
            borrowed,
            given: None,
        };
        let result = attempt(&token_login, &mut asked, policy, reason);
        let given = asked.given;
        let before = self.tries.replace(tries.get());
        let kept = self.kept.as_deref().map(lock);
        match (&result, given) {
            (Ok(true), Some(pin)) => {
                if let Some(mut kept) = kept {
                    *kept = Some(pin);
                }
            }
            (Err(Error::PinIncorrect { .. } | Error::PinLocked { .. }), Some(pin)) => {
                // Another one, given since, stays.
                if let Some(mut kept) = kept {
                    kept.take_if(|it| *it == pin);
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

impl PinLookup<'_, '_> {
    fn source(&mut self) -> Option<&mut dyn SecretProvider> {
        match (&mut self.borrowed, &mut self.authenticator.provider) {
            (Some(borrowed), _) => Some(&mut **borrowed),
            (None, Some(provider)) => Some(&mut **provider),
            (None, None) => None,
        }
    }
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
        let known = match self.borrowed {
            Some(_) => own.opening.clone(),
            None => own.kept_pin(),
        };
        let pin = match (known, self.source()) {
            (Some(known), _) => known,
            (None, Some(source)) => source.secret(request)?,
            (None, None) => {
                return Err(SecretUnavailable::new(
                    "it was not kept when the key was opened: the key must be opened again",
                ));
            }
        };
        if self.borrowed.is_some() {
            self.authenticator.opening = Some(pin.clone());
        }
        self.given = Some(pin.clone());
        Ok(pin)
    }

    fn was_refused(&mut self, request: &SecretRequest, pin: &Secret) -> bool {
        self.source()
            .is_some_and(|source| source.was_refused(request, pin))
    }

    fn outcome(&mut self, request: &SecretRequest, pin: &Secret, offer: SecretOffer) {
        if let Some(source) = self.source() {
            source.outcome(request, pin, offer);
        }
    }
}

privyseal_core::opaque_debug! { [] Authenticator: policy, kept, refused, tries; }
