//! The device: takes frames from its serial line, one request at a time, and answers them.
//!
//! It is in one of six states ([`DeviceState`]). What changes one is a request that was done whole; a frame
//! that cannot be read or a request that is refused changes nothing but the log.
//!
//! What a request needs on the stack is in a function of its own that is never inlined, so that the
//! deepest, which signs, does not stand on what others need.

mod certifying;
mod composing;
mod control;
mod generating;
mod provisioning;
mod records;
mod reports;
mod signing;
mod start;
mod unlocking;
mod unwrapping;
mod updating;

use core::hint::black_box;

use embedded_io::{Read, ReadReady};
use privyseal_protocol::authority::CHALLENGE_LEN;
use privyseal_protocol::{
    DeviceState, Entry, Event, FrameDecoder, FrameError, Message, Rate, Refusal, Request, Response,
    SchemeId,
};

use crate::at_rest::KeptUnder;
use crate::board::Board;
use crate::guarded::{Guarded, Key};
use crate::keyed::Keyed;
use crate::limits::{Clock, Meter};
use crate::link::Line;
use crate::signals;
use crate::vault::KeyRecord;

use composing::Composed;
use generating::Generating;
use provisioning::Upload;
use records::Records;
use unlocking::Locked;

/// The gateway: a board, and what it keeps in RAM.
#[allow(missing_debug_implementations)] // It holds the key.
pub struct Device<B: Board> {
    decoder: FrameDecoder,
    machine: Machine<B>,
}

/// The device behind its decoder.
struct Machine<B: Board> {
    board: B,
    line: Line,
    records: Records,
    mode: Mode<B::Mapped>,
    key: Guarded,
    clock: Clock,
    composed: Composed,
    /// Of what is read.
    reads: Meter,
    challenge: [u8; CHALLENGE_LEN],
    bad_frames: u32,
    /// Bytes of a signed image that were sent.
    staged: u32,
}

#[allow(clippy::large_enum_variant)] // No heap, and one of it.
enum Mode<M> {
    Empty,
    Provisioning(Upload),
    Generating(Generating),
    /// With a key of its own making, and without a certificate.
    Uncertified(Born),
    /// With a key that it cannot read yet.
    Locked(Locked),
    Ready(Keyed<M>),
    /// For what reason.
    Faulted(Refusal),
}

/// A key that the device has made.
#[derive(Clone)]
struct Born {
    record: KeyRecord,
    under: KeptUnder,
    /// SHA-256 of its SubjectPublicKeyInfo.
    key: [u8; 32],
}

/// What a request names, for the log.
#[derive(Clone, Copy, Default)]
struct Asked {
    scheme: Option<SchemeId>,
    audience: Option<u8>,
    now: u64,
}

impl Asked {
    /// The entry with it.
    fn noted(self, entry: Entry) -> Entry {
        let Self {
            scheme,
            audience,
            now,
        } = self;
        Entry {
            scheme,
            audience,
            now,
            ..entry
        }
    }
}

impl<B: Board> Device<B> {
    /// A device that has not started: nothing of its flash was read, and there is no key in it.
    // Inlined, it would be in its caller's frame twice.
    #[inline(never)]
    pub fn new(board: B) -> Self {
        Self {
            decoder: FrameDecoder::new(),
            machine: Machine::new(board),
        }
    }

    /// Starts: reads what is in the flash, finishes what a power cut interrupted, and makes the key ready. Once.
    ///
    /// From then on the device holds the key and must stay where it is: what is moved is copied, and
    /// nothing wipes the copy.
    pub fn start(&mut self) {
        self.machine.start();
        self.machine.board.wipe_stack();
    }

    /// Both, for hosts, where the key is none.
    #[cfg(any(test, feature = "fake"))]
    pub fn boot(board: B) -> Self {
        let mut device = Self::new(board);
        device.start();
        device
    }

    /// Takes what has come on the serial line and answers what is complete. Returns when nothing is there.
    pub fn poll(&mut self) {
        self.machine.board.feed_watchdog();
        self.machine.abandon_stale_upload();
        match &mut self.machine.mode {
            Mode::Ready(keyed) => keyed.draw_random(),
            Mode::Generating(_) => {
                self.machine.generate_more();
                self.machine.board.wipe_stack();
            }
            _ => {}
        }
        signals::show(&mut self.machine.board, self.machine.mode.state());
        while self.serve() {
            // Here, where nothing of what was called is on the stack any more.
            self.machine.board.wipe_stack();
        }
    }

    /// Reads until a frame was answered; `false` if nothing is there before.
    fn serve(&mut self) -> bool {
        let Self { decoder, machine } = self;
        let mut byte = [0];
        while matches!(machine.board.serial().read_ready(), Ok(true)) {
            let Ok(1) = machine.board.serial().read(&mut byte) else {
                break;
            };
            let [value] = byte;
            let answered = decoder
                .feed(value)
                .map(|outcome| machine.answer(outcome))
                .is_some();
            if answered {
                // It may have been a piece of a key.
                decoder.wipe();
                return true;
            }
        }
        false
    }

    /// The board, for a simulator that looks behind the device.
    pub fn board(&mut self) -> &mut B {
        &mut self.machine.board
    }
}

impl<M> Mode<M> {
    const fn state(&self) -> DeviceState {
        match self {
            Self::Empty => DeviceState::Empty,
            Self::Provisioning(_) => DeviceState::Provisioning,
            Self::Generating(_) => DeviceState::Generating,
            Self::Uncertified(_) => DeviceState::Uncertified,
            Self::Locked(_) => DeviceState::Locked,
            Self::Ready(_) => DeviceState::Ready,
            Self::Faulted(_) => DeviceState::Faulted,
        }
    }

    const fn refusal(&self) -> Refusal {
        Refusal::State(self.state())
    }
}

impl<B: Board> Machine<B> {
    /// Answers one frame, and its request if there is one in it. Never inlined, or the request, which may have an unlock
    /// secret in it, would be in a frame above the stack that is wiped.
    #[inline(never)]
    fn answer(&mut self, outcome: Result<Message<'_>, FrameError>) {
        let message = match outcome {
            Ok(message) => message,
            Err(error) => {
                self.bad_frames = self.bad_frames.saturating_add(1);
                return self.refuse(0, Refusal::Frame(error));
            }
        };
        let id = message.id;
        let done = match message.read::<Request<'_>>() {
            Ok(request) => self.obey(id, &request),
            Err(error) => {
                self.bad_frames = self.bad_frames.saturating_add(1);
                Err(Refusal::Frame(error))
            }
        };
        if let Err(refusal) = done {
            self.refuse(id, refusal);
        }
    }

    #[inline(never)]
    fn refuse(&mut self, id: u8, refusal: Refusal) {
        self.send(id, &Response::Refused(refusal));
    }

    #[inline(never)]
    fn obey(&mut self, id: u8, request: &Request<'_>) -> Result<(), Refusal> {
        let composes = matches!(request, Request::Compose { .. } | Request::SignComposed(_));
        // Hidden from the compiler, which else leaves a trap in their places below.
        if !black_box(composes) {
            self.composed.wipe();
        }
        match *request {
            Request::Info => self.info(id),
            Request::Read { part, offset } => self.read(id, part, offset)?,
            Request::Log { from, max } => self.log(id, from, max)?,
            Request::Provision(step) => self.provision(id, step)?,
            Request::Sign(ref request) => self.sign(id, request, false)?,
            Request::Compose { offset, bytes } => self.compose(id, offset, bytes)?,
            Request::SignComposed(ref request) => self.sign(id, request, true)?,
            Request::SetTime { now, signature } => self.set_time(id, now, signature)?,
            Request::Wipe { device } => self.wipe(id, device)?,
            Request::Generate(asked) => self.generate(id, asked)?,
            Request::Csr(ref asked) => self.csr(id, asked)?,
            Request::Unlock(ref secret) => self.unlock(id, secret)?,
            Request::Renew { policy, signature } => self.renew(id, policy, signature)?,
            Request::Update { offset, bytes } => self.update(id, offset, bytes)?,
            Request::Restart => self.restart(id)?,
            Request::Unwrap { ciphertext } => self.unwrap(id, ciphertext)?,
            _ => return Err(Refusal::Frame(FrameError::Body)),
        }
        Ok(())
    }

    /// Sends an answer; a host that is gone gets none.
    fn send(&mut self, id: u8, response: &Response<'_>) {
        let _ = self.line.send(&mut self.board, id, response);
    }

    /// The newest entry.
    fn state(&self) -> Entry {
        self.records.state()
    }

    /// See [`Records::entry`].
    fn entry(&mut self, event: Event) -> Entry {
        self.records.entry(event, self.board.millis())
    }

    /// Writes an entry: when it returns, what it says has happened.
    fn write(&mut self, entry: Entry) -> Result<(), Refusal> {
        self.records.write(&mut self.board, entry)
    }

    /// The device is something else from now on, and its key is wiped.
    #[inline(never)]
    fn enter(&mut self, mode: Mode<B::Mapped>) {
        self.key.open(&mut self.board, |_, key| *key = Key::None);
        self.mode = mode;
    }

    /// What limits the entries that a host can cause.
    fn rate(&self) -> Option<Rate> {
        match &self.mode {
            Mode::Ready(keyed) => keyed.policy().ok().map(|policy| policy.rate),
            Mode::Uncertified(_) => Some(certifying::REQUESTS),
            Mode::Locked(_) => Some(unlocking::TRIES),
            _ => None,
        }
    }

    /// Notes a refusal in the log, if the rate limit has room for it, and gives it back.
    #[inline(never)]
    fn refused(&mut self, refusal: Refusal, asked: Asked) -> Refusal {
        let rate = match refusal {
            Refusal::Rate { .. } | Refusal::State(_) => None,
            _ => self.rate(),
        };
        let millis = self.board.millis();
        let room = rate.ok_or(refusal);
        let room = room.and_then(|rate| self.records.meter.one_more(rate, millis));
        let noted = room.and_then(|debt| {
            let entry = asked.noted(self.entry(Event::Refused));
            self.write(Entry {
                code: refusal.code(),
                debt,
                ..entry
            })
        });
        if noted.is_err() {
            self.records.unlogged = self.records.unlogged.saturating_add(1);
        }
        refusal
    }

    /// What came of working with the key: a refusal is in the log when this returns, and after a fault there is no key.
    fn settle(&mut self, outcome: Result<(), Refusal>, asked: Asked) -> Result<(), Refusal> {
        outcome.map_err(|refusal| match refusal {
            Refusal::Fault => self.fault(),
            refusal => self.refused(refusal, asked),
        })
    }

    /// A computation went wrong: drops the key, and says so for good.
    #[inline(never)]
    fn fault(&mut self) -> Refusal {
        self.enter(Mode::Faulted(Refusal::Fault));
        let entry = Entry {
            faulted: true,
            ..self.entry(Event::Fault)
        };
        // If even this fails, the state holds until the next start; the engine has wiped its key.
        let _ = self.write(entry);
        Refusal::Fault
    }
}

#[cfg(test)]
mod tests;
