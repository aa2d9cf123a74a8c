//! The client of an application: from the reference of a key to assertions and access tokens.

#[cfg(feature = "async")]
mod asynchronous;
mod builder;
mod error;
mod failover;
mod key_group;

use std::sync::{Arc, Mutex};

use privyseal_core::SchemeRules;
use privyseal_hsm::lock;

use crate::http::{BaseUrl, Http};
use crate::oauth::{
    AccessToken, Assertion, AssertionOptions, AssertionSource, OAuthError, TokenSource,
};

#[cfg(feature = "async")]
pub use asynchronous::AsyncClient;
pub use builder::ClientBuilder;
pub use error::BuildError;
pub use key_group::{COOLDOWN, SIGNING_LIMIT};

/// A client of one scheme: assertions by its key, and access tokens of any number of servers.
///
/// Open one and keep it. Clones share the key's sessions and the tokens, and threads may use them at once.
/// Nothing is written to a disk.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

/// A key that is open here.
trait HeldKey: Send + Sync {
    /// Has it sign something that is discarded.
    fn self_test(&self) -> Result<(), OAuthError>;
    /// Somebody says that what could not be used of it is repaired.
    fn try_again(&self);
    /// Counts the sessions that are open for it.
    fn open_sessions(&self) -> usize;
    /// Whether its token keeps other certificates for it than when it was opened.
    fn has_other_certificates(&self) -> bool;
}

struct Shared {
    source: Arc<dyn AssertionSource>,
    key: Option<Box<dyn HeldKey>>,
    http: Http,
    /// One for each server.
    tokens: Mutex<Vec<(Server, Arc<TokenSource>)>>,
}

/// A server that gives access tokens, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    base: BaseUrl,
    scope: Option<String>,
    assertion: AssertionOptions,
}

impl Client {
    /// A client of `scheme`, which needs a key at least.
    pub fn builder(scheme: &'static SchemeRules) -> ClientBuilder {
        ClientBuilder::new(scheme)
    }

    /// A client whose assertions another source makes: a gateway, or a signer of the caller's own behind a
    /// [`crate::SigningClient`].
    pub fn from_source(source: Box<dyn AssertionSource>, http: Http) -> Self {
        Self::with(source, None, http)
    }

    fn with(source: Box<dyn AssertionSource>, key: Option<Box<dyn HeldKey>>, http: Http) -> Self {
        Self(Arc::new(Shared {
            source: source.into(),
            key,
            http,
            tokens: Mutex::default(),
        }))
    }

    /// A new assertion: signed, verified, and good once for as long as the scheme says.
    ///
    /// # Errors
    ///
    /// A field breaks a rule of the scheme, the clock is wrong, or no key signed.
    pub fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        self.0.source.assertion(options)
    }

    /// An access token of `server` that is good for some time yet: the one that came last, or a new one.
    /// However many threads ask, one request is under way.
    ///
    /// # Errors
    ///
    /// As [`TokenSource::token`].
    pub fn token(&self, server: &Server) -> Result<Arc<AccessToken>, OAuthError> {
        self.tokens(server).token(&**self.source())
    }

    /// The token of `server` that came last, if it is good for some time yet and nobody asks for another one at this
    /// moment. It never waits.
    pub fn cached_token(&self, server: &Server) -> Option<Arc<AccessToken>> {
        self.tokens(server).cached()
    }

    /// Forgets the token of `server`: for one that a resource server refused before it expired.
    pub fn forget_token(&self, server: &Server) {
        self.tokens(server).forget();
    }

    /// Has the key sign once, something that is no assertion and is discarded ([`crate::self_test()`]). Nothing happens
    /// where a gateway or a caller's own source makes the assertions.
    ///
    /// # Errors
    ///
    /// Trouble with every reference to the key, or a signature that does not verify.
    pub fn self_test(&self) -> Result<(), OAuthError> {
        let key = self.0.key.as_ref();
        key.map_or(Ok(()), |key| key.self_test())
    }

    /// Has references to the key that were there and could not be used, mostly for their PIN, opened again when their turn
    /// comes: for one who says that they are repaired.
    pub fn try_again(&self) {
        if let Some(key) = &self.0.key {
            key.try_again();
        }
    }

    /// How many sessions with PKCS #11 tokens are open for the key, by all its references together.
    pub fn open_sessions(&self) -> usize {
        let key = self.0.key.as_ref();
        key.map_or(0, |key| key.open_sessions())
    }

    /// Whether the token has other certificates for the key now than those from which the chain was taken: then a client
    /// that is opened again has another chain. No where the chain came from elsewhere, or where that cannot be read now.
    pub fn has_other_certificates(&self) -> bool {
        let key = self.0.key.as_ref();
        key.is_some_and(|key| key.has_other_certificates())
    }

    /// The source of the assertions: for the requests that need one each, such as introspection.
    pub fn source(&self) -> &Arc<dyn AssertionSource> {
        &self.0.source
    }

    /// The HTTPS client: for calls with a token.
    pub fn http(&self) -> &Http {
        &self.0.http
    }

    fn tokens(&self, server: &Server) -> Arc<TokenSource> {
        let mut tokens = lock(&self.0.tokens);
        if let Some((_, source)) = tokens.iter().find(|(known, _)| known == server) {
            return Arc::clone(source);
        }
        let source = Arc::new(server.token_source(self.0.http.clone()));
        tokens.push((server.clone(), Arc::clone(&source)));
        source
    }
}

impl Server {
    /// The server whose token endpoint is below `base`, as the scheme says.
    pub fn new(base: BaseUrl) -> Self {
        Self {
            base,
            scope: None,
            assertion: AssertionOptions::default(),
        }
    }

    /// Asks for tokens of this scope (RFC 6749 section 3.3): scopes with one space between them.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Asks with such assertions; time and `jti` are chosen for each.
    #[must_use]
    pub fn assertion(mut self, options: AssertionOptions) -> Self {
        self.assertion = options;
        self
    }

    /// The base URL: for calls with a token.
    pub const fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Its tokens, for a caller that has the assertions made elsewhere than in a [`Client`].
    pub fn token_source(&self, http: Http) -> TokenSource {
        let source = TokenSource::new(http, self.base.clone(), self.assertion.clone());
        match &self.scope {
            Some(scope) => source.with_scope(scope),
            None => source,
        }
    }
}

privyseal_core::opaque_debug! {
    [] Client as it:
        scheme = it.0.source.scheme().name(), client_id = it.0.source.client_id().as_str(),
        key = it.0.source.public_key();
}
