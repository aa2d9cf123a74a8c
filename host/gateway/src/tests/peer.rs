//! The other end: answers each request that can be read by a function of the test.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use privyseal_protocol::frame::MAX_CONTENT;
use privyseal_protocol::{
    AtRest, DeviceId, DeviceState, FrameDecoder, Info, Message, Origin, Request, Response,
    write_frame,
};

pub(super) const ID: DeviceId = [0xd1; 12];

type Answers = dyn FnMut(u8, &Request<'_>) -> Vec<u8> + Send;

pub(super) struct Peer(Box<Answers>);

impl Default for Peer {
    fn default() -> Self {
        Self::new(Self::usual)
    }
}

impl Peer {
    pub(super) fn new(answers: impl FnMut(u8, &Request<'_>) -> Vec<u8> + Send + 'static) -> Self {
        Self(Box::new(answers))
    }

    /// As a device that has a key would.
    pub(super) fn usual(id: u8, request: &Request<'_>) -> Vec<u8> {
        frame(id, &info(request))
    }

    /// The same, changed.
    pub(super) fn told(id: u8, change: impl FnOnce(&mut Info<'static>)) -> Vec<u8> {
        let mut response = info(&Request::Info);
        if let Response::Info(info) = &mut response {
            change(info);
        }
        frame(id, &response)
    }

    /// Answers in a thread that ends with the stream.
    pub(super) fn start(mut self) -> UnixStream {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut decoder = FrameDecoder::new();
            let mut byte = [0];
            while theirs.read_exact(&mut byte).is_ok() {
                let Some(Ok(Message { id, body })) = decoder.feed(byte[0]) else {
                    continue;
                };
                let request = Message { id, body }.read().unwrap();
                if theirs.write_all(&(self.0)(id, &request)).is_err() {
                    break;
                }
            }
        });
        ours
    }
}

pub(super) fn info(_: &Request<'_>) -> Response<'static> {
    Response::Info(Info {
        // A device must not write to anybody's terminal.
        firmware: "1.2.3\u{1b}",
        image: [1; 32],
        device: ID,
        state: DeviceState::Ready,
        key: Some([2; 32]),
        counter: 1 << 40,
        time_floor: 1_790_000_000,
        time_ceiling: 1_800_000_000,
        challenge: [3; 16],
        rate_left: 5,
        boots: 1,
        uptime: 1000,
        log_next: 4,
        bad_frames: 0,
        fault: None,
        read_out: None,
        origin: Some(Origin::Imported),
        generation: None,
        at_rest: Some(AtRest::default()),
    })
}

pub(super) fn frame(id: u8, response: &Response<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_frame(id, response, &mut [0; MAX_CONTENT], &mut bytes).unwrap();
    bytes
}

/// A message without a zero in it, framed by hand.
pub(super) fn frame_of(message: &[u8]) -> Vec<u8> {
    let crc = !message.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    });
    let content = [message, crc.to_le_bytes().as_slice()].concat();
    assert!(!content.contains(&0), "another message then");
    let run = u8::try_from(content.len() + 1).unwrap();
    [&[run], content.as_slice(), &[0]].concat()
}
