//! Stands between the command and a device and alters what the device says.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use privyseal_protocol::{FrameDecoder, MAX_DATA, Response};
use privyseal_test_simulators::link::frame;

/// Gives what to send instead of each response.
pub(crate) type Alter = Box<dyn FnMut(u8, Response<'_>) -> Vec<u8> + Send>;

/// Serves `socket` once: the next host that connects talks to `device` through `alter`.
pub(crate) fn between(socket: &Path, device: &Path, mut alter: Alter) {
    let listener = UnixListener::bind(socket).unwrap();
    let device = device.to_owned();
    thread::spawn(move || {
        let (mut host, _) = listener.accept().unwrap();
        let mut device = UnixStream::connect(device).unwrap();
        let (mut from_host, mut to_device) =
            (host.try_clone().unwrap(), device.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut from_host, &mut to_device);
            let _ = to_device.shutdown(std::net::Shutdown::Both);
        });
        let mut decoder = FrameDecoder::new();
        let mut byte = [0];
        while device.read_exact(&mut byte).is_ok() {
            let Some(Ok(message)) = decoder.feed(byte[0]) else {
                continue;
            };
            let altered = alter(message.id, message.read().unwrap());
            if host.write_all(&altered).is_err() {
                break;
            }
        }
    });
}

/// Alters the token when it is whole, and nothing else.
pub(crate) fn token(mut alter: impl FnMut(&str) -> String + Send + 'static) -> Alter {
    let mut token = Vec::new();
    Box::new(move |id, response| match response {
        Response::Token { total, bytes, .. } => {
            token.extend_from_slice(bytes);
            if token.len() < usize::try_from(total).unwrap() {
                return Vec::new();
            }
            let altered = alter(core::str::from_utf8(&token).unwrap());
            token.clear();
            pieces(id, altered.as_bytes())
        }
        response => frame(id, &response),
    })
}

fn pieces(id: u8, token: &[u8]) -> Vec<u8> {
    let total = u32::try_from(token.len()).unwrap();
    let mut offset = 0;
    let pieces = token.chunks(MAX_DATA).map(|bytes| {
        let piece = Response::Token {
            total,
            offset,
            bytes,
        };
        offset += u32::try_from(bytes.len()).unwrap();
        frame(id, &piece)
    });
    pieces.collect::<Vec<_>>().concat()
}
