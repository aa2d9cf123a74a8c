//! The gateway on the mps2-an386, which also counts: instructions and stack of each answer. For tests.
//!
//! It behaves as the gateway does, but keeps an answer until it is whole, so that the line does not take part
//! in the count; nor does the keeping. What it counted goes to the emulator's console, one line per answer, which needs QEMU's
//! `-icount shift=7`: each instruction is 128 ns of the board's time, and the timer ticks every 40.
//!
//! The device feeds its watchdog where a signature's parts meet, so these are told apart: what comes before the
//! key is used and what is made again after it, the RSA engine, the core's verification, and the sending.
#![no_std]
#![no_main]

use core::convert::Infallible;

use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use privyseal_firmware_app::Device;
use privyseal_firmware_common::stack;
use privyseal_firmware_mps2_an386::paint::{Painted, paint};
use privyseal_firmware_mps2_an386::timer::{self, instructions_in};
use privyseal_firmware_mps2_an386::{An386, Fed, Serial};

/// The longest answer: a token in its frames.
const ANSWER: usize = 64 * 1024;
/// Instructions of what is not an answer to a host that waits for a token: a commit.
const LONG: u64 = 20_000_000;

/// An end of a part.
#[derive(Clone, Copy, Default)]
struct Mark {
    at: u32,
    /// The deepest that the stack has been in this part, if it was looked at.
    stack: usize,
}

/// The serial line, which keeps what is written, and notes when what happens.
struct Recorder {
    serial: Serial,
    answer: &'static mut [u8],
    len: usize,
    /// Ticks that went into keeping it.
    kept: u32,
    /// When the last byte of a request was read.
    asked: u32,
    /// The last four times that the watchdog was fed before the answer's first byte: before the engine, behind
    /// it, when all is made again, and before the first frame.
    fed: [Mark; 4],
    /// Looks at the stack in each part, which takes time: then nothing is counted.
    looks: bool,
    /// The stack of an answer.
    painted: Painted,
    /// The deepest that it has been in this answer.
    deepest: usize,
    /// The same, since it was last looked at.
    last: usize,
    /// When the watchdog was last fed.
    fed_at: u32,
    /// The longest that it was not, in ticks.
    unfed: u32,
}

impl Recorder {
    /// For the next answer.
    const fn next(&mut self) {
        (self.len, self.kept, self.deepest, self.unfed) = (0, 0, 0, 0);
    }
}

impl ErrorType for Recorder {
    type Error = Infallible;
}

impl ReadReady for Recorder {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        self.serial.read_ready()
    }
}

impl Read for Recorder {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let read = self.serial.read(buffer)?;
        // Of several requests at once the first counts.
        if buffer.first() == Some(&0) && self.len == 0 {
            self.asked = timer::now();
            self.fed_at = self.asked;
            self.kept = 0;
        }
        Ok(read)
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let began = timer::now();
        let end = self.len.saturating_add(bytes.len());
        if let Some(place) = self.answer.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
        }
        self.len = end;
        self.kept = self.kept.wrapping_add(timer::ticks_since(began));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Fed for Recorder {
    fn fed(&mut self) {
        if self.len > 0 {
            return;
        }
        let mut mark = Mark {
            at: timer::now(),
            stack: 0,
        };
        self.unfed = self.unfed.max(self.fed_at.wrapping_sub(mark.at));
        if self.looks {
            mark.stack = self.painted.used();
            self.deepest = self.deepest.max(mark.stack);
            paint();
        }
        let [_, second, third, fourth] = self.fed;
        self.fed = [second, third, fourth, mark];
        self.fed_at = timer::now();
    }

    fn wipe_stack(&mut self) {
        // First what the wiping would hide.
        let began = timer::now();
        self.last = self.painted.used();
        self.deepest = self.deepest.max(self.last);
        self.kept = self.kept.wrapping_add(timer::ticks_since(began));
        stack::wipe();
        // Another request may follow at once.
        let wiped = timer::now();
        paint();
        self.kept = self.kept.wrapping_add(timer::ticks_since(wiped));
    }
}

#[entry]
fn main() -> ! {
    // Outside of the stack that is looked at; cortex-m-rt makes it a reference that only this has.
    static mut KEPT: [u8; ANSWER] = [0; ANSWER];

    timer::start();
    let began = timer::now();
    let mut device = Device::new(An386::with(Recorder {
        serial: Serial::new(),
        answer: KEPT,
        len: 0,
        kept: 0,
        asked: 0,
        fed: [Mark::default(); 4],
        looks: false,
        painted: paint(),
        deepest: 0,
        last: 0,
        fed_at: began,
        unfed: 0,
    }));
    device.board().line().painted = paint();
    let began = timer::now();
    device.start();
    let ended = timer::now();
    let line = device.board().line();
    show("start", line, began, ended.wrapping_add(line.kept));
    line.next();
    paint();
    loop {
        device.poll();
        let ended = timer::now();
        let line = device.board().line();
        if line.len > 0 {
            report(line, ended);
            line.next();
            paint();
        }
    }
}

/// Says what has taken long, and how long the watchdog was not fed in it.
fn show(what: &str, line: &Recorder, began: u32, ended: u32) {
    hprintln!(
        "{} len={} instructions={} unfed={} deepest={}",
        what,
        line.len,
        instructions_in(began.wrapping_sub(ended)),
        instructions_in(line.unfed),
        line.deepest
    );
}

/// Sends the answer, and says what it took.
fn report(line: &mut Recorder, ended: u32) {
    let instructions = |from: u32, to: u32| instructions_in(from.wrapping_sub(to));
    let ended_without = ended.wrapping_add(line.kept);
    if instructions(line.asked, ended_without) > LONG {
        show("long", line, line.asked, ended_without);
    }
    let [before, engine, again, verified] = line.fed;
    if line.looks {
        hprintln!(
            "stack len={} before={} engine={} verification={} sending={}",
            line.len,
            before.stack.max(again.stack),
            engine.stack,
            verified.stack,
            line.last
        );
    } else {
        hprintln!(
            "instructions len={} before={} engine={} verification={} sending={} stack={}",
            line.len,
            instructions(line.asked, before.at) + instructions(engine.at, again.at),
            instructions(before.at, engine.at),
            instructions(again.at, verified.at),
            instructions(verified.at, ended_without),
            line.deepest
        );
    }
    line.looks = !line.looks;
    let answer = line.answer.get(..line.len).unwrap_or(&[]);
    let _ = line.serial.write_all(answer);
}
