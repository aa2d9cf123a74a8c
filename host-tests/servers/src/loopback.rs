//! An HTTPS server on loopback that lives as long as the value that holds it: what every test server of
//! this crate stands on.

mod answer;
mod serve;
mod tls;

use privyseal_test_base::clock::now;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::body::Bytes;
use tokio::sync::oneshot;

pub use answer::{Answer, json, refusal};

/// A request, read whole.
pub type Request = hyper::Request<Bytes>;

/// Answers requests.
pub type Handler = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// Gives seconds since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The clock of the system.
///
/// # Panics
/// When asked at a time before 1970.
pub fn system_clock() -> Clock {
    Arc::new(now)
}

/// A server that runs in a thread of this process until it is dropped.
pub struct Loopback {
    port: u16,
    tls_ca_pem: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Starts a server on a loopback port; 0 takes a free one. When this returns, it answers.
    pub fn start(port: u16, handler: Handler) -> io::Result<Self> {
        let (acceptor, tls_ca_pem) = tls::throw_away()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("loopback".into())
            .spawn(move || runtime.block_on(serve::until(stopped, listener, acceptor, handler)))?;
        Ok(Self {
            port,
            tls_ca_pem,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// `https://127.0.0.1:PORT`
    pub fn origin(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The certificate of the throw-away CA that a client must trust, PEM.
    pub fn tls_ca_pem(&self) -> &str {
        &self.tls_ca_pem
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the server's thread has been printed; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loopback({})", self.port)
    }
}
