//! Requests and their answers, frame by frame, each within its time.

use core::time::Duration;
use std::thread::sleep;
use std::time::Instant;

use privyseal_protocol::frame::{MAX_CONTENT, MAX_FRAME, WriteError};
use privyseal_protocol::{FrameDecoder, FrameError, Refusal, Request, Response, write_frame};
use zeroize::Zeroizing;

use crate::error::{DeviceError, Noise};
use crate::line::Line;

/// The most bytes of noise before the exchange gives up: far more than a boot loader prints.
const MAX_NOISE: usize = 64 * 1024;

/// How often a request is sent that the device could not read.
const TRIES: usize = 3;

/// Whether an answer is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// More frames belong to it.
    Continues,
    /// This was the last one.
    Ends,
}

/// What is asked, in words, and how long the device may take for each frame of its answer and for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) what: &'static str,
    pub(crate) limit: Duration,
    pub(crate) whole: Duration,
    /// How long the rate limit is waited for.
    pub(crate) wait: Duration,
}

/// One conversation over a line.
#[derive(Debug)]
pub(crate) struct Exchange {
    line: Line,
    decoder: FrameDecoder,
    received: Received,
    id: u8,
}

/// Bytes that came and were not looked at yet. A token may be among them.
#[derive(Debug)]
struct Received {
    bytes: Zeroizing<[u8; 1024]>,
    from: usize,
    to: usize,
}

/// How one try ended.
enum Outcome {
    Done,
    /// The device could not read the request, so it did nothing.
    Unread(FrameError),
}

impl Exchange {
    /// Begins on a line in an unknown state. A zero byte ends half a frame in the device's decoder; the ids, which start
    /// at a random number, tell old responses from new ones.
    pub(crate) fn begin(line: Line) -> Result<Self, DeviceError> {
        let mut first = [0];
        getrandom::fill(&mut first).map_err(DeviceError::Entropy)?;
        let exchange = Self {
            line,
            decoder: FrameDecoder::new(),
            received: Received {
                bytes: Zeroizing::new([0; 1024]),
                from: 0,
                to: 0,
            },
            id: first[0],
        };
        let end = Instant::now() + Duration::from_secs(1);
        // If it cannot be sent, the first request will say so.
        exchange.line.write(&[0], end)?;
        Ok(exchange)
    }

    /// Lets go of the line, for the next program.
    pub(crate) fn release(&self) {
        self.line.release();
    }

    /// Sends `request` and gives each frame of the answer to `take`. A refusal is an error.
    pub(crate) fn ask(
        &mut self,
        asked: Asked,
        request: &Request<'_>,
        mut take: impl FnMut(Response<'_>) -> Result<Answer, DeviceError>,
    ) -> Result<(), DeviceError> {
        let (mut tries, end) = (1, Instant::now() + asked.wait);
        loop {
            self.send(asked, request)?;
            let outcome = self.answer(asked, &mut take);
            if let Err(error) = &outcome
                && let Some(pause) = error.retry_after()
                && Instant::now() + pause < end
            {
                sleep(pause);
                continue;
            }
            match outcome? {
                Outcome::Done => {
                    // A token or a content key may have been in it.
                    self.decoder.wipe();
                    return Ok(());
                }
                Outcome::Unread(_) if tries < TRIES => tries += 1,
                Outcome::Unread(error) => {
                    return Err(DeviceError::Refused {
                        asked: asked.what,
                        refusal: Refusal::Frame(error),
                    });
                }
            }
        }
    }

    /// Asks what has one answer of one frame; `read` gives nothing for an answer to something else.
    pub(crate) fn ask_once<T>(
        &mut self,
        asked: Asked,
        request: &Request<'_>,
        read: impl Fn(Response<'_>) -> Option<T>,
    ) -> Result<T, DeviceError> {
        let unexpected = || DeviceError::Unexpected { asked: asked.what };
        let mut answer = None;
        self.ask(asked, request, |response| {
            answer = Some(read(response).ok_or_else(unexpected)?);
            Ok(Answer::Ends)
        })?;
        answer.ok_or_else(unexpected)
    }

    fn send(&mut self, asked: Asked, request: &Request<'_>) -> Result<(), DeviceError> {
        // 0 is for answers to what could not be read.
        self.id = self.id.checked_add(1).unwrap_or(1);
        // Both may hold a piece of a private key.
        let mut scratch = Zeroizing::new([0; MAX_CONTENT]);
        // It never grows beyond its capacity, so no copy is left.
        let mut frame = Zeroizing::new(Vec::with_capacity(MAX_FRAME));
        match write_frame(self.id, request, &mut scratch, &mut *frame) {
            Ok(()) => {}
            Err(WriteError::Frame(_)) => return Err(DeviceError::TooLong { asked: asked.what }),
        }
        if self.line.write(&frame, Instant::now() + asked.limit)? {
            return Ok(());
        }
        Err(DeviceError::Silent {
            asked: asked.what,
            limit: asked.limit,
            noise: Noise::default(),
        })
    }

    fn answer(
        &mut self,
        asked: Asked,
        take: &mut impl FnMut(Response<'_>) -> Result<Answer, DeviceError>,
    ) -> Result<Outcome, DeviceError> {
        let what = asked.what;
        let mut noise = Noise::default();
        let begun = Instant::now();
        let (whole, mut end) = (begun + asked.whole, begun + asked.limit);
        loop {
            let Some(byte) = self.received.next(&self.line, what, end)? else {
                let limit = if end < whole {
                    asked.limit
                } else {
                    asked.whole
                };
                return Err(DeviceError::Silent {
                    asked: what,
                    limit,
                    noise,
                });
            };
            noise.bytes += 1;
            if noise.bytes > MAX_NOISE {
                return Err(DeviceError::Noisy { asked: what, noise });
            }
            let message = match self.decoder.feed(byte) {
                None => continue,
                Some(Err(FrameError::Version { found })) => {
                    return Err(DeviceError::Version { found });
                }
                Some(Err(error)) => {
                    noise.last = Some(error);
                    continue;
                }
                Some(Ok(message)) => message,
            };
            let response = match message.read::<Response<'_>>() {
                Ok(response) if message.id == self.id => response,
                Ok(Response::Refused(Refusal::Frame(error))) if message.id == 0 => {
                    return Ok(Outcome::Unread(error));
                }
                // To an earlier request, of another program perhaps.
                Ok(_) => continue,
                Err(error) => {
                    noise.last = Some(error);
                    continue;
                }
            };
            match response {
                Response::Refused(Refusal::Frame(error)) => return Ok(Outcome::Unread(error)),
                Response::Refused(refusal) => {
                    return Err(DeviceError::Refused {
                        asked: what,
                        refusal,
                    });
                }
                response => match take(response)? {
                    Answer::Ends => return Ok(Outcome::Done),
                    Answer::Continues => {
                        noise = Noise::default();
                        end = whole.min(Instant::now() + asked.limit);
                    }
                },
            }
        }
    }
}

impl Received {
    fn next(
        &mut self,
        line: &Line,
        asked: &'static str,
        end: Instant,
    ) -> Result<Option<u8>, DeviceError> {
        if self.from == self.to {
            match line.read(&mut *self.bytes, end)? {
                None => return Ok(None),
                Some(0) => return Err(DeviceError::Closed { asked }),
                Some(len) => (self.from, self.to) = (0, len),
            }
        }
        let byte = self.bytes.get(self.from).copied();
        self.from += 1;
        Ok(byte)
    }
}
