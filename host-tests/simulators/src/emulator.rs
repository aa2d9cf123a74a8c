//! QEMU with an image of the gateway: its serial line on a unix socket, its machine under control.
//!
//! It ends with the value, also when a test fails, and by itself after a time, also when the test is
//! killed.

mod debugger;

use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::firmware;
use privyseal_test_base::scratch::cache_dir;

pub use debugger::{Debugger, Fault, Stop};

/// Longer than any test here takes, also on a machine that does much else.
const LIFE_SECONDS: &str = "900";
/// An instruction is 128 ns of the board's time, and the console is QEMU's.
const COUNTING: [&str; 4] = [
    "-icount",
    "shift=7",
    "-semihosting-config",
    "enable=on,target=native",
];
/// For whatever should happen at once.
const SOON: Duration = Duration::from_secs(30);

/// A board, as QEMU has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// QEMU's name.
    pub name: &'static str,
    /// The gateway's image for it.
    pub image: &'static str,
    /// Where its RAM begins, and how much of it there is, but for what is in the place of flash.
    pub ram: (u32, u32),
    /// The same for the RAM that is in the place of flash.
    pub flash: (u32, u32),
    /// Registers of its serial port that QEMU has in no snapshot.
    pub unsaved: &'static [u32],
}

/// The STM32F405.
pub const STM32F405: Machine = Machine {
    name: "netduinoplus2",
    image: "stm32f405-qemu",
    ram: (0x2000_0000, 0x1_c000),
    flash: (0x2001_c000, 0x1_4000),
    // Speed and interrupt.
    unsaved: &[0x4001_1008, 0x4001_100c],
};

/// Arm's MPS2 board with a Cortex-M4F, and the RAM that the gateway uses of it.
pub const AN386: Machine = Machine {
    name: "mps2-an386",
    image: "mps2-an386",
    ram: (0x2000_0000, 0x10_0000),
    flash: (0x2100_0000, 0x2_2000),
    unsaved: &[],
};

/// A running emulator.
#[derive(Debug)]
pub struct Emulator {
    machine: Machine,
    child: Child,
    control: BufReader<UnixStream>,
    console: Option<Receiver<String>>,
    dir: TempDir,
}

impl Emulator {
    /// The gateway on a board.
    ///
    /// # Panics
    /// If the image cannot be built or QEMU does not start.
    pub fn gateway(machine: Machine) -> Self {
        let emulator = Self::stopped(machine, machine.image);
        emulator.running()
    }

    /// Another image on a board; nothing runs before [`Emulator::running`].
    ///
    /// # Panics
    /// As for [`Emulator::gateway`].
    pub fn stopped(machine: Machine, image: &str) -> Self {
        Self::start(machine, image, &[])
    }

    /// Another image, whose instructions are 128 ns of the board's time each, and whose console is read.
    ///
    /// # Panics
    /// As for [`Emulator::gateway`].
    pub fn counting(machine: Machine, image: &str) -> Self {
        Self::start(machine, image, &COUNTING).running()
    }

    /// The same, watched by a plugin of QEMU, which is given as `FILE,NAME=VALUE`.
    ///
    /// # Panics
    /// As for [`Emulator::gateway`].
    pub fn watched(machine: Machine, image: &str, plugin: &str) -> Self {
        let words = [&COUNTING[..], &["-plugin", plugin]].concat();
        Self::start(machine, image, &words).running()
    }

    fn start(machine: Machine, image: &str, words: &[&str]) -> Self {
        let image = firmware::image(image);
        let dir = tempfile::Builder::new()
            .prefix("qemu-")
            .tempdir_in(cache_dir("tmp"))
            .expect("target/ can be written");
        let socket = |name: &str| format!("unix:{},server,nowait", dir.path().join(name).display());
        let mut child = Command::new("timeout")
            .args(["--signal=KILL", LIFE_SECONDS, "qemu-system-arm", "-S"])
            .args(["-machine", machine.name, "-nographic", "-monitor", "none"])
            .args(["-serial", &socket("line"), "-qmp", &socket("control")])
            .arg("-kernel")
            .arg(image)
            .args(words)
            // Where sockets without a folder are.
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start QEMU ({error}): run `cargo xtask setup`"));
        let console = child.stdout.take().map(lines);
        let control = BufReader::new(connect(&dir.path().join("control")));
        let mut emulator = Self {
            machine,
            child,
            control,
            console,
            dir,
        };
        emulator.answer();
        emulator.command("qmp_capabilities", &json!({}));
        emulator
    }

    /// Lets it run.
    ///
    /// # Panics
    /// If QEMU is gone.
    #[must_use]
    pub fn running(mut self) -> Self {
        self.command("cont", &json!({}));
        self
    }

    /// The board.
    pub const fn machine(&self) -> Machine {
        self.machine
    }

    /// The socket of the serial line.
    pub fn line(&self) -> PathBuf {
        self.dir.path().join("line")
    }

    /// Connects to the serial line. QEMU talks to one at a time.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn connect(&self) -> UnixStream {
        let line = connect(&self.line());
        line.set_read_timeout(Some(SOON)).expect("a socket");
        line
    }

    /// The next line that the image writes to its console.
    ///
    /// # Panics
    /// If none comes.
    pub fn said(&self) -> String {
        let console = self.console.as_ref().expect("a console");
        console.recv_timeout(SOON).expect("a line on the console")
    }

    /// A reset of the machine, as by its button. RAM keeps its content.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn reset(&mut self) {
        self.command("system_reset", &json!({}));
    }

    /// What is in its RAM now.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn memory(&mut self) -> Vec<u8> {
        let (start, size) = self.machine.ram;
        self.memory_at(start, size)
    }

    /// The same, and behind it what is in the place of flash.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn memory_and_flash(&mut self) -> Vec<u8> {
        let (start, size) = self.machine.flash;
        [self.memory(), self.memory_at(start, size)].concat()
    }

    /// What lies from an address on.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn memory_at(&mut self, start: u32, size: u32) -> Vec<u8> {
        let file = self.dir.path().join("memory");
        let wish = json!({ "val": start, "size": size, "filename": file.to_str() });
        self.command("pmemsave", &wish);
        std::fs::read(&file).expect("QEMU wrote the memory")
    }

    /// Whether the program could read there now, where its memory protection says.
    ///
    /// # Panics
    /// If QEMU is gone.
    pub fn is_readable(&mut self, address: u32) -> bool {
        let line = format!("x /1wx {address}");
        let said = self.command("human-monitor-command", &json!({ "command-line": line }));
        !said.to_string().contains("Cannot access memory")
    }

    /// A command of QEMU's human monitor.
    fn monitor(&mut self, line: &str) {
        let said = self.command("human-monitor-command", &json!({ "command-line": line }));
        assert_eq!(said, json!(""), "{line}");
    }

    fn command(&mut self, name: &str, arguments: &Value) -> Value {
        let wish = json!({ "execute": name, "arguments": arguments }).to_string();
        let sent = self.control.get_mut().write_all(wish.as_bytes());
        sent.unwrap_or_else(|error| panic!("QEMU is gone: {error}"));
        loop {
            // Events come in between.
            let answer = self.answer();
            if let Some(result) = answer.get("return") {
                return result.clone();
            }
            assert!(answer.get("error").is_none(), "{name}: {answer}");
        }
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        let read = self.control.read_line(&mut line);
        assert!(read.is_ok_and(|len| len > 0), "QEMU is gone");
        serde_json::from_str(&line).expect("QEMU answers with JSON")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // `timeout` passes no KILL on, but TERM; one that has ended is fine too.
        let _ = self.control.get_mut().write_all(br#"{"execute":"quit"}"#);
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && !matches!(self.child.try_wait(), Ok(Some(_))) {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until a text has come.
///
/// # Panics
/// If it does not come in time.
pub fn expect(line: &mut UnixStream, text: &[u8]) {
    let mut came = Vec::new();
    let mut byte = [0];
    while !came.ends_with(text) {
        let read = line.read_exact(&mut byte);
        assert!(
            read.is_ok(),
            "{read:?} after {:?}, not {:?}",
            String::from_utf8_lossy(&came),
            String::from_utf8_lossy(text)
        );
        came.extend(byte);
    }
}

/// Whether nothing comes for that time.
///
/// # Panics
/// If the socket is no socket.
pub fn is_silent(line: &mut UnixStream, time: Duration) -> bool {
    line.set_read_timeout(Some(time)).expect("a socket");
    // Unlike `read` it is begun again when the process was stopped and goes on.
    let outcome = line.read_exact(&mut [0]);
    line.set_read_timeout(Some(SOON)).expect("a socket");
    outcome.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// The lines of a stream, read on a thread of their own: it ends with the stream.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// As soon as it is there.
fn connect(path: &Path) -> UnixStream {
    let end = Instant::now() + SOON;
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < end, "{}: {error}", path.display()),
        }
        thread::sleep(Duration::from_millis(5));
    }
}
