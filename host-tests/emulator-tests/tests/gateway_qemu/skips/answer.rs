//! What a device has said.

use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;

use privyseal_protocol::{DeviceState, FrameDecoder, Response};

/// The id of each request.
pub(super) const ID: u8 = 1;

/// The frames in what was said.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) bodies: Vec<u8>,
    /// Whether a frame has the request's id: others are about what could not be read.
    pub(super) is_to_the_request: bool,
    pub(super) refused: bool,
    /// What it says that it did, and should not have.
    pub(super) done: Option<&'static str>,
    pub(super) token: Option<String>,
    /// What it says that it is.
    pub(super) state: Option<DeviceState>,
}

impl Answer {
    pub(super) fn of(said: &[u8]) -> Self {
        let mut answer = Self::default();
        let (mut decoder, mut token) = (FrameDecoder::new(), Vec::new());
        for byte in said {
            let Some(Ok(message)) = decoder.feed(*byte) else {
                continue;
            };
            answer.bodies.extend(message.body);
            answer.is_to_the_request |= message.id == ID;
            match message.read() {
                Ok(Response::Refused(_)) => answer.refused = true,
                Ok(Response::Info(info)) => answer.state = Some(info.state),
                Ok(Response::TimeSet { .. }) => answer.done = Some("time-set"),
                Ok(Response::Accepted { .. }) => answer.done = Some("accepted"),
                Ok(Response::Wiped) => answer.done = Some("wiped"),
                Ok(Response::Unlocked) => answer.done = Some("unlocked"),
                Ok(Response::ContentKey { .. }) => answer.done = Some("unwrapped"),
                Ok(Response::Token {
                    total,
                    offset,
                    bytes,
                }) if offset as usize == token.len() => {
                    token.extend(bytes);
                    if token.len() == total as usize {
                        answer.token = String::from_utf8(core::mem::take(&mut token)).ok();
                    }
                }
                _ => {}
            }
        }
        answer
    }
}

/// What has come over the line.
pub(super) fn heard(line: &mut UnixStream) -> Vec<u8> {
    let mut said = Vec::new();
    let mut bytes = [0; 4096];
    line.set_nonblocking(true).expect("a socket");
    loop {
        match line.read(&mut bytes) {
            Ok(len @ 1..) => said.extend(&bytes[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            // QEMU may have ended.
            _ => return said,
        }
    }
    line.set_nonblocking(false).expect("a socket");
    said
}
