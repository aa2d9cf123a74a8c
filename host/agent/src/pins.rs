//! PINs, and those that a token refused: none is offered to it again, whichever profile names it, and however; nor is
//! another one until somebody says that it is mended.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use privyseal_hsm::{
    PinSources, Secret, SecretOffer, SecretProvider, SecretRequest, SecretUnavailable, lock,
};

/// What tokens refused. A right PIN of another profile makes a wrong one no better.
#[derive(Debug, Default)]
pub(crate) struct PinRefusals {
    tokens: Mutex<BTreeMap<Token, OfToken>>,
    freed: Condvar,
}

/// Label and serial number, by the token's own word.
type Token = (String, String);

#[derive(Debug, Default)]
struct OfToken {
    /// Whether one is offered at this moment.
    is_tried: bool,
    refused: Vec<Secret>,
    /// Whether nobody has acted since the last refusal.
    is_stopped: bool,
}

/// Where the PIN of one key comes from.
pub(crate) struct Pins {
    sources: PinSources<'static>,
    known: Arc<PinRefusals>,
    /// The token to which nobody else offers a PIN while this lives.
    trying: Option<Token>,
}

impl Pins {
    pub(crate) const fn new(sources: PinSources<'static>, known: Arc<PinRefusals>) -> Self {
        Self {
            sources,
            known,
            trying: None,
        }
    }
}

impl PinRefusals {
    // Changed as a whole: a panic leaves one state or the other.
    fn tokens(&self) -> MutexGuard<'_, BTreeMap<Token, OfToken>> {
        lock(&self.tokens)
    }

    /// Waits for who offers this token a PIN now: it may be the same one.
    fn begin(&self, token: &Token) {
        let is_tried = |tokens: &mut BTreeMap<Token, OfToken>| {
            let state = tokens.entry(token.clone()).or_default();
            core::mem::replace(&mut state.is_tried, true)
        };
        let waited = self.freed.wait_while(self.tokens(), is_tried);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Somebody acted: each token may be offered one more PIN.
    pub(crate) fn try_again(&self) {
        for state in self.tokens().values_mut() {
            state.is_stopped = false;
        }
    }

    fn end(&self, token: &Token) {
        if let Some(state) = self.tokens().get_mut(token) {
            state.is_tried = false;
        }
        self.freed.notify_all();
    }
}

impl SecretProvider for Pins {
    fn secret(&mut self, request: &SecretRequest) -> Result<Secret, SecretUnavailable> {
        if let Some(token) = token_of(request) {
            if self.trying.is_none() {
                self.known.begin(&token);
                self.trying = Some(token.clone());
            }
            if self
                .known
                .tokens()
                .get(&token)
                .is_some_and(|it| it.is_stopped)
            {
                return Err(SecretUnavailable::new(
                    "the token refused one of the agent, so no other is offered until the agent reads its configuration again",
                ));
            }
        }
        self.sources.secret(request)
    }

    fn was_refused(&mut self, request: &SecretRequest, secret: &Secret) -> bool {
        let tokens = self.known.tokens();
        let state = token_of(request).and_then(|token| tokens.get(&token));
        state.is_some_and(|state| state.refused.contains(secret))
            || self.sources.was_refused(request, secret)
    }

    fn outcome(&mut self, request: &SecretRequest, secret: &Secret, offer: SecretOffer) {
        self.sources.outcome(request, secret, offer);
        let Some(token) = token_of(request) else {
            return;
        };
        if offer == SecretOffer::Refused {
            let mut tokens = self.known.tokens();
            let state = tokens.entry(token).or_default();
            state.refused.push(secret.clone());
            state.is_stopped = true;
        }
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        if let Some(token) = &self.trying {
            self.known.end(token);
        }
    }
}

/// None where no tries are counted.
fn token_of(request: &SecretRequest) -> Option<Token> {
    match request {
        SecretRequest::Pin { token, serial, .. } => Some((token.clone(), serial.clone())),
        _ => None,
    }
}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pins")
            .field("sources", &self.sources)
            .field("trying", &self.trying)
            .finish_non_exhaustive()
    }
}
