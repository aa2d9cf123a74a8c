//! A TLS server on loopback with a certificate of its own, that behaves as a test wants.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use privyseal::BaseUrl;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does with every request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Sends this and closes.
    Answer(String),
    /// Sends a body without end.
    Endless,
    /// Sends the head, then one byte every 100 ms.
    Drip,
    /// Takes the request and says nothing.
    Silence,
}

/// A running server; stops when dropped.
pub(crate) struct Server {
    port: u16,
    root: CertificateDer<'static>,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// For `localhost` and `127.0.0.1`.
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        Self::start_with(
            vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            behaviour,
        )
    }

    /// With a certificate for `name` only.
    pub(crate) fn start_as(name: &str, behaviour: Behaviour) -> Self {
        Self::start_with(vec![name.to_owned()], behaviour)
    }

    fn start_with(names: Vec<String>, behaviour: Behaviour) -> Self {
        let identity = rcgen::generate_simple_self_signed(names).unwrap();
        let root = identity.cert.der().clone();
        let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![root.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let stop = Arc::<AtomicBool>::default();
        let work = Work {
            config: Arc::new(config),
            behaviour,
            requests: Arc::clone(&requests),
            stop: Arc::clone(&stop),
        };
        let thread = std::thread::spawn(move || work.serve(&listener));
        Self {
            port,
            root,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn base_url(&self, host: &str) -> BaseUrl {
        format!("https://{host}:{}", self.port).parse().unwrap()
    }

    pub(crate) fn root_der(&self) -> &[u8] {
        &self.root
    }

    /// The requests that came so far, as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    config: Arc<ServerConfig>,
    behaviour: Behaviour,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn serve(&self, listener: &TcpListener) {
        while let Ok((stream, _)) = listener.accept() {
            if self.is_stopped() {
                return;
            }
            // A client that does not trust us breaks off; that is what some tests are about.
            let _ = self.talk(stream);
        }
    }

    fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let connection = ServerConnection::new(Arc::clone(&self.config)).unwrap();
        let mut tls = StreamOwned::new(connection, stream);
        let request = read_request(&mut tls)?;
        self.requests.lock().unwrap().push(request);
        match &self.behaviour {
            Behaviour::Answer(text) => tls.write_all(text.as_bytes())?,
            Behaviour::Endless => {
                tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                while !self.is_stopped() {
                    tls.write_all(&[b'x'; 1024])?;
                }
            }
            Behaviour::Drip => {
                tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
                while !self.is_stopped() {
                    tls.write_all(b"x")?;
                    tls.flush()?;
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            Behaviour::Silence => {
                while !self.is_stopped() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        tls.conn.send_close_notify();
        tls.flush()
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Head and body, as far as `Content-Length` says.
fn read_request(stream: &mut impl Read) -> std::io::Result<String> {
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
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
}
