//! A plain HTTP server on loopback, which answers as a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

type Answer = dyn Fn(&str, &[u8], &mut TcpStream) + Send;

pub(crate) struct Server {
    pub(crate) url: String,
    answer: Arc<Mutex<Box<Answer>>>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// It ends with the process.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer: Arc<Mutex<Box<Answer>>> = Arc::new(Mutex::new(Box::new(|_, _, _| {})));
        let requests = Arc::new(AtomicUsize::new(0));
        let (for_thread, count) = (Arc::clone(&answer), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let Some((path, body)) = read(&stream) else {
                    continue;
                };
                count.fetch_add(1, Ordering::SeqCst);
                for_thread.lock().unwrap()(&path, &body, &mut stream);
            }
        });
        Self {
            url,
            answer,
            requests,
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// From now on answers so: with the path, the body, and where to write.
    pub(crate) fn answers_by(&self, answer: impl Fn(&str, &[u8], &mut TcpStream) + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    /// From now on answers 200 with this body.
    pub(crate) fn answers(&self, body: Vec<u8>) {
        self.answers_by(move |_, _, stream| ok(stream, &body));
    }
}

pub(crate) fn ok(stream: &mut TcpStream, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

fn read(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        head.push(core::mem::take(&mut line));
    }
    let path = head.first()?.split(' ').nth(1)?.to_owned();
    let len = head.iter().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")
            .map(|len| len.trim().parse().ok())
    });
    let mut body = vec![0; len.flatten().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}
