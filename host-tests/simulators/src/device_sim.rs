//! A simulated gateway: the firmware's own code on a board without hardware, in a thread, behind a Unix
//! socket that stands for its serial line.
//!
//! ```no_run
//! # use privyseal_test_simulators::device_sim::{DeviceSim, Options};
//! let device = DeviceSim::start(Options::default());
//! println!("privyseal device info --key device:unix:{}", device.socket().display());
//! ```
//!
//! One host at a time: when a connection ends the next one is served, by the same device. Its flash is in
//! memory; [`DeviceSim::restart`] switches it off and on again.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use embedded_io::{ErrorType, Read, ReadReady, Write};
use privyseal_firmware_app::Device;
use privyseal_firmware_app::fake::{Button, Entropy, FakeBoard, Memory, Time};
use privyseal_protocol::DeviceId;

/// How long the device rests when nothing comes.
const REST: Duration = Duration::from_millis(1);

/// Stack of the device's thread; unoptimised code takes more than a microcontroller's.
const STACK: usize = 16 * 1024 * 1024;

/// What a simulated device has.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its id.
    pub device: DeviceId,
    /// What its flash holds at the start.
    pub memory: Memory,
    /// Whether it has a random generator (which anyone can foresee).
    pub entropy: bool,
    /// What its button shows, look by look, if it has one; `true` is pressed. The last state stays.
    pub button: Option<Vec<bool>>,
}

impl Default for Options {
    /// An empty device with a random generator and without a button.
    fn default() -> Self {
        Self {
            device: *b"simulated 01",
            memory: Memory::default(),
            entropy: true,
            button: None,
        }
    }
}

/// A running device. It stops when dropped.
#[derive(Debug)]
pub struct DeviceSim {
    folder: tempfile::TempDir,
    options: Options,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Memory>>,
}

impl DeviceSim {
    /// Starts a device; its socket is there when this returns.
    ///
    /// # Panics
    /// If the machine gives no socket or no thread.
    pub fn start(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a directory for the socket");
        let mut sim = Self {
            folder,
            options,
            stop: Arc::default(),
            thread: None,
        };
        sim.run();
        sim
    }

    /// The socket that stands for the serial line.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("device.sock")
    }

    /// Switches the device off, and gives what its flash holds.
    ///
    /// # Panics
    /// If the device's thread has panicked, which would be a defect of the firmware.
    pub fn switch_off(&mut self) -> Memory {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            self.options.memory = thread.join().expect("the device never panics");
        }
        self.options.memory.clone()
    }

    /// Switches the device off and on again.
    pub fn restart(&mut self) {
        self.switch_off();
        self.run();
    }

    /// Another device in its place.
    pub fn replace(&mut self, options: Options) {
        self.switch_off();
        self.options = options;
        self.run();
    }

    fn run(&mut self) {
        let socket = self.socket();
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).expect("a socket");
        listener
            .set_nonblocking(true)
            .expect("a socket that does not block");
        self.stop = Arc::default();
        let (stop, options) = (Arc::clone(&self.stop), self.options.clone());
        let thread = thread::Builder::new()
            .name("device".to_owned())
            .stack_size(STACK)
            .spawn(move || serve(&listener, options, &stop));
        self.thread = Some(thread.expect("a thread"));
    }
}

impl Drop for DeviceSim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A panic of the device fails the test that asks it something.
            let _ = thread.join();
        }
    }
}

/// Runs a device on a socket of one's own choice until `stop`: for a program around it.
///
/// # Panics
/// If there is no such socket.
pub fn serve_at(socket: &Path, options: Options, stop: &AtomicBool) -> Memory {
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket).expect("a socket");
    listener
        .set_nonblocking(true)
        .expect("a socket that does not block");
    serve(&listener, options, stop)
}

fn serve(listener: &UnixListener, options: Options, stop: &AtomicBool) -> Memory {
    let mut board = FakeBoard::new(SocketLine::default(), options.memory, Time::real());
    board.device = options.device;
    board.entropy = options.entropy.then(Entropy::default);
    board.button = options.button.as_deref().map(Button::new);
    let mut device = Box::new(Device::boot(board));
    while !stop.load(Ordering::SeqCst) {
        let line = &mut device.board().serial;
        if line.stream.is_none()
            && let Ok((stream, _)) = listener.accept()
        {
            *line = SocketLine::new(stream);
        }
        device.poll();
        thread::sleep(REST);
    }
    device.board().memory()
}

/// The device's end of the socket.
#[derive(Debug, Default)]
struct SocketLine {
    stream: Option<UnixStream>,
    /// Bytes that have come and were not yet read.
    waiting: Vec<u8>,
}

impl SocketLine {
    fn new(stream: UnixStream) -> Self {
        let ready = stream.set_nonblocking(false).is_ok()
            && stream
                .set_read_timeout(Some(Duration::from_millis(1)))
                .is_ok()
            && stream
                .set_write_timeout(Some(Duration::from_secs(10)))
                .is_ok();
        Self {
            stream: ready.then_some(stream),
            waiting: Vec::new(),
        }
    }
}

impl ErrorType for SocketLine {
    type Error = embedded_io::ErrorKind;
}

impl ReadReady for SocketLine {
    fn read_ready(&mut self) -> Result<bool, embedded_io::ErrorKind> {
        if self.waiting.is_empty()
            && let Some(stream) = &mut self.stream
        {
            let mut bytes = [0; 1024];
            match stream.read(&mut bytes) {
                Ok(0) => self.stream = None,
                Ok(len) => self.waiting.extend_from_slice(&bytes[..len]),
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(_) => self.stream = None,
            }
        }
        Ok(!self.waiting.is_empty())
    }
}

impl Read for SocketLine {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, embedded_io::ErrorKind> {
        let len = bytes.len().min(self.waiting.len());
        for (to, from) in bytes.iter_mut().zip(self.waiting.drain(..len)) {
            *to = from;
        }
        Ok(len)
    }
}

impl Write for SocketLine {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, embedded_io::ErrorKind> {
        let gone = embedded_io::ErrorKind::BrokenPipe;
        let stream = self.stream.as_mut().ok_or(gone)?;
        if stream.write_all(bytes).is_err() {
            self.stream = None;
            return Err(gone);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), embedded_io::ErrorKind> {
        Ok(())
    }
}
