//! The callback of ping mode: the provider says that the tokens are ready (CIBA Core section 10.2).
//!
//! A listener for this one message and nothing else, on loopback unless another address is given. It speaks
//! plain HTTP: the TLS of the registered endpoint ends at a proxy before it. What comes is bounded in size
//! and time, and so is how much may come at once; nobody without the bearer token learns anything.
//!
//! Not hyper: it would bring an asynchronous runtime into each application for one message of a few bytes, and
//! would neither wipe the token that it reads nor bound how many connections there are.

mod address;
mod request;

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use zeroize::Zeroizing;

use super::CibaError;

pub use address::{PingAddress, PingAddressError};
use request::Verdict;

/// How long one connection may take in all.
const CONNECTION_TIME: Duration = Duration::from_secs(5);

/// How many connections are served at once. One more takes the place of the oldest: clients that connect and say
/// nothing keep no ping out.
const MAX_CONNECTIONS: usize = 16;

/// How many threads there are at most, with those whose connection was just taken away.
const MAX_THREADS: usize = 2 * MAX_CONNECTIONS;

/// How often the listener checks whether to stop.
const LOOK: Duration = Duration::from_millis(20);

/// Listens until it is dropped.
pub struct PingListener {
    address: SocketAddr,
    token: Arc<Zeroizing<String>>,
    pings: Receiver<Zeroizing<String>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PingListener {
    /// Listens on `address`, with a new bearer token of 256 random bits.
    ///
    /// # Errors
    ///
    /// [`CibaError::Listen`]; [`CibaError::Oidc`] if there is no randomness.
    pub fn start(address: &PingAddress) -> Result<Self, CibaError> {
        let failed = |source| CibaError::Listen {
            address: address.to_string(),
            source,
        };
        let mut random = Zeroizing::new([0; 32]);
        crate::base::entropy::fill(&mut *random)?;
        let token = Arc::new(Zeroizing::new(Base64UrlUnpadded::encode_string(&*random)));
        let listener = TcpListener::bind(address.socket()).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let (sender, pings) = sync_channel(MAX_CONNECTIONS);
        let stop = Arc::new(AtomicBool::new(false));
        let server = Server {
            listener,
            path: address.path().to_owned(),
            token: Arc::clone(&token),
            sender,
            stop: Arc::clone(&stop),
        };
        Ok(Self {
            address: bound,
            token,
            pings,
            stop,
            thread: Some(thread::spawn(move || server.run())),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `client_notification_token` that the provider must send back. Not for logs.
    pub fn expose_token(&self) -> &str {
        &self.token
    }

    /// The `auth_req_id` of a ping, if one comes within `time`.
    pub fn wait(&self, time: Duration) -> Option<Zeroizing<String>> {
        self.pings.recv_timeout(time).ok()
    }
}

impl Drop for PingListener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only serves; a panic there has been reported.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for PingListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PingListener({})", self.address)
    }
}

struct Server {
    listener: TcpListener,
    path: String,
    token: Arc<Zeroizing<String>>,
    sender: SyncSender<Zeroizing<String>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    fn run(&self) {
        let threads = AtomicUsize::new(0);
        let mut places = VecDeque::with_capacity(MAX_CONNECTIONS);
        thread::scope(|scope| {
            while !self.stop.load(Ordering::Relaxed) {
                match self.listener.accept() {
                    Ok((stream, _)) if threads.load(Ordering::Relaxed) < MAX_THREADS => {
                        let stream = Arc::new(stream);
                        take_place(&mut places, &stream);
                        threads.fetch_add(1, Ordering::Relaxed);
                        let threads = &threads;
                        scope.spawn(move || {
                            // A connection that breaks is the other side's loss.
                            let _ = self.serve(&stream);
                            threads.fetch_sub(1, Ordering::Relaxed);
                        });
                    }
                    // Too many: closed by being dropped.
                    Ok(_) => {}
                    // Nobody there, or nothing that lasts.
                    Err(_) => thread::sleep(LOOK),
                }
            }
        });
    }

    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        let deadline = Instant::now() + CONNECTION_TIME;
        let verdict = match request::read(stream, deadline, &self.stop)? {
            Ok(request) => request.judge(&self.path, &self.token),
            Err(verdict) => verdict,
        };
        stream.set_write_timeout(Some(CONNECTION_TIME))?;
        let answer = verdict.answer();
        if let Verdict::Ping(id) = verdict {
            // Full only when nobody takes them: then one more is not needed.
            let _ = self.sender.try_send(id);
        }
        stream.write_all(answer.as_bytes())
    }
}

/// Registers a connection. At the limit, the oldest one whose thread still runs is closed.
fn take_place(places: &mut VecDeque<Weak<TcpStream>>, stream: &Arc<TcpStream>) {
    places.retain(|place| place.strong_count() > 0);
    if places.len() >= MAX_CONNECTIONS
        && let Some(oldest) = places.pop_front().and_then(|place| place.upgrade())
    {
        // One that is closed already needs no closing.
        let _ = oldest.shutdown(Shutdown::Both);
    }
    places.push_back(Arc::downgrade(stream));
}

#[cfg(test)]
mod tests;
