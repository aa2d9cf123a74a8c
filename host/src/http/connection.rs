//! One connection, with one end for all that is waited for: name, address, handshake, bytes in either direction.

use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, LazyLock, mpsc};
use std::thread;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use super::{CONNECT_TIMEOUT, Roots};

/// How many names are looked up at once. The system may take longer than any caller waits.
const MAX_LOOKUPS: usize = 64;

static LOOKUPS: LazyLock<Arc<()>> = LazyLock::new(Arc::default);

/// A connection to a server that does not speak HTTP, over TLS or not. Whoever reads from it bounds how much.
#[derive(Debug)]
pub struct Connection {
    tls: Option<Box<ClientConnection>>,
    stream: Timed,
}

#[derive(Debug)]
struct Timed {
    stream: TcpStream,
    end: Instant,
}

impl Connection {
    /// Connects to the first address that answers; over TLS if there are `roots`, which vouch for the server. From `end` on
    /// everything fails with [`ErrorKind::TimedOut`].
    ///
    /// # Errors
    ///
    /// No connection came about in time, or none that is trusted.
    pub fn open(host: &str, port: u16, roots: Option<&Roots>, end: Instant) -> io::Result<Self> {
        let stream = connect(host, port, end)?;
        let mut stream = Timed { stream, end };
        let Some(roots) = roots else {
            return Ok(Self { tls: None, stream });
        };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let config = trusting(roots).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        tls.complete_io(&mut stream)
            .map_err(|error| match error.kind() {
                ErrorKind::TimedOut => io::Error::new(error.kind(), "nothing is answered"),
                _ => error,
            })?;
        let tls = Some(Box::new(tls));
        Ok(Self { tls, stream })
    }

    /// Sends this, and has what comes read. From `end` on both fail with [`ErrorKind::TimedOut`].
    ///
    /// # Errors
    ///
    /// It cannot be sent.
    pub fn ask<T>(
        &mut self,
        sent: &[u8],
        end: Instant,
        read: impl FnOnce(&mut dyn Read) -> T,
    ) -> io::Result<T> {
        self.stream.end = end;
        match &mut self.tls {
            Some(tls) => asked(&mut Stream::new(&mut **tls, &mut self.stream), sent, read),
            None => asked(&mut self.stream, sent, read),
        }
    }

    /// Ends TLS, and gives the certificate that the server showed, DER.
    pub(super) fn into_certificate(mut self) -> Option<Vec<u8>> {
        let mut tls = self.tls?;
        tls.send_close_notify();
        // Who does not hear the end is none the worse.
        let _ = tls.write_tls(&mut self.stream);
        Some(tls.peer_certificates()?.first()?.to_vec())
    }
}

fn asked<T>(
    stream: &mut (impl Read + Write),
    sent: &[u8],
    read: impl FnOnce(&mut dyn Read) -> T,
) -> io::Result<T> {
    stream.write_all(sent)?;
    stream.flush()?;
    Ok(read(stream))
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        in_time(|| {
            self.stream.set_read_timeout(Some(left(self.end)?))?;
            self.stream.read(bytes)
        })
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        in_time(|| {
            self.stream.set_write_timeout(Some(left(self.end)?))?;
            self.stream.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn in_time(mut done: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match done() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(ErrorKind::TimedOut.into());
            }
            // A time limit makes the system tell of a stop and start of the process.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn left(end: Instant) -> io::Result<Duration> {
    match end.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// To the first address that answers.
fn connect(host: &str, port: u16, end: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in addresses(host, port, end)? {
        match TcpStream::connect_timeout(&address, left(end)?.min(CONNECT_TIMEOUT)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Those of a name are looked up on a thread of their own: the system knows no time limit.
fn addresses(host: &str, port: u16, end: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![(address, port).into()]);
    }
    let lookup = Arc::clone(&LOOKUPS);
    if Arc::strong_count(&lookup) > MAX_LOOKUPS {
        return Err(ErrorKind::TimedOut.into());
    }
    let name = (host.to_owned(), port);
    let (sender, found) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        // Who gave up takes no answer.
        let _ = sender.send(name.to_socket_addrs().map(Vec::from_iter));
        drop(lookup);
    })?;
    found
        .recv_timeout(left(end)?)
        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

fn trusting(roots: &Roots) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match roots {
        #[cfg(feature = "platform-verifier")]
        Roots::Platform => {
            use rustls_platform_verifier::BuilderVerifierExt as _;
            builder.with_platform_verifier()?
        }
        Roots::Only(certificates) => {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(certificates.iter().map(|der| der.to_vec().into()));
            builder.with_root_certificates(store)
        }
    };
    Ok(builder.with_no_client_auth())
}
