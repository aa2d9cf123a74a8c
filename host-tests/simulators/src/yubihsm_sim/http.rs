//! The connector: HTTP/1.1 with kept-alive connections, as little of it as is needed.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::misbehaviour::{Misbehaviour, due};
use super::{Shared, lock};

/// Connections at the same time; more are closed at once.
const MAX_CONNECTIONS: usize = 64;

const MAX_HEAD: usize = 8 * 1024;
const MAX_BODY: usize = 8 * 1024;

const STATUS: &str = "status=OK\nserial=*\nversion=3.0.5\npid=1\naddress=localhost\nport=12345\n";

/// Takes connections until the simulator stops.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let open = Arc::new(AtomicUsize::new(0));
    for connection in listener.incoming() {
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        let Ok(connection) = connection else { continue };
        if open.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        if let Ok(copy) = connection.try_clone() {
            lock(&shared.connections).push(copy);
        }
        let (shared, open) = (Arc::clone(shared), Arc::clone(&open));
        thread::spawn(move || {
            let _ = serve(connection, &shared);
            open.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

/// Answers the requests of one connection. Ends with the connection, by either end.
fn serve(mut connection: TcpStream, shared: &Shared) -> io::Result<()> {
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut buffer = Vec::new();
    while let Some((line, body)) = read_request(&mut connection, &mut buffer)? {
        let mut wrong = Vec::new();
        let response = match line.as_str() {
            "POST /connector/api HTTP/1.1" => {
                let mut frame = lock(&shared.device).message(&body, &mut |command| {
                    let due = due(&mut lock(&shared.armed), command);
                    wrong.extend_from_slice(&due);
                    due
                });
                for what in &wrong {
                    if let Misbehaviour::CutFrame(len) = what {
                        frame.truncate(*len);
                    }
                }
                response("200 OK", &frame)
            }
            "GET /connector/status HTTP/1.1" => response("200 OK", STATUS.as_bytes()),
            _ => response("404 Not Found", b""),
        };
        if !send(&mut connection, shared, &response, &wrong)? {
            return connection.shutdown(std::net::Shutdown::Both);
        }
    }
    Ok(())
}

/// The first line and the body of a request; `None` if there is no other.
fn read_request(
    connection: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<(String, Vec<u8>)>> {
    let malformed = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        if buffer.len() > MAX_HEAD {
            return Err(malformed("head"));
        }
        if !read_more(connection, buffer)? {
            return Ok(None);
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).map_err(|_| malformed("head"))?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse::<usize>())
        .map_err(|_| malformed("length"))?;
    if length > MAX_BODY {
        return Err(malformed("length"));
    }
    while buffer.len() < end + length {
        if !read_more(connection, buffer)? {
            return Ok(None);
        }
    }
    let body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Ok(Some((first, body)))
}

fn read_more(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 4096];
    loop {
        match connection.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => {
                let len = read?;
                buffer.extend_from_slice(&piece[..len]);
                return Ok(len > 0);
            }
        }
    }
}

/// Head and body together: the `yubihsm` crate reads nothing else.
fn response(status: &str, body: &[u8]) -> Vec<u8> {
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(body);
    response
}

/// Sends an answer, or what is to come instead. `false` ends the connection.
fn send(
    connection: &mut TcpStream,
    shared: &Shared,
    response: &[u8],
    wrong: &[Misbehaviour],
) -> io::Result<bool> {
    for what in wrong {
        match what {
            Misbehaviour::Hang(duration) => {
                let begin = Instant::now();
                while begin.elapsed() < *duration && !shared.stop.load(Ordering::Acquire) {
                    thread::sleep(Duration::from_millis(20));
                }
                return Ok(false);
            }
            Misbehaviour::Reset => return Ok(false),
            Misbehaviour::HttpError => {
                connection.write_all(&self::response("502 Bad Gateway", b""))?;
                return Ok(true);
            }
            Misbehaviour::SplitWrites => {
                for piece in response.chunks(response.len().div_ceil(3)) {
                    connection.write_all(piece)?;
                    thread::sleep(Duration::from_millis(30));
                }
                return Ok(true);
            }
            Misbehaviour::OversizeHttp => {
                // Each piece is read over the one before, while their lengths add up.
                connection.write_all(&[b'x'; 40_000])?;
                thread::sleep(Duration::from_millis(100));
                let mut second = self::response("200 OK", b"");
                second.resize(60_000, b'x');
                connection.write_all(&second)?;
                thread::sleep(Duration::from_millis(100));
                return Ok(false);
            }
            _ => {}
        }
    }
    connection.write_all(response)?;
    Ok(true)
}
