//! One HTTP request, as much of it as a callback has (RFC 9112).

use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use httparse::{EMPTY_HEADER, Status};
use zeroize::Zeroizing;

use super::Answer;

/// The largest head, in bytes; a bearer token may have 1024, and a code as many.
const MAX_HEAD: usize = 8 * 1024;

/// The most headers; a browser sends some twenty.
const MAX_HEADERS: usize = 64;

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
    body: Zeroizing<Vec<u8>>,
}

/// Reads a request up to its end. The outer error is the connection's.
pub(super) fn read(
    mut stream: &TcpStream,
    deadline: Instant,
    stop: &AtomicBool,
) -> io::Result<Result<Request, Answer>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_HEAD + 2 * MAX_BODY));
    let mut piece = Zeroizing::new([0; 1024]);
    loop {
        if let Some(outcome) = parsed(&bytes).transpose() {
            return Ok(outcome);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stop.load(Ordering::Relaxed) {
            return Ok(Err(Answer::LATE));
        }
        stream.set_read_timeout(Some(left.min(SLICE)))?;
        match stream.read(&mut *piece) {
            Ok(0) => return Ok(Err(Answer::BAD)),
            Ok(len) => bytes.extend_from_slice(&piece[..len]),
            Err(error) if matches!(error.kind(), WouldBlock | TimedOut | Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The request, if it is all there.
fn parsed(bytes: &[u8]) -> Result<Option<Request>, Answer> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let head_len = match head.parse(bytes) {
        Ok(Status::Complete(len)) => len,
        Ok(Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
        Ok(Status::Partial) => return Err(Answer::TOO_LARGE),
        Err(_) => return Err(Answer::BAD),
    };
    let mut request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: Zeroizing::new(head.path.unwrap_or_default().to_owned()),
        authorization: None,
        is_json: false,
        body: Zeroizing::default(),
    };
    let (mut length, mut is_chunked, mut has_host) = (None, false, false);
    for header in &*head.headers {
        let value = std::str::from_utf8(header.value).map_err(|_| Answer::BAD)?;
        match header.name.to_ascii_lowercase().as_str() {
            "authorization" if request.authorization.is_none() => {
                request.authorization = Some(Zeroizing::new(value.to_owned()));
            }
            "content-length" if length.is_none() => {
                let number = value.parse().ok().filter(|_| !value.starts_with('+'));
                length = Some(number.ok_or(Answer::BAD)?);
            }
            "host" if !has_host => has_host = true,
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => is_chunked = true,
            "authorization" | "content-length" | "host" | "transfer-encoding" => {
                return Err(Answer::BAD);
            }
            "content-type" => {
                let media_type = value.split(';').next().unwrap_or_default().trim();
                request.is_json = media_type.eq_ignore_ascii_case("application/json");
            }
            _ => {}
        }
    }
    // RFC 9112 section 3.2.
    if !has_host && head.version == Some(1) {
        return Err(Answer::BAD);
    }
    let body = &bytes[head_len..];
    let body = match length {
        // Both is an attack, mostly (RFC 9112 section 6.1).
        Some(_) if is_chunked => return Err(Answer::BAD),
        Some(length) if length > MAX_BODY => return Err(Answer::TOO_LARGE),
        None if is_chunked => match unchunked(body)? {
            None if body.len() >= 2 * MAX_BODY => return Err(Answer::TOO_LARGE),
            body => body,
        },
        length => {
            let body = body.get(..length.unwrap_or(0));
            body.map(|body| Zeroizing::new(body.to_vec()))
        }
    };
    Ok(body.map(|body| Request { body, ..request }))
}

/// The content of a chunked body (RFC 9112 section 7.1), if it is all there.
fn unchunked(mut bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Answer> {
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_BODY));
    loop {
        let size = httparse::parse_chunk_size(bytes).map_err(|_| Answer::BAD)?;
        let Status::Complete((start, size)) = size else {
            return Ok(None);
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if content.len().saturating_add(size) > MAX_BODY {
            return Err(Answer::BAD);
        }
        let rest = &bytes[start..];
        if size == 0 {
            // Trailers are passed over; the last line is empty.
            let mut trailers = [EMPTY_HEADER; MAX_HEADERS];
            let end = httparse::parse_headers(rest, &mut trailers).map_err(|_| Answer::BAD)?;
            return Ok(end.is_complete().then_some(content));
        }
        let Some(chunk) = rest.get(..size + 2) else {
            return Ok(None);
        };
        let (chunk, line_end) = chunk.split_at(size);
        if line_end != b"\r\n" {
            return Err(Answer::BAD);
        }
        content.extend_from_slice(chunk);
        bytes = &rest[size + 2..];
    }
}

impl Request {
    /// What stands behind `path` in what is asked for, without its query; or the answer to what is asked elsewhere, or in
    /// another way than `method`.
    pub(in crate::oidc) fn below(&self, path: &str, method: &str) -> Result<&str, Answer> {
        let asked = self.target.split('?').next().unwrap_or_default();
        let rest = asked.strip_prefix(path).ok_or(Answer::NOT_FOUND)?;
        let allow = match method {
            _ if self.method == method => return Ok(rest),
            "GET" => "Allow: GET\r\n",
            _ => "Allow: POST\r\n",
        };
        Err(Answer("405 Method Not Allowed", allow, ""))
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
