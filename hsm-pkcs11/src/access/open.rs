//! The first time: token, key, fitness.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use cryptoki::error::RvError;
use cryptoki::object::ObjectHandle;
use privyseal_core::RsaPublicKey;

use super::{Connection, Heals, KeyAccess, State, Work};
use crate::certificate;
use crate::error::{Error, KeyError};
use crate::key::{self, KeyFacts};
use crate::limits::DEFAULT_WAIT;
use crate::login::{Authenticator, Occasion};
use crate::mechanism::{self, Duty};
use crate::module::{Entered, Module};
use crate::options::SignerOptions;
use crate::pin::PinProvider;
use crate::session::OpenSession;
use crate::slot::FoundToken;
use crate::timed_mutex::Patient;
use crate::token::OpenToken;
use crate::uri::{ObjectType, Pkcs11Uri};

/// Who gives the PIN.
pub(crate) enum Pins<'p> {
    /// Somebody who is there now and not later.
    Guest(&'p mut dyn PinProvider),
    /// Somebody who stays.
    Own(Box<dyn PinProvider + Send>),
}

impl<D: Duty> KeyAccess<D> {
    /// Finds the token and the key that `uri` means, logs in and checks that the key may be used.
    pub(crate) fn open(
        uri: &Pkcs11Uri,
        pins: Pins<'_>,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        let module = Module::load(uri)?;
        let (guest, own) = match pins {
            Pins::Guest(guest) => (Some(guest), None),
            Pins::Own(own) => (None, Some(own)),
        };
        let mut authenticator = Authenticator::new(own, options.login, options.keep_pin);
        let entered = module.enter()?;
        let token = OpenToken::open(&entered, uri, &mut authenticator, Occasion::Opening, guest)?;
        let facts = key::select::<D>(entered.raw(), &token.session, uri)?;
        let fit = Fit::judge(&entered, &token, &facts, options)?;
        if facts.always_authenticate
            && !authenticator.can_repeat()
            && !token.found.info.protected_auth_path
        {
            return Err(unfit(&facts, KeyError::AlwaysAuthenticate));
        }
        let KeyFacts { handle, name, .. } = facts;
        let idle = first_work(&entered, &token.found, handle)?;
        let full = name.uri(&token.uri(uri), ObjectType::Private);
        drop(entered);
        Ok(Self {
            uri: full,
            token: token.found.info.clone(),
            name,
            mechanism: fit.mechanism,
            public: fit.public,
            notes: fit.notes,
            always_authenticate: facts.always_authenticate,
            authenticator: Patient::new(authenticator),
            state: Mutex::new(State {
                connection: Some(Connection { token, key: handle }),
                idle,
            }),
            heals: Patient::new(Heals::none()),
            generation: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            proved: AtomicBool::new(true),
            wait: DEFAULT_WAIT,
            module: Arc::clone(&module),
        })
    }
}

/// The session that the first use needs: a token that has one session only, which keeps the login, is better
/// found out now. Any other trouble is left to that use, which heals it or says so.
fn first_work(
    module: &Entered<'_>,
    found: &FoundToken,
    key: ObjectHandle,
) -> Result<Vec<Work>, Error> {
    match OpenSession::open(module, found.slot) {
        Ok(session) => Ok(vec![Work {
            session,
            found: found.clone(),
            key,
            generation: 0,
        }]),
        Err(call) if call.rv() == Some(RvError::SessionCount) => Err(Error::OneSession {
            token: found.info.name(),
            call,
        }),
        Err(_) => Ok(Vec::new()),
    }
}

/// A key that may be used.
struct Fit<D> {
    mechanism: D,
    public: RsaPublicKey,
    notes: Vec<key::FitnessNote>,
}

impl<D: Duty> Fit<D> {
    fn judge(
        module: &Entered<'_>,
        token: &OpenToken,
        facts: &KeyFacts,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        let offered = mechanism::offered::<D>(module.context(), token.slot())?;
        let public = facts
            .public
            .clone()
            .map_err(|reason| unfit(facts, reason))?;
        let heap = certificate::all(&token.session)?;
        let held = certificate::held(&heap, &public, &facts.name.id);
        if let Some(reason) = key::obstacle(facts, &offered, held, &options.key) {
            return Err(unfit(facts, reason));
        }
        let mechanism = mechanism::choose(&offered, &facts.allowed)
            .ok_or_else(|| unfit(facts, D::NO_MECHANISM))?;
        Ok(Self {
            mechanism,
            public,
            notes: key::notes(facts, &offered, held, &options.key),
        })
    }
}

fn unfit(facts: &KeyFacts, reason: KeyError) -> Error {
    Error::Key {
        key: facts.name.short(ObjectType::Private),
        reason,
    }
}
