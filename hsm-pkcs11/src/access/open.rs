//! The first time: token, key, fitness.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use cryptoki_sys::{CK_OBJECT_HANDLE, CKR_SESSION_COUNT};
use privyseal_hsm::{KeyUnfit, SecretProvider, SignerOptions};

use super::{Connection, KeyAccess, LiveSessions, Recovery, SignSession};
use crate::certificate;
use crate::error::Error;
use crate::key::{self, KeyFacts};
use crate::limits::DEFAULT_WAIT;
use crate::login::Authenticator;
use crate::mechanism::{self, KeyOperation};
use crate::module::Entered;
use crate::session::OpenSession;
use crate::slot::{self, FoundToken};
use crate::token::OpenToken;
use crate::uri::{ObjectType, Pkcs11Uri};

impl<O: KeyOperation> KeyAccess<O> {
    /// Finds the token and the key that `uri` means, logs in and checks that the key may be used. The PIN is `borrowed`'s, a
    /// provider that is there now and not later, or that of one that stays with the key.
    pub(crate) fn open(
        uri: &Pkcs11Uri,
        borrowed: Option<&mut dyn SecretProvider>,
        owned: Option<Box<dyn SecretProvider + Send>>,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        let module = slot::module_of(uri)?;
        let mut authenticator = Authenticator::new(owned, options.login, options.keep_pin);
        let token = OpenToken::open_first(&module, uri, &mut authenticator, borrowed)?;
        let entered = module.enter()?;
        let facts = key::select::<O>(&token.session, uri)?;
        let unfit = |reason| Error::Key {
            key: facts.name.short(ObjectType::Private),
            reason,
        };
        let offered = mechanism::offered_to::<O>(entered.raw(), token.slot(), &facts.allowed)?;
        let public = facts.public.clone().map_err(unfit)?;
        let heap = certificate::all(&token.session)?;
        let held = certificate::held(&heap, &public, &facts.name.id);
        let mechanism = key::check(&facts, &offered, held, &options.key).map_err(unfit)?;
        if facts.always_authenticate
            && !authenticator.can_repeat()
            && !token.found.info.protected_auth_path
        {
            return Err(unfit(KeyUnfit::AlwaysAuthenticate));
        }
        let notes = key::notes(&facts, &offered, held, &options.key);
        let KeyFacts { handle, name, .. } = facts;
        let idle = first_session(&entered, &token.found, handle)?;
        let full = name.uri(&token.uri(uri), ObjectType::Private);
        drop(entered);
        Ok(Self {
            uri: full,
            token: token.found.info.clone(),
            name,
            mechanism,
            public,
            notes,
            heap: Mutex::new(Some((Instant::now(), heap))),
            always_authenticate: facts.always_authenticate,
            authenticator: Mutex::new(authenticator),
            live: Mutex::new(LiveSessions {
                connection: Some(Connection { token, key: handle }),
                idle,
            }),
            recovery: Mutex::new(Recovery::none()),
            generation: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            proved: AtomicBool::new(true),
            wait: DEFAULT_WAIT,
            module: Arc::clone(&module),
        })
    }
}

/// The session that the first use needs: a token that has one session only, which keeps the login, is better
/// found out now. Any other trouble is left to that use, which recovers it or says so.
fn first_session(
    module: &Entered<'_>,
    found: &FoundToken,
    key: CK_OBJECT_HANDLE,
) -> Result<Vec<SignSession>, Error> {
    match OpenSession::open(module, found.slot) {
        Ok(session) => Ok(vec![SignSession {
            session,
            found: found.clone(),
            key,
            generation: 0,
        }]),
        Err(call) if call.rv() == Some(CKR_SESSION_COUNT) => Err(Error::OneSession {
            token: found.info.name(),
            call,
        }),
        Err(_) => Ok(Vec::new()),
    }
}
