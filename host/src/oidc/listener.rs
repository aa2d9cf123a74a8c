//! A listener for one kind of callback and nothing else, on loopback unless another address is given: the ping of
//! CIBA, and the browser that comes back from a login. It speaks plain HTTP: the TLS of a registered endpoint ends at a
//! proxy before it. What comes is bounded in size and time, and so is how much may come at once.
//!
//! Not hyper: it would bring an asynchronous runtime into each application for one message of a few bytes, and
//! would neither wipe the token that it reads nor bound how many connections there are.

mod address;
mod request;

use core::time::Duration;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use zeroize::Zeroizing;

use crate::base::events;
use crate::oidc::OidcError;
pub use address::{ListenAddress, ListenAddressError};
pub(super) use request::Request;

/// How long one connection may take in all.
pub(super) const CONNECTION_TIME: Duration = Duration::from_secs(5);

/// How many connections are served at once. One more takes the place of the oldest: clients that connect and say
/// nothing keep no callback out.
pub(super) const MAX_CONNECTIONS: usize = 16;

/// How many threads there are at most, with those whose connection was just taken away.
const MAX_THREADS: usize = 2 * MAX_CONNECTIONS;

/// How often the listener checks whether to stop.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// What a request is answered with: status, further headers and body. Nothing that was sent is repeated.
pub(super) struct Answer(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
);

impl Answer {
    pub(super) const NO_CONTENT: Self = Self("204 No Content", "", "");
    pub(super) const NOT_FOUND: Self = Self("404 Not Found", "", "");
    pub(super) const BAD: Self = Self("400 Bad Request", "", "");
    pub(super) const TOO_LARGE: Self = Self("413 Content Too Large", "", "");
    pub(super) const LATE: Self = Self("408 Request Timeout", "", "");
}

/// The answer, and what a callback brought.
pub(super) type Served = (Answer, Option<Zeroizing<String>>);

/// Listens until it is dropped, and gives what its callbacks bring.
pub(super) struct Listener {
    address: SocketAddr,
    values: Receiver<Zeroizing<String>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on `address`. `serve` says what is answered, and what a callback brings; `room` is how many of them are
    /// kept until they are taken.
    pub(super) fn start(
        address: &ListenAddress,
        room: usize,
        serve: impl Fn(&Request) -> Served + Send + Sync + 'static,
    ) -> Result<Self, OidcError> {
        let failed = |source| OidcError::Listen {
            address: address.to_string(),
            source,
        };
        let listener = TcpListener::bind(address.socket()).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (sender, values) = sync_channel(room);
        let stop = Arc::new(AtomicBool::new(false));
        let server = Server {
            listener,
            serve,
            sender,
            stop: Arc::clone(&stop),
        };
        Ok(Self {
            address,
            values,
            stop,
            thread: Some(thread::spawn(move || server.run())),
        })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a callback brought, if one comes within `time`.
    pub(super) fn wait(&self, time: Duration) -> Option<Zeroizing<String>> {
        self.values.recv_timeout(time).ok()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only serves; a panic there has been reported.
            let _ = thread.join();
        }
    }
}

struct Server<S> {
    listener: TcpListener,
    serve: S,
    sender: SyncSender<Zeroizing<String>>,
    stop: Arc<AtomicBool>,
}

impl<S: Fn(&Request) -> Served + Sync> Server<S> {
    fn run(&self) {
        let mut places = Vec::with_capacity(MAX_THREADS);
        thread::scope(|scope| {
            while !self.stop.load(Ordering::Relaxed) {
                match self.listener.accept() {
                    Ok((stream, _)) => {
                        let stream = Arc::new(stream);
                        // Too many: closed by being dropped.
                        if take_place(&mut places, &stream) {
                            // A connection that breaks is the other side's loss.
                            scope.spawn(move || _ = self.serve(&stream));
                        }
                    }
                    // Nobody there, or nothing that lasts.
                    Err(_) => thread::sleep(LOOK),
                }
            }
        });
    }

    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        let deadline = Instant::now() + CONNECTION_TIME;
        let request = request::read(stream, deadline, &self.stop)?;
        let (Answer(status, headers, body), value) =
            request.map_or_else(|answer| (answer, None), |request| (self.serve)(&request));
        if status == Answer::TOO_LARGE.0 {
            events::warn!("an answer came that was too long, more than 8 KiB, and was not read");
        }
        stream.set_write_timeout(Some(CONNECTION_TIME))?;
        if let Some(value) = value {
            // Full only when nobody takes them.
            let _ = self.sender.try_send(value);
        }
        // RFC 9110 section 8.6: a 204 has no length.
        let length = match status {
            "204 No Content" => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let answer =
            format!("HTTP/1.1 {status}\r\n{headers}{length}Connection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes())
    }
}

/// Among those that are served, if there is room for one more; the oldest of too many is closed. Served is whose thread
/// still has it.
fn take_place(places: &mut Vec<Weak<TcpStream>>, stream: &Arc<TcpStream>) -> bool {
    places.retain(|place| place.strong_count() > 0);
    let oldest = places.len().checked_sub(MAX_CONNECTIONS);
    if let Some(oldest) = oldest.and_then(|at| places.get(at)?.upgrade()) {
        // One that is closed already needs no closing.
        let _ = oldest.shutdown(Shutdown::Both);
    }
    let has_room = places.len() < MAX_THREADS;
    if has_room {
        places.push(Arc::downgrade(stream));
    }
    has_room
}
