//! One HTTP request, as much of it as a callback has (RFC 9112).

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::Answer;

/// The largest head, in bytes; a bearer token may have 1024, and a code as many.
const MAX_HEAD: usize = 8 * 1024;

/// The largest body, in bytes: twice the longest `auth_req_id`.
const MAX_BODY: usize = 8 * 1024;

/// How long one read waits before it is looked whether the listener ends.
const SLICE: Duration = Duration::from_millis(100);

/// A request that came whole.
pub(in crate::oidc) struct Request {
    method: String,
    target: Zeroizing<String>,
    authorization: Option<Zeroizing<String>>,
    is_json: bool,
    is_chunked: bool,
    body: Zeroizing<Vec<u8>>,
}

/// Reads a request up to its end. The outer error is the connection's.
pub(super) fn read(
    stream: &TcpStream,
    deadline: Instant,
    stop: &AtomicBool,
) -> io::Result<Result<Request, Answer>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_HEAD + 2 * MAX_BODY));
    let head_len = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() >= MAX_HEAD {
            return Ok(Err(Answer::TOO_LARGE));
        }
        if let Some(answer) = more(stream, &mut bytes, deadline, stop)? {
            return Ok(Err(answer));
        }
    };
    let Some((mut request, body_len)) = head(&bytes[..head_len]) else {
        return Ok(Err(Answer::BAD));
    };
    while request.is_chunked {
        match unchunked(&bytes[head_len..]) {
            Ok(Some(body)) => {
                request.body = body;
                return Ok(Ok(request));
            }
            Ok(None) if bytes.len() < head_len + 2 * MAX_BODY => {}
            Ok(None) => return Ok(Err(Answer::TOO_LARGE)),
            Err(()) => return Ok(Err(Answer::BAD)),
        }
        if let Some(answer) = more(stream, &mut bytes, deadline, stop)? {
            return Ok(Err(answer));
        }
    }
    if body_len > MAX_BODY {
        return Ok(Err(Answer::TOO_LARGE));
    }
    while bytes.len() < head_len + body_len {
        if let Some(answer) = more(stream, &mut bytes, deadline, stop)? {
            return Ok(Err(answer));
        }
    }
    request.body = Zeroizing::new(bytes[head_len..head_len + body_len].to_vec());
    Ok(Ok(request))
}

/// Reads on. An answer means that there is nothing more to wait for.
fn more(
    mut stream: &TcpStream,
    bytes: &mut Vec<u8>,
    deadline: Instant,
    stop: &AtomicBool,
) -> io::Result<Option<Answer>> {
    let mut piece = Zeroizing::new([0; 1024]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stop.load(Ordering::Relaxed) {
            return Ok(Some(Answer::LATE));
        }
        stream.set_read_timeout(Some(left.min(SLICE)))?;
        match stream.read(&mut *piece) {
            Ok(0) => return Ok(Some(Answer::BAD)),
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

/// The head, and the length of the body that follows, where the head says it.
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
        target: Zeroizing::new(target.to_owned()),
        authorization: None,
        is_json: false,
        is_chunked: false,
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
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => {
                request.is_chunked = true;
            }
            "transfer-encoding" => return None,
            "content-type" => {
                let media_type = value.split(';').next().unwrap_or_default().trim();
                request.is_json = media_type.eq_ignore_ascii_case("application/json");
            }
            _ => {}
        }
    }
    // Both is an attack, mostly (RFC 9112 section 6.1).
    if request.is_chunked && length.is_some() {
        return None;
    }
    Some((request, length.unwrap_or(0)))
}

/// The content of a chunked body (RFC 9112 section 7.1), if it is all there; `Err` if it is none.
fn unchunked(mut bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, ()> {
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_BODY));
    loop {
        let Some(end) = find(bytes, b"\r\n") else {
            return Ok(None);
        };
        let line = std::str::from_utf8(&bytes[..end]).map_err(drop)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(digits, 16).map_err(drop)?;
        if !is_number || content.len().saturating_add(size) > MAX_BODY {
            return Err(());
        }
        let rest = &bytes[end + 2..];
        if size == 0 {
            // Trailers are passed over; the last line is empty.
            let is_whole = rest.starts_with(b"\r\n") || find(rest, b"\r\n\r\n").is_some();
            return Ok(is_whole.then_some(content));
        }
        let Some(chunk) = rest.get(..size + 2) else {
            return Ok(None);
        };
        let (chunk, line_end) = chunk.split_at(size);
        if line_end != b"\r\n" {
            return Err(());
        }
        content.extend_from_slice(chunk);
        bytes = &rest[size + 2..];
    }
}

impl Request {
    /// How it is asked: `GET`, `POST`.
    pub(in crate::oidc) fn method(&self) -> &str {
        &self.method
    }

    /// What is asked for, without its query.
    pub(in crate::oidc) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query.
    pub(in crate::oidc) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The bearer token (RFC 6750 section 2.1); empty if there is none.
    pub(in crate::oidc) fn bearer(&self) -> &str {
        self.authorization
            .as_deref()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, token)| token.trim_start())
    }

    /// The body, if it says that it is JSON.
    pub(in crate::oidc) fn json(&self) -> Option<&[u8]> {
        self.is_json.then_some(&**self.body)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
