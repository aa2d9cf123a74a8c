//! A YubiHSM 2 behind a connector, on loopback, in memory. **For tests only.**
//!
//! It speaks what a `yubihsm-connector` speaks over HTTP and what a device speaks inside: SCP03 sessions,
//! objects with capabilities and domains, RSA keys, certificates, the log with its digest chain and
//! force-audit. It shares no code with the `yubihsm` crate that it is there to test; the wire format is
//! from Yubico's documentation and from their Python client, which in turn judges it.
//!
//! Told to ([`YubihsmSim::arm`]), it misbehaves once or always: see [`Misbehaviour`].
//!
//! What it does not do: USB, timing, wrap keys, any algorithm but RSA, the extensions of a real attestation
//! certificate.

mod attestation;
mod capability;
mod command;
mod device;
mod http;
mod keys;
mod log;
mod misbehaviour;
mod object;
mod options;
mod scp03;
mod session;
mod wire;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use misbehaviour::Misbehaviour;
pub use wire::Cmd;

use device::Device;
use misbehaviour::Armed;
use privyseal_test_pki::{TestKey, TestPki, test_key};

/// The password of the factory's authentication key, number 1, which may do everything.
pub const FACTORY_PASSWORD: &str = "password";

/// The key of [`YubihsmSim::with_seal`].
pub const SEAL_KEY: u16 = 100;

/// The first certificate of [`YubihsmSim::with_seal`].
pub const SEAL_CHAIN: u16 = 101;

/// The label of both.
pub const SEAL_LABEL: &str = "eSeal";

/// A running simulator. It stops when dropped.
#[derive(Debug)]
pub struct YubihsmSim {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the threads of a simulator share.
#[derive(Debug)]
struct Shared {
    device: Mutex<Device>,
    armed: Mutex<Vec<Armed>>,
    stop: AtomicBool,
    /// To end them when the simulator stops.
    connections: Mutex<Vec<TcpStream>>,
}

impl YubihsmSim {
    /// Starts one fresh from the factory. An idle session ends after 30 s.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub fn start() -> Self {
        Self::with_idle(Duration::from_secs(30))
    }

    /// Starts one whose sessions end after `idle` without a command.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub fn with_idle(idle: Duration) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            device: Mutex::new(Device::from_factory(idle)),
            armed: Mutex::default(),
            stop: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || http::accept(&listener, &shared)
        });
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// As [`YubihsmSim::with_idle`], with a key under [`SEAL_KEY`] and its chain (DER, leaf first) from
    /// [`SEAL_CHAIN`] upwards, both labelled [`SEAL_LABEL`]; gives the two beside it.
    ///
    /// # Panics
    /// As [`YubihsmSim::with_idle`].
    pub fn with_seal(idle: Duration) -> (Self, TestKey, Vec<Vec<u8>>) {
        let key = test_key("seal", 2048);
        let chain = TestPki::new().seal_chain(&key);
        let sim = Self::with_idle(idle);
        sim.import_key(SEAL_KEY, SEAL_LABEL, &key);
        sim.store_certificates(SEAL_CHAIN, SEAL_LABEL, &chain);
        (sim, key, chain)
    }

    /// From now on it is of firmware 2.2.0, whose messages are shorter.
    pub fn make_older(&self) {
        lock(&self.shared.device).firmware = [2, 2, 0];
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A key reference to it: `path` is what follows the port, as `auth-key=1;key-id=100`.
    pub fn uri(&self, path: &str) -> String {
        format!("yubihsm:host=127.0.0.1;port={};{path}", self.port())
    }

    /// Misbehaves at the next `times` occurrences of `command`.
    pub fn arm(&self, what: Misbehaviour, command: Cmd, times: u32) {
        lock(&self.shared.armed).push(Armed {
            what,
            command,
            times,
        });
    }

    /// Behaves again. Gives how many misbehaviours never had their occasion.
    pub fn disarm(&self) -> usize {
        let mut armed = lock(&self.shared.armed);
        let left = armed.iter().filter(|it| it.times > 0).count();
        armed.clear();
        left
    }

    /// Imports `key` in domain 1 with the capability to sign with PKCS #1, as `put asymmetric` does.
    ///
    /// # Panics
    /// If the id is taken.
    pub fn import_key(&self, id: u16, label: &str, key: &TestKey) {
        lock(&self.shared.device).import(id, label, key);
    }

    /// As [`YubihsmSim::import_key`], for decryption.
    ///
    /// # Panics
    /// Likewise.
    pub fn import_decryption_key(&self, id: u16, key: &TestKey) {
        lock(&self.shared.device).import_for(id, "decryption", capability::DECRYPT_OAEP, key);
    }

    /// Stores certificates in opaque objects from `first` on, in domain 1.
    ///
    /// # Panics
    /// If an id is taken.
    pub fn store_certificates(&self, first: u16, label: &str, certificates: &[Vec<u8>]) {
        for (id, der) in (first..).zip(certificates) {
            lock(&self.shared.device).store_opaque(id, label, der.clone());
        }
    }

    /// Adds an authentication key in domain 1 with these capabilities (bits as Yubico numbers them).
    ///
    /// # Panics
    /// If the id is taken.
    pub fn add_auth_key(&self, id: u16, password: &str, capabilities: u64) {
        lock(&self.shared.device).add_auth_key(id, password, capabilities, 1);
    }

    /// Takes the capability to sign from a key or an authentication key, as if another had replaced it.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn revoke_sign(&self, id: u16) {
        lock(&self.shared.device).revoke_sign(id);
    }

    /// Deletes an asymmetric key.
    pub fn delete_key(&self, id: u16) {
        lock(&self.shared.device).delete_asymmetric(id);
    }

    /// Replaces an asymmetric key by another of the same id.
    pub fn replace_key(&self, id: u16, label: &str, key: &TestKey) {
        let mut device = lock(&self.shared.device);
        device.delete_asymmetric(id);
        device.import(id, label, key);
    }

    /// Signatures that were made, whether or not the answer arrived.
    pub fn signatures(&self) -> u64 {
        lock(&self.shared.device).signatures
    }

    /// Sessions that are open now.
    pub fn open_sessions(&self) -> usize {
        lock(&self.shared.device).open_sessions()
    }

    /// Sessions that were ever opened.
    pub fn sessions_opened(&self) -> u64 {
        lock(&self.shared.device).sessions_opened()
    }

    /// Drops every session, as a device does that was unplugged for a moment.
    pub fn drop_sessions(&self) {
        lock(&self.shared.device).drop_sessions();
    }

    /// Switches force-audit on or off.
    pub fn force_audit(&self, on: bool) {
        lock(&self.shared.device).force_audit(on);
    }

    /// Fills the log with entries of a command by nobody.
    pub fn fill_log(&self) {
        lock(&self.shared.device).fill_log();
    }
}

impl Drop for YubihsmSim {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        for connection in lock(&self.shared.connections).drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// A panic of one connection's thread must not hide what the test is about.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
