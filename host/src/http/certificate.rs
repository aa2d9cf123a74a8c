//! The certificate that a server shows. A response does not tell it, so it is asked for by a handshake alone.

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::time::Instant;

use ureq::http::Uri;

use super::{Connection, Http, HttpError, Roots, Url};

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
    let uri: Uri = url.as_str().parse().map_err(io::Error::other)?;
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let connection = Connection::open(host, uri.port_u16().unwrap_or(443), Some(roots), end)?;
    let shown = connection.into_certificate();
    shown.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}
