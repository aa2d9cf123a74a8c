//! A Redis, or Valkey where the machine has one, that keeps nothing on disk.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    /// On loopback.
    pub port: u16,
    process: Child,
}

impl RedisServer {
    /// Starts one on that port, with these options beside.
    ///
    /// # Panics
    /// If there is none, or it does not answer.
    pub fn start(port: u16, options: &[&str]) -> Self {
        let names = ["valkey-server", "redis-server"];
        let process = names.iter().find_map(|name| {
            Command::new(name)
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--save", "", "--appendonly", "no"])
                .args(options)
                .stdout(Stdio::null())
                .spawn()
                .ok()
        });
        let process = process.expect("redis-server, which cargo xtask setup installs");
        let server = Self { port, process };
        let start = Instant::now();
        // It takes connections before it has loaded what it kept.
        while !server.is_ready() {
            let is_early = start.elapsed() < Duration::from_secs(120);
            assert!(is_early, "a server that never is ready");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn is_ready(&self) -> bool {
        let asked = || -> io::Result<bool> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer)?;
            Ok(&answer == b"+PONG")
        };
        asked().unwrap_or_default()
    }

    /// What it answers to a command in that database, as it writes it.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn ask(&self, database: u32, command: &str) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.port));
        let mut stream = stream.expect("a server that listens");
        let commands = format!("SELECT {database}\r\n{command}\r\nQUIT\r\n");
        stream.write_all(commands.as_bytes()).expect("it reads");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).expect("it answers");
        let answer = answers.strip_prefix("+OK\r\n");
        let answer = answer.and_then(|answer| answer.strip_suffix("+OK\r\n"));
        answer.expect("it selects, answers and ends").to_owned()
    }

    /// Ends it as a power cut does; its port.
    ///
    /// # Panics
    /// If the system does not let it be killed.
    pub fn kill(mut self) -> u16 {
        self.process.kill().expect("a process of one's own");
        self.process.wait().expect("a process of one's own");
        self.port
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that was free a moment ago, for servers that cannot say which one they chose.
///
/// # Panics
/// Without loopback.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("loopback").port()
}

/// Waits until somebody listens there.
///
/// # Panics
/// After two minutes.
pub fn wait_for(address: SocketAddr) {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        let is_early = start.elapsed() < Duration::from_secs(120);
        assert!(is_early, "nobody answers at {address}");
        thread::sleep(Duration::from_millis(20));
    }
}
