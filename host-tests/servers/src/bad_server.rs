//! A server on loopback that misbehaves, byte by byte: what no HTTP library would let a server do.

mod reply;

use std::fmt;
use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rcgen::{CertifiedKey, KeyPair};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

pub use reply::Reply;
use reply::secret_of;

/// A running server; stops when dropped.
pub struct BadServer {
    address: SocketAddr,
    certificate: Vec<u8>,
    requests: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// An address and a certificate for it, before there is a server.
pub struct Site {
    address: SocketAddr,
    identity: CertifiedKey<KeyPair>,
    /// None where nobody listens.
    listener: Option<TcpListener>,
}

impl Site {
    /// A free port, on which connections wait, and a certificate for `name` only, signed by itself.
    ///
    /// # Panics
    /// If there is no loopback.
    pub fn new(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self {
            address: listener.local_addr().expect("an address"),
            identity: rcgen::generate_simple_self_signed([name.to_owned()]).expect("a key"),
            listener: Some(listener),
        }
    }

    /// The same port, where connections are refused until the server is opened.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.listener = None;
        self
    }

    /// `https://127.0.0.1:PORT`
    pub fn base_url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        self.identity.cert.der()
    }

    /// Starts the server; it gives these replies in turn, then from the first again.
    ///
    /// # Panics
    /// If it cannot start.
    pub fn open(self, replies: Vec<Reply>) -> BadServer {
        let certificate = self.identity.cert.der().clone();
        let key = self.identity.signing_key.serialize_der();
        let key = PrivateKeyDer::try_from(key).expect("PKCS#8");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("a certificate of that key");
        let address = self.address;
        let bind = || TcpListener::bind(address).expect("a port that is still free");
        let listener = self.listener.unwrap_or_else(bind);
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let sent = Arc::<AtomicUsize>::default();
        let stop = Arc::<AtomicBool>::default();
        let work = Work {
            config: Arc::new(config),
            replies,
            requests: Arc::clone(&requests),
            sent: Arc::clone(&sent),
            stop: Arc::clone(&stop),
        };
        BadServer {
            address,
            certificate: certificate.to_vec(),
            requests,
            sent,
            stop,
            thread: Some(std::thread::spawn(move || work.serve(&listener))),
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({})", self.address)
    }
}

impl BadServer {
    /// Gives these replies in turn, then from the first again.
    pub fn start(replies: Vec<Reply>) -> Self {
        Self::named("127.0.0.1", replies)
    }

    /// The same, with a certificate for `name` only, signed by itself.
    ///
    /// # Panics
    /// If it cannot start.
    pub fn named(name: &str, replies: Vec<Reply>) -> Self {
        Site::new(name).open(replies)
    }

    /// The same, with replies that name the server.
    ///
    /// # Panics
    /// If it cannot start.
    pub fn at_home(replies: impl FnOnce(&str) -> Vec<Reply>) -> Self {
        let site = Site::new("127.0.0.1");
        let replies = replies(&site.base_url());
        site.open(replies)
    }

    /// `https://127.0.0.1:PORT`
    pub fn base_url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The server's certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The requests that came so far.
    ///
    /// # Panics
    /// If the server did.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }

    /// The bytes of replies without end that the client, or the system for it, took so far.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for BadServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for BadServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BadServer({})", self.address)
    }
}

struct Work {
    config: Arc<ServerConfig>,
    replies: Vec<Reply>,
    requests: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

impl Work {
    fn serve(&self, listener: &TcpListener) {
        while let Ok((stream, _)) = listener.accept() {
            if self.is_stopped() {
                return;
            }
            // A client that does not trust us breaks off; that is what some tests are about.
            let _ = self.converse(stream);
        }
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let turn = self.requests.lock().expect("no panic").len();
        if matches!(self.reply_to(turn), Reply::DripHandshake) {
            // A handshake record (RFC 8446 section 5.1) of 16 KiB, and never all of it.
            return self.drip(&mut &stream, b"\x16\x03\x03\x40\x00\x02");
        }
        let connection = ServerConnection::new(Arc::clone(&self.config));
        let mut tls = StreamOwned::new(connection.map_err(io::Error::other)?, stream);
        let request = read_request(&mut tls)?;
        let mut requests = self.requests.lock().expect("no panic");
        requests.push(request.clone());
        drop(requests);
        self.reply(&mut tls, self.reply_to(turn), &request)?;
        tls.conn.send_close_notify();
        tls.flush()
    }

    fn reply_to(&self, turn: usize) -> &Reply {
        &self.replies[turn % self.replies.len()]
    }

    fn reply(&self, tls: &mut Tls, reply: &Reply, request: &str) -> io::Result<()> {
        match reply {
            Reply::Raw(text) => tls.write_all(text.as_bytes()),
            Reply::Echo(status) => {
                let body = serde_json::json!({
                    "error": "invalid_client", "error_description": request,
                });
                match Reply::json(&format!("{status} No"), &body.to_string()) {
                    Reply::Raw(text) => tls.write_all(text.as_bytes()),
                    _ => Ok(()),
                }
            }
            Reply::Repeat(text) => {
                let secret = secret_of(request);
                let text = text.replace("<secret>", &secret);
                let text = text.replace("<SECRET>", &secret.to_uppercase());
                tls.write_all(text.as_bytes())
            }
            Reply::Endless => {
                tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")?;
                self.repeat(tls, &[b' '; 4096])
            }
            Reply::EndlessHead => {
                tls.write_all(b"HTTP/1.1 200 OK\r\n")?;
                self.repeat(tls, b"X-More: and more and more and more and more\r\n")
            }
            Reply::EndlessContinue => self.repeat(tls, b"HTTP/1.1 100 Continue\r\n\r\n"),
            Reply::Drip => {
                tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
                self.drip(tls, &[b' '; 10])
            }
            Reply::DripHead => self.drip(tls, b"HTTP/1.1 200"),
            Reply::DripHandshake => Ok(()),
            Reply::Silence => {
                self.wait(Duration::from_secs(10));
                Ok(())
            }
            Reply::Close => Ok(()),
        }
    }

    /// Without end.
    fn repeat(&self, tls: &mut Tls, bytes: &[u8]) -> io::Result<()> {
        while !self.is_stopped() {
            tls.write_all(bytes)?;
            self.sent.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// One byte a second, for ten seconds.
    fn drip(&self, stream: &mut impl io::Write, bytes: &[u8]) -> io::Result<()> {
        for turn in 0..10 {
            if let Some(byte) = bytes.get(turn) {
                stream.write_all(&[*byte])?;
                stream.flush()?;
            }
            self.wait(Duration::from_secs(1));
        }
        Ok(())
    }

    /// Waits, but not longer than the test.
    fn wait(&self, duration: Duration) {
        const STEP: Duration = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        while waited < duration && !self.is_stopped() {
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Head and body, as far as `Content-Length` says.
pub(crate) fn read_request(stream: &mut impl Read) -> io::Result<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let announced = head.split_once("content-length: ").and_then(|(_, rest)| {
                rest.split("\r\n")
                    .next()
                    .and_then(|number| number.parse::<usize>().ok())
            });
            if body.len() >= announced.unwrap_or(0) {
                return Ok(text);
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
}
