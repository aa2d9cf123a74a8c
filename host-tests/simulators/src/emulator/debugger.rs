//! QEMU's stub of gdb's remote protocol, and snapshots: to leave out an instruction.

mod fault;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use privyseal_core::encoding::hex;
use serde_json::json;

use super::{Emulator, Machine, SOON, connect};

pub use fault::Fault;

/// The name of the one snapshot.
const SNAPSHOT: &str = "before";

/// A stopped emulator, with a snapshot of what it was then.
#[derive(Debug)]
pub struct Debugger {
    emulator: Emulator,
    stub: UnixStream,
    /// QEMU's protocol for tests of devices: it writes their registers.
    devices: BufReader<UnixStream>,
    unsaved: Vec<(u32, String)>,
}

/// Why it has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At this address.
    At(u32),
    /// Nothing stopped it in time: it was interrupted.
    Late,
    /// Not even that stops it: a new one is needed.
    Never,
}

impl Emulator {
    /// As [`Emulator::gateway`], for a [`Debugger`].
    ///
    /// # Panics
    /// As for [`Emulator::gateway`].
    pub fn debuggable(machine: Machine) -> Self {
        let words = [
            "-gdb",
            "unix:stub,server,nowait",
            "-qtest",
            "unix:devices,server,nowait",
            "-qtest-log",
            "none",
        ];
        Self::start(machine, machine.image, &words).running()
    }

    /// Stops it, and takes a snapshot.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn debugged(mut self) -> Debugger {
        self.command("stop", &json!({}));
        let mut stub = connect(&self.dir.path().join("stub"));
        stub.set_read_timeout(Some(SOON)).expect("a socket");
        stub.write_all(b"+").expect("the stub");
        // Snapshots want a disk, which the machine itself does not have.
        let disk = self.dir.path().join("disk");
        let file = json!({ "driver": "file", "filename": disk.to_str(), "size": 0 });
        self.job("file", &file);
        let file = json!({ "driver": "file", "filename": disk.to_str(), "node-name": "file" });
        self.command("blockdev-add", &file);
        self.job(
            "disk",
            &json!({ "driver": "qcow2", "file": "file", "size": 1 << 28 }),
        );
        let disk = json!({ "driver": "qcow2", "file": "file", "node-name": "disk" });
        self.command("blockdev-add", &disk);
        let devices = self.devices();
        let mut debugger = Debugger {
            emulator: self,
            stub,
            devices,
            unsaved: Vec::new(),
        };
        for register in debugger.emulator.machine.unsaved {
            let value = device(&mut debugger.devices, &format!("readl {register:#x}"));
            debugger.unsaved.push((*register, value));
        }
        debugger.emulator.monitor(&format!("savevm {SNAPSHOT}"));
        debugger
    }

    /// QEMU's protocol for tests of devices; it talks to one at a time.
    fn devices(&self) -> BufReader<UnixStream> {
        BufReader::new(connect(&self.dir.path().join("devices")))
    }

    /// Writes into the memory of a board that [`Emulator::debuggable`] has made.
    ///
    /// # Panics
    /// If QEMU refuses.
    pub fn write(&mut self, at: u32, bytes: &[u8]) {
        const PIECE: usize = 4096;
        let mut devices = self.devices();
        for (at, bytes) in (at..).step_by(PIECE).zip(bytes.chunks(PIECE)) {
            let digits: String = hex(bytes).collect();
            device(
                &mut devices,
                &format!("write {at:#x} {:#x} 0x{digits}", bytes.len()),
            );
        }
    }

    fn job(&mut self, id: &str, options: &serde_json::Value) {
        self.command(
            "blockdev-create",
            &json!({ "job-id": id, "options": options }),
        );
        let done = || {
            let jobs = self.command("query-jobs", &json!({}));
            let jobs = jobs.as_array().cloned().unwrap_or_default();
            jobs.iter()
                .any(|job| job["id"] == id && job["status"] == "concluded")
        };
        let mut done = done;
        while !done() {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Debugger {
    /// The serial line.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn connect(&self) -> UnixStream {
        self.emulator.connect()
    }

    /// The snapshot's moment again; breakpoints stay.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn rewind(&mut self) {
        self.emulator.monitor(&format!("loadvm {SNAPSHOT}"));
        for (register, value) in self.unsaved.clone() {
            device(&mut self.devices, &format!("writel {register:#x} {value}"));
        }
        self.ask("g");
    }

    /// Stops before the instruction at this address, or no more.
    ///
    /// # Panics
    /// If the stub refuses.
    pub fn breakpoint(&mut self, at: u32, on: bool) {
        let kind = if on { 'Z' } else { 'z' };
        assert_eq!(self.ask(&format!("{kind}1,{at:x},2")), "OK");
    }

    /// Stops when something is written to this word, or no more.
    ///
    /// # Panics
    /// If the stub refuses.
    pub fn watch(&mut self, at: u32, on: bool) {
        let kind = if on { 'Z' } else { 'z' };
        assert_eq!(self.ask(&format!("{kind}2,{at:x},4")), "OK");
    }

    /// As [`Emulator::reset`]; it waits.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn reset(&mut self) {
        self.emulator.reset();
        self.ask("g");
    }

    /// Runs on until [`Debugger::halt`].
    ///
    /// # Panics
    /// If the stub is gone.
    pub fn resume(&mut self) {
        self.send("c");
    }

    /// Stops it.
    ///
    /// # Panics
    /// If the stub is gone.
    pub fn halt(&mut self) {
        self.stub.write_all(&[3]).expect("the stub");
        self.stopped(SOON);
    }

    /// Runs until a breakpoint, or until the time is over.
    ///
    /// # Panics
    /// If the stub is gone.
    pub fn go(&mut self, time: Duration) -> Stop {
        self.send("c");
        self.stopped(time)
    }

    /// The addresses of all instructions that are executed until `act` is done, which lets it run.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn trace(&mut self, act: impl FnOnce(&mut Self)) -> BTreeSet<u32> {
        let log = self.emulator.dir.path().join("log");
        let _ = fs::remove_file(&log);
        self.emulator.monitor(&format!("logfile {}", log.display()));
        self.emulator.monitor("log in_asm");
        // What is translated is in the log, in blocks that are executed whole. A breakpoint makes QEMU forget what it has
        // translated before.
        for on in [true, false] {
            self.breakpoint(self.emulator.machine.ram.0, on);
        }
        act(self);
        self.emulator.monitor("log none");
        let log = fs::read_to_string(&log).expect("QEMU writes its log");
        let line = |line: &str| u32::from_str_radix(line.strip_prefix("0x")?.get(..8)?, 16).ok();
        log.lines().filter_map(line).collect()
    }

    fn stopped(&mut self, time: Duration) -> Stop {
        self.stub.set_read_timeout(Some(time)).expect("a socket");
        let mut answer = self.packet();
        let late = answer.is_none();
        // QEMU itself may have to wait for a processor longer than that.
        self.stub.set_read_timeout(Some(SOON)).expect("a socket");
        if late && self.stub.write_all(&[3]).is_ok() {
            answer = self.packet();
        }
        let Some(answer) = answer else {
            return Stop::Never;
        };
        assert!(
            answer.starts_with('T') || answer.starts_with('S'),
            "{answer}"
        );
        if late {
            return Stop::Late;
        }
        Stop::At(self.pc())
    }

    /// Where it has stopped.
    ///
    /// # Panics
    /// If the stub is gone.
    pub fn pc(&mut self) -> u32 {
        let registers = self.ask("g");
        let pc = u32::from_str_radix(&registers[15 * 8..16 * 8], 16).expect("a register");
        pc.swap_bytes()
    }

    fn ask(&mut self, command: &str) -> String {
        self.send(command);
        loop {
            let answer = self.packet().expect("the stub answers");
            // Snapshots are said to stop it too.
            if !answer.starts_with('T') {
                return answer;
            }
        }
    }

    fn send(&mut self, command: &str) {
        let sum = command.bytes().fold(0_u8, u8::wrapping_add);
        let packet = format!("${command}#{sum:02x}");
        self.stub.write_all(packet.as_bytes()).expect("the stub");
    }

    /// The next packet, acknowledged; nothing in time.
    fn packet(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut byte = [0];
        let mut left = None;
        while left != Some(0) {
            match self.stub.read(&mut byte) {
                Ok(1) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return None;
                }
                // It may have ended: QEMU does with a processor that locks up.
                _ => return None,
            }
            match (left, byte[0]) {
                (Some(digits), _) => left = Some(digits - 1),
                (None, b'#') => left = Some(2),
                (None, b'$') => text.clear(),
                (None, byte) => text.push(char::from(byte)),
            }
        }
        // An answer to that is not needed.
        let _ = self.stub.write_all(b"+");
        Some(text)
    }
}

/// What QEMU says to a command for its devices, behind its `OK`.
fn device(devices: &mut BufReader<UnixStream>, command: &str) -> String {
    let written = writeln!(devices.get_mut(), "{command}");
    written.expect("QEMU takes it");
    let mut line = String::new();
    devices.read_line(&mut line).expect("QEMU answers");
    let value = line.trim().strip_prefix("OK");
    let value = value.unwrap_or_else(|| panic!("{command}: {line}"));
    value.trim().to_owned()
}
