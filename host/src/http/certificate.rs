//! The certificate that a server shows. A response does not tell it, so it is asked for by a handshake alone.

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use ureq::http::Uri;

use super::{CONNECT_TIMEOUT, Http, HttpError, Roots, Url};

impl Http {
    /// The certificate of the server behind `url`, DER, once its path has been validated as for a request; `None`
    /// where a proxy stands between.
    ///
    /// # Errors
    ///
    /// No connection came about, or none that is trusted.
    pub fn server_certificate(&self, url: &Url) -> Result<Option<Vec<u8>>, HttpError> {
        if self.agent.config().proxy().is_some() {
            return Ok(None);
        }
        self.watched(url, || {
            let shown = shown(url, &self.roots, self.timeout);
            shown
                .map(Some)
                .map_err(|error| HttpError::new(url, ureq::Error::Io(error)))
        })
    }
}

fn shown(url: &Url, roots: &Roots, timeout: Duration) -> io::Result<Vec<u8>> {
    let end = Instant::now() + timeout;
    let left = || match end.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::Error::from(ErrorKind::TimedOut)),
        left => Ok(left),
    };
    let uri: Uri = url.as_str().parse().map_err(io::Error::other)?;
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let config = trusting(roots).map_err(io::Error::other)?;
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut stream = connect(host, uri.port_u16().unwrap_or(443), &left)?;
    while tls.is_handshaking() {
        stream.set_write_timeout(Some(left()?))?;
        while tls.wants_write() {
            tls.write_tls(&mut stream)?;
        }
        stream.set_read_timeout(Some(left()?))?;
        match tls.read_tls(&mut stream) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(ErrorKind::TimedOut.into());
            }
            // A time limit makes the system tell of a stop and start of the process.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        };
        tls.process_new_packets().map_err(io::Error::other)?;
    }
    tls.send_close_notify();
    // It was all for the certificate: who does not hear the end is none the worse.
    let _ = tls.write_tls(&mut stream);
    let shown = tls.peer_certificates().and_then(<[_]>::first);
    let shown = shown.map(|certificate| certificate.to_vec());
    shown.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

/// To the first address that answers.
fn connect(
    host: &str,
    port: u16,
    left: &impl Fn() -> io::Result<Duration>,
) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left()?.min(CONNECT_TIMEOUT)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
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
