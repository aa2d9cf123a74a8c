//! The client for tasks of a tokio runtime: what waits for hardware or for a server blocks none of its threads.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use privyseal_core::SignerErrorKind;
use privyseal_hsm::lock;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;

use super::{BuildError, Client, ClientBuilder, Server};
use crate::keys::SignerFailure;
use crate::oauth::{AccessToken, Assertion, AssertionOptions, OAuthError};

/// How many threads of the runtime wait for hardware or a server at once, at most; further tasks wait for them.
const MAX_THREADS: usize = 32;

/// A [`Client`] whose methods are asynchronous. Clones share the key's sessions and the tokens.
///
/// What is begun goes on where nobody waits for it any more: a time limit around a call
/// (`tokio::time::timeout`) frees the task and not the key.
///
/// ```no_run
/// use privyseal::client::AsyncClient;
/// use privyseal::{Client, Error, Server};
/// use privyseal_core::scheme::FIAM;
///
/// # async fn token() -> Result<(), Error> {
/// let builder = Client::builder(&FIAM)
///     .key("pkcs11:token=eSeal;object=sign?module-path=/usr/lib/M.so&pin-source=file:/run/pin".parse()?)
///     .client_id("EU.EORI.NL123456789");
/// let client = AsyncClient::open(builder).await?;
/// let server = Server::new("https://api-prd.kpn.com/fiam/api/v1".parse()?);
/// let token = client.token(&server).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AsyncClient(Arc<Shared>);

struct Shared {
    client: Client,
    threads: Arc<Semaphore>,
    requests: Mutex<Vec<(Server, Arc<Request>)>>,
}

/// A request for a token that is under way, for all tasks that wait for it.
type Request = OnceCell<Result<Arc<AccessToken>, Arc<OAuthError>>>;

impl AsyncClient {
    /// Opens the key; see [`ClientBuilder::open`].
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::open`].
    pub async fn open(builder: ClientBuilder) -> Result<Self, BuildError> {
        let opened = spawn_blocking(|| builder.open()).await;
        ended(opened, |failure| BuildError::Key(failure.into())).map(Self::from)
    }

    /// A new assertion; see [`Client::assertion`].
    ///
    /// # Errors
    ///
    /// As [`Client::assertion`].
    pub async fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        let options = options.clone();
        self.run(move |client| client.assertion(&options)).await
    }

    /// An access token of `server`: at once the one that came last, while it is good; else a new one. However many
    /// tasks ask, one request is under way, and takes one thread.
    ///
    /// # Errors
    ///
    /// As [`Client::token`].
    pub async fn token(&self, server: &Server) -> Result<Arc<AccessToken>, OAuthError> {
        if let Some(token) = self.0.client.cached_token(server) {
            return Ok(token);
        }
        let request = self.request(server);
        let new = || async {
            let wanted = server.clone();
            let token = self.run(move |client| client.token(&wanted)).await;
            token.map_err(Arc::new)
        };
        let outcome = request.get_or_init(new).await.clone();
        lock(&self.0.requests).retain(|(_, ended)| !Arc::ptr_eq(ended, &request));
        drop(request);
        outcome.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(OAuthError::Shared))
    }

    /// Has the key sign once; see [`Client::self_test`].
    ///
    /// # Errors
    ///
    /// As [`Client::self_test`].
    pub async fn self_test(&self) -> Result<(), OAuthError> {
        self.run(Client::self_test).await
    }

    /// Does with the client what may block: a call with a token, a list, a registry.
    ///
    /// # Errors
    ///
    /// Those of `work`; and [`OAuthError::Signer`] where the runtime ends before it begins.
    ///
    /// # Panics
    ///
    /// If `work` does.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&Client) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<OAuthError> + Send + 'static,
    {
        // It is never closed.
        let thread = Arc::clone(&self.0.threads).acquire_owned().await.ok();
        let client = self.0.client.clone();
        let ended_work = spawn_blocking(move || {
            // Until the work ends, also where nobody waits for it.
            let _thread = thread;
            work(&client)
        });
        ended(ended_work.await, |failure| OAuthError::from(failure).into())
    }

    /// The client itself, for threads of the caller's own.
    pub fn blocking(&self) -> &Client {
        &self.0.client
    }

    /// The request that is under way, or a new one.
    fn request(&self, server: &Server) -> Arc<Request> {
        let mut requests = lock(&self.0.requests);
        if let Some((_, request)) = requests.iter().find(|(asked, _)| asked == server) {
            return Arc::clone(request);
        }
        let request = Arc::default();
        requests.push((server.clone(), Arc::clone(&request)));
        request
    }
}

impl From<Client> for AsyncClient {
    fn from(client: Client) -> Self {
        Self(Arc::new(Shared {
            client,
            threads: Arc::new(Semaphore::new(MAX_THREADS)),
            requests: Mutex::default(),
        }))
    }
}

privyseal_core::opaque_debug! { [] AsyncClient as it: client = it.0.client; }

/// What came of work on another thread. A panic of it goes on here.
fn ended<T, E>(
    outcome: Result<Result<T, E>, tokio::task::JoinError>,
    failed: impl FnOnce(SignerFailure) -> E,
) -> Result<T, E> {
    outcome.unwrap_or_else(|error| {
        if let Ok(panic) = error.try_into_panic() {
            resume_unwind(panic);
        }
        let reason = "the runtime ended before the key was asked";
        let kind = SignerErrorKind::Unavailable;
        Err(failed(SignerFailure::because(kind, reason)))
    })
}
