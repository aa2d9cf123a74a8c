//! Where a client publishes its keys: a JWK Set over plain HTTP on loopback, that can be changed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A server of one document. It ends with the program.
#[derive(Debug)]
pub struct JwksServer {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    document: String,
    asked: usize,
}

impl JwksServer {
    /// Serves `document` on a free port.
    ///
    /// # Panics
    /// If there is no loopback.
    pub fn start(document: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("loopback").port();
        let state = Arc::new(Mutex::new(State {
            document: document.to_owned(),
            asked: 0,
        }));
        let served = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Whoever breaks off gets nothing.
                let _ = answer(stream, &served);
            }
        });
        Self { port, state }
    }

    /// What a `jwks_uri` is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks", self.port)
    }

    /// Publishes another document.
    ///
    /// # Panics
    /// Never: no lock is held across a panic.
    pub fn publish(&self, document: &str) {
        let mut state = self.state.lock().expect("no panic");
        document.clone_into(&mut state.document);
    }

    /// How often it was asked.
    ///
    /// # Panics
    /// Never: no lock is held across a panic.
    pub fn asked(&self) -> usize {
        self.state.lock().expect("no panic").asked
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let head = BufReader::new(stream.try_clone()?).lines();
    for line in head {
        if line?.is_empty() {
            break;
        }
    }
    let document = {
        let mut state = state.lock().expect("no panic");
        state.asked += 1;
        state.document.clone()
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/jwk-set+json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{document}",
        document.len()
    )
}
