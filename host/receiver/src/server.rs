//! A token endpoint, introspection, and the receiver over HTTP for services in any language.
//!
//! Two addresses, both without TLS. The public one has the token endpoint and nothing else; what ends TLS stands before
//! it. The internal one is for services beside it, and is on loopback: who can reach it can ask about every token.
//!
//! | address | request | response |
//! |---|---|---|
//! | public | `POST` to the scheme's path (`/connect/token`, for iSHARE `/oauth2.0/token` too; below the realm's, where there is one) | an opaque access token of 256 bits |
//! | internal | `POST /v1/accept`, a token request | the verified party, or the rule that is broken |
//! | internal | `POST /v1/introspect` | RFC 7662 |
//! | internal | `GET /v1/authorize` with `Authorization: Bearer` | 204 and the client in `X-Client-Id`, or 401; for nginx's `auth_request` |
//! | internal | `GET /live` | 204 |

#[cfg(feature = "redis")]
mod redis;
mod routes;
mod tokens;

use core::future::Future;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use privyseal::oauth::has_realms;
use tokio::runtime;
use tokio::sync::Semaphore;

use crate::{AsyncReceiver, Receiver, Rejection, VerifiedParty};
use routes::Face;

pub use tokens::{Grant, MemoryTokens, TokenStore};

/// How many requests are worked on at once; fewer ([`crate::CachePolicy::max_waiting`]) may wait for a registry.
const MAX_WAITING: usize = 384;

/// How many connections each address has at once.
const MAX_CONNECTIONS: usize = 1024;

/// How long a client may take for the head of a request, and be silent between two.
const HEAD_TIME: Duration = Duration::from_secs(15);

/// How long requests under way may take when the server ends.
const GRACE: Duration = Duration::from_secs(10);

/// How many seconds a token lives: iSHARE, access token, `expires_in` 3600.
const LIFETIME: u64 = 3600;

/// What is told about each request with a form, and each that the token store failed.
type Watch = dyn Fn(Result<&VerifiedParty, &Rejection>) + Send + Sync;

/// What is done at SIGHUP.
type Reload = dyn Fn(&Receiver) + Send + Sync;

/// A server that gives access tokens to the parties that a [`Receiver`] accepts.
pub struct TokenServer {
    receiver: AsyncReceiver,
    paths: Vec<String>,
    tokens: Arc<dyn TokenStore>,
    watched: Arc<Watch>,
    reloaded: Arc<Reload>,
}

/// A server that listens, and answers once it runs.
#[derive(Debug)]
pub struct BoundServer {
    server: Arc<TokenServer>,
    public: TcpListener,
    internal: TcpListener,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The internal address is not one of this machine alone.
    #[error(
        "the internal address {0} is not on loopback, and who can reach it can ask about every token"
    )]
    NotLoopback(SocketAddr),
    /// The system gives no threads, sockets or signals.
    #[error("the server cannot run: {0}")]
    Runtime(#[from] io::Error),
}

impl TokenServer {
    /// For the parties that `receiver` accepts. Tokens live for an hour, and are kept in memory.
    pub fn new(receiver: Receiver) -> Self {
        Self {
            paths: token_paths(&receiver),
            receiver: AsyncReceiver::new(Arc::new(receiver), MAX_WAITING),
            tokens: Arc::new(MemoryTokens::default()),
            watched: Arc::new(|_| {}),
            reloaded: Arc::new(|_| {}),
        }
    }

    privyseal_hsm::setters! {
        /// Keeps tokens there.
        tokens: Arc<dyn TokenStore> = tokens;
        /// Tells who was accepted, and why others were not, sent no form that can be read, or got no answer about a token: for
        /// a log.
        watched: impl Fn(Result<&VerifiedParty, &Rejection>) + Send + Sync + 'static = Arc::new(watched);
        /// Does this when the process gets SIGHUP: files may have changed. It may take its time.
        reloaded: impl Fn(&Receiver) + Send + Sync + 'static = Arc::new(reloaded);
    }

    /// The paths of the token endpoint: the scheme's, below that of the realm where the audience is one; and the one that
    /// iSHARE's older pages have. A scheme whose clients get tokens for persons only, or that names no path, has none here.
    pub fn token_paths(&self) -> &[String] {
        &self.paths
    }

    /// Listens on both addresses; of port 0 the system chooses one.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`] and [`ServerError::NotLoopback`].
    pub fn bind(
        self,
        public: SocketAddr,
        internal: SocketAddr,
    ) -> Result<BoundServer, ServerError> {
        if !internal.ip().is_loopback() {
            return Err(ServerError::NotLoopback(internal));
        }
        let listen = |address: SocketAddr| {
            let listener = TcpListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok(listener)
            });
            listener.map_err(|error| ServerError::Listen { address, error })
        };
        Ok(BoundServer {
            public: listen(public)?,
            internal: listen(internal)?,
            server: Arc::new(self),
        })
    }
}

/// [`TokenServer::token_paths`].
fn token_paths(receiver: &Receiver) -> Vec<String> {
    let scheme = receiver.scheme();
    let rules = scheme.token_request();
    if rules.grant_type().value() != "client_credentials" || rules.path().value().is_empty() {
        return Vec::new();
    }
    let path = rules.path().value();
    let of_realm = Some(receiver.audience())
        .filter(|_| has_realms(scheme))
        .and_then(|issuer| Some(issuer.strip_prefix("https://")?.split_once('/')?.1))
        .map(|below| format!("/{below}{path}"));
    let older = scheme.registry().map(|_| "/oauth2.0/token".to_owned());
    let mut paths = vec![of_realm.unwrap_or_else(|| path.to_owned())];
    paths.extend(older);
    paths
}

impl BoundServer {
    /// The public address and the internal one.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn addresses(&self) -> Result<(SocketAddr, SocketAddr), ServerError> {
        Ok((self.public.local_addr()?, self.internal.local_addr()?))
    }

    /// Serves until the process gets SIGTERM or SIGINT; then requests under way are answered.
    ///
    /// # Errors
    ///
    /// [`ServerError::Runtime`].
    pub fn run(self) -> Result<(), ServerError> {
        let stop = stopped(Arc::clone(&self.server));
        self.run_until(stop)
    }

    /// The same until `stop` is there.
    ///
    /// # Errors
    ///
    /// [`ServerError::Runtime`], also by what `stop` gives.
    pub fn run_until(self, stop: impl Future<Output = io::Result<()>>) -> Result<(), ServerError> {
        let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
        let ended = runtime.block_on(async {
            let public = tokio::net::TcpListener::from_std(self.public)?;
            let internal = tokio::net::TcpListener::from_std(self.internal)?;
            let graceful = GracefulShutdown::new();
            tokio::select! {
                // Signals are waited for before a request comes in.
                biased;
                stopped = stop => stopped?,
                () = listen(public, Face::Public, &self.server, &graceful) => {}
                () = listen(internal, Face::Internal, &self.server, &graceful) => {}
            }
            let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
            io::Result::Ok(())
        });
        // It waits for no file or store that hangs.
        runtime.shutdown_background();
        Ok(ended?)
    }
}

/// Reloads at each SIGHUP, until SIGTERM or SIGINT.
#[cfg(unix)]
async fn stopped(server: Arc<TokenServer>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let reloads = async move {
        while hangup.recv().await.is_some() {
            let server = Arc::clone(&server);
            let reload = move || (server.reloaded)(server.receiver.receiver());
            let _ = tokio::task::spawn_blocking(reload).await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = reloads => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stopped(_server: Arc<TokenServer>) -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Takes connections for ever, not too many at once.
async fn listen(
    listener: tokio::net::TcpListener,
    face: Face,
    server: &Arc<TokenServer>,
    graceful: &GracefulShutdown,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Without file descriptors, most likely: some become free.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let server = Arc::clone(server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, core::convert::Infallible>(server.answer(face, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks the connection off is no error here.
            let _ = connection.await;
            drop(place);
        });
    }
}

privyseal_core::opaque_debug! { [] TokenServer: receiver, tokens; }
