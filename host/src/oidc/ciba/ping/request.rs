//! One HTTP request, as much of it as a ping has (RFC 9112), and what to answer.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::oidc::ciba::response::MAX_AUTH_REQ_ID;

/// The largest head, in bytes; the bearer token may have 1024.
const MAX_HEAD: usize = 8 * 1024;

/// The largest body, in bytes: an `auth_req_id`, and room for as much beside it.
const MAX_BODY: usize = 2 * MAX_AUTH_REQ_ID;

/// How long one read waits before it is looked whether the listener ends.
const SLICE: Duration = Duration::from_millis(100);

/// A request that came whole.
pub(super) struct Request {
    method: String,
    path: String,
    authorization: Option<Zeroizing<String>>,
    is_json: bool,
    body: Zeroizing<Vec<u8>>,
}

/// What is thought of it.
#[derive(PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the callback, for this `auth_req_id`.
    Ping(Zeroizing<String>),
    /// It is not at the callback's place.
    NotFound,
    /// It is not a POST.
    Method,
    /// The bearer token is not there or not the right one.
    Unauthorized,
    /// It is not what the callback looks like.
    Bad,
    /// It is too large.
    TooLarge,
    /// It did not come in time.
    Late,
}

/// Reads a request up to its end. The outer error is the connection's.
pub(super) fn read(
    stream: &TcpStream,
    deadline: Instant,
    stop: &AtomicBool,
) -> io::Result<Result<Request, Verdict>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_HEAD + MAX_BODY));
    let head_len = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() >= MAX_HEAD {
            return Ok(Err(Verdict::TooLarge));
        }
        if let Some(verdict) = more(stream, &mut bytes, deadline, stop)? {
            return Ok(Err(verdict));
        }
    };
    let Some((mut request, body_len)) = head(&bytes[..head_len]) else {
        return Ok(Err(Verdict::Bad));
    };
    if body_len > MAX_BODY {
        return Ok(Err(Verdict::TooLarge));
    }
    while bytes.len() < head_len + body_len {
        if let Some(verdict) = more(stream, &mut bytes, deadline, stop)? {
            return Ok(Err(verdict));
        }
    }
    request.body = Zeroizing::new(bytes[head_len..head_len + body_len].to_vec());
    Ok(Ok(request))
}

/// Reads on. A verdict means that there is nothing more to wait for.
fn more(
    mut stream: &TcpStream,
    bytes: &mut Vec<u8>,
    deadline: Instant,
    stop: &AtomicBool,
) -> io::Result<Option<Verdict>> {
    let mut piece = Zeroizing::new([0; 1024]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stop.load(Ordering::Relaxed) {
            return Ok(Some(Verdict::Late));
        }
        stream.set_read_timeout(Some(left.min(SLICE)))?;
        match stream.read(&mut *piece) {
            Ok(0) => return Ok(Some(Verdict::Bad)),
            Ok(len) => {
                bytes.extend_from_slice(&piece[..len]);
                return Ok(None);
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The head, and the length of the body that follows. A body without a length (chunked) is not taken:
/// senders of a few bytes know their length.
fn head(bytes: &[u8]) -> Option<(Request, usize)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target, version) = (first.next()?, first.next()?, first.next()?);
    if first.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    let mut request = Request {
        method: method.to_owned(),
        path: target.to_owned(),
        authorization: None,
        is_json: false,
        body: Zeroizing::default(),
    };
    let mut length = None;
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "authorization" if request.authorization.is_some() => return None,
            "authorization" => request.authorization = Some(Zeroizing::new(value.to_owned())),
            "content-length" if length.is_some() => return None,
            "content-length" => length = Some(value.parse().ok()?),
            "transfer-encoding" => return None,
            "content-type" => {
                let media_type = value.split(';').next().unwrap_or_default().trim();
                request.is_json = media_type.eq_ignore_ascii_case("application/json");
            }
            _ => {}
        }
    }
    Some((request, length.unwrap_or(0)))
}

impl Request {
    /// Judges it. The bearer token comes before what it protects, and is compared in constant time.
    pub(super) fn judge(&self, path: &str, token: &str) -> Verdict {
        if self.path.split('?').next() != Some(path) {
            return Verdict::NotFound;
        }
        if self.method != "POST" {
            return Verdict::Method;
        }
        let bearer = self
            .authorization
            .as_deref()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, token)| token.trim_start());
        if !bool::from(bearer.as_bytes().ct_eq(token.as_bytes())) {
            return Verdict::Unauthorized;
        }
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        let id = body
            .as_ref()
            .and_then(|body| body.get("auth_req_id")?.as_str());
        match id {
            Some(id) if self.is_json && !id.is_empty() => {
                Verdict::Ping(Zeroizing::new(id.to_owned()))
            }
            _ => Verdict::Bad,
        }
    }
}

impl Verdict {
    /// CIBA Core section 10.2: 204 for a ping that was taken; nothing is in any body.
    pub(super) fn answer(&self) -> String {
        let (status, more) = match self {
            Self::Ping(_) => ("204 No Content", ""),
            Self::NotFound => ("404 Not Found", "Content-Length: 0\r\n"),
            Self::Method => (
                "405 Method Not Allowed",
                "Allow: POST\r\nContent-Length: 0\r\n",
            ),
            Self::Unauthorized => (
                "401 Unauthorized",
                "WWW-Authenticate: Bearer\r\nContent-Length: 0\r\n",
            ),
            Self::Bad => ("400 Bad Request", "Content-Length: 0\r\n"),
            Self::TooLarge => ("413 Content Too Large", "Content-Length: 0\r\n"),
            Self::Late => ("408 Request Timeout", "Content-Length: 0\r\n"),
        };
        format!("HTTP/1.1 {status}\r\n{more}Connection: close\r\n\r\n")
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
