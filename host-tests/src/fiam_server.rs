//! An authorization server in the shape of KPN FIAM's, on loopback HTTPS.
//!
//! It is an independent judge: assertions are read by `jsonwebtoken` with ring's RSA, chains proved by
//! `rustls-webpki`, forms read by `form_urlencoded`; nothing of the core takes part. So a mistake of the
//! core cannot hide behind the same mistake here.
//!
//! # What it answers
//! `POST {base}/oauth/token` gives a bearer token for 360 s, `GET {base}/service-consumers/contracts`
//! a page of contracts for it. Every HTTP error that FIAM's documentation lists can be had:
//!
//! | status | how |
//! |---|---|
//! | 400 | a form member missing, repeated or wrong; a JWS that cannot be read |
//! | 401 | a wrong signature, certificate, audience, time or a repeated `jti`; a bearer token unknown or expired |
//! | 403 | party `EU.EORI.NL000000403` at the token endpoint, `EU.EORI.NL100000403` at contracts |
//! | 404 | a party id that is none; `EU.EORI.NL000000404`, `EU.EORI.NL100000404`; an unknown path |
//! | 429 | `EU.EORI.NL000000429`, `EU.EORI.NL100000429`, with `Retry-After` |
//! | 500 | `EU.EORI.NL000000500`, `EU.EORI.NL100000500` |
//!
//! What it does not know: which party a certificate belongs to (FIAM knows it from onboarding), and
//! revocation.

mod jose;
pub mod judge;
mod refusal;
mod routes;
mod serve;
mod state;
mod tls;
mod x5c;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

pub use refusal::Refusal;

use state::State;

/// The audience of FIAM's production, which this server plays.
pub const AUDIENCE: &str = "EU.EORI.NLKPNFIAMPROD";

/// The path below which everything is served.
pub const BASE_PATH: &str = "/fiam/api/v1";

/// Seconds that an access token is good for.
pub const TOKEN_LIFETIME: u64 = 360;

/// Gives seconds since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The clock of the system.
///
/// # Panics
/// When asked at a time before 1970.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970")
            .as_secs()
    })
}

/// How a server is started.
pub struct Config {
    /// The one root that is trusted, DER.
    pub trust: Vec<u8>,
    /// Loopback port; 0 takes a free one.
    pub port: u16,
    /// What time it is.
    pub clock: Clock,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A server that runs in a thread of this process until it is dropped.
#[derive(Debug)]
pub struct FiamServer {
    port: u16,
    tls_ca_pem: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FiamServer {
    /// Starts a server that trusts `root` (DER), on a free port, with the system's clock.
    ///
    /// # Panics
    /// If it cannot start.
    pub fn trusting(root: &[u8]) -> Self {
        Self::start(Config {
            trust: root.to_vec(),
            port: 0,
            clock: system_clock(),
        })
        .expect("a server on loopback")
    }

    /// Starts a server. When this returns, it answers.
    pub fn start(config: Config) -> io::Result<Self> {
        let (acceptor, tls_ca_pem) = tls::throw_away()?;
        let state = State::new(&config.trust, config.clock)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("fiam-server".into())
            .spawn(move || {
                runtime.block_on(serve::until(stopped, listener, acceptor, Arc::new(state)));
            })?;
        Ok(Self {
            port,
            tls_ca_pem,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// `https://127.0.0.1:PORT/fiam/api/v1`
    pub fn base_url(&self) -> String {
        format!("https://127.0.0.1:{}{BASE_PATH}", self.port)
    }

    /// The certificate of the throw-away CA that a client must trust, PEM.
    pub fn tls_ca_pem(&self) -> &str {
        &self.tls_ca_pem
    }
}

impl Drop for FiamServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the server's thread has been printed; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}
