//! The device: takes frames from its serial line, one request at a time, and answers them.

use embedded_io::{Read, ReadReady, Write};
use privyseal_core::encoding::sink::Sink;
use privyseal_core::link::frame::MAX_CONTENT;
use privyseal_core::link::{
    FrameDecoder, FrameError, Info, Message, Refusal, Request, Response, State, write_frame,
};

use crate::board::Board;

/// The gateway: a board, and what it keeps in RAM.
#[allow(missing_debug_implementations)] // It holds the key.
pub struct Device<B: Board> {
    decoder: FrameDecoder,
    machine: Machine<B>,
}

struct Machine<B: Board> {
    board: B,
    out: [u8; MAX_CONTENT],
    bad_frames: u32,
}

impl<B: Board> Device<B> {
    /// Starts: reads what is in the flash, and finishes what a power cut interrupted.
    pub fn boot(board: B) -> Self {
        Self {
            decoder: FrameDecoder::new(),
            machine: Machine {
                board,
                out: [0; MAX_CONTENT],
                bad_frames: 0,
            },
        }
    }

    /// Takes what has come on the serial line and answers what is complete. Returns when nothing is there.
    pub fn poll(&mut self) {
        self.machine.board.feed_watchdog();
        let mut bytes = [0; 64];
        while matches!(self.machine.board.serial().read_ready(), Ok(true)) {
            let Ok(len) = self.machine.board.serial().read(&mut bytes) else {
                return;
            };
            if len == 0 {
                return;
            }
            for &byte in bytes.iter().take(len) {
                if let Some(outcome) = self.decoder.feed(byte) {
                    self.machine.answer(outcome);
                }
            }
        }
    }

    /// The board, for tests that look behind the device.
    pub fn board(&mut self) -> &mut B {
        &mut self.machine.board
    }
}

struct Line<'a, S>(&'a mut S);

impl<S: Write> Sink for Line<'_, S> {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        self.0.write_all(bytes)
    }
}

impl<B: Board> Machine<B> {
    fn send(&mut self, id: u8, response: &Response<'_>) {
        let mut line = Line(self.board.serial());
        // A host that is gone gets no answer.
        let _ = write_frame(id, response, &mut self.out, &mut line);
        let _ = self.board.serial().flush();
    }

    fn answer(&mut self, outcome: Result<Message<'_>, FrameError>) {
        let message = match outcome {
            Ok(message) => message,
            Err(error) => {
                self.bad_frames = self.bad_frames.saturating_add(1);
                return self.send(0, &Response::Refused(Refusal::Frame(error)));
            }
        };
        match message.read::<Request<'_>>() {
            Ok(Request::Info) => {
                let info = Info {
                    firmware: env!("CARGO_PKG_VERSION"),
                    image: self.board.image_hash(),
                    device: self.board.device_id(),
                    state: State::Empty,
                    key: None,
                    counter: 0,
                    time_floor: 0,
                    time_ceiling: 0,
                    challenge: [0; 16],
                    rate_left: 0,
                    boots: 0,
                    uptime: self.board.millis(),
                    log_next: 0,
                    bad_frames: self.bad_frames,
                };
                self.send(message.id, &Response::Info(info));
            }
            Ok(_) => self.send(message.id, &Response::Refused(Refusal::State(State::Empty))),
            Err(error) => self.send(message.id, &Response::Refused(Refusal::Frame(error))),
        }
    }
}
