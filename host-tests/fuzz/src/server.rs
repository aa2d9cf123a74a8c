//! A server on loopback that answers each request with the bytes that it is told, and hangs up.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// It runs as long as the process.
pub struct Server {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    /// On a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            answer: Arc::default(),
        };
        let answer = Arc::clone(&server.answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let bytes = answer.lock().expect("no panic").clone();
                // Whoever asked may have hung up.
                let _ = converse(stream, &bytes);
            }
        });
        server
    }

    /// What it answers from now on.
    pub fn answer_with(&self, bytes: Vec<u8>) {
        *self.answer.lock().expect("no panic") = bytes;
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn converse(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    // What was not read would turn the end of the answer into a reset.
    let mut request = [0; 16 * 1024];
    let _ = stream.read(&mut request)?;
    stream.write_all(answer)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    while stream.read(&mut request)? > 0 {}
    Ok(())
}
