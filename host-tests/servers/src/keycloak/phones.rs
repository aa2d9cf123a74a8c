//! The phones of the persons that Keycloak asks (CIBA): where it would send a notification to a device, it
//! asks this server, its "authentication channel", and the person answers as the test has said beforehand.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::admin;
use crate::bad_server::read_request;
use privyseal_test_judges::decode::Parts;

/// Keycloak keeps what it has asked only after it was told that the question has arrived.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Confirms.
    Confirm,
    /// Says no.
    Refuse,
    /// Puts the question away.
    Cancel,
    /// Does not look.
    Nothing,
}

/// A server on loopback. It ends with the program.
#[derive(Debug)]
pub struct Phones {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ca_pem: String,
    /// By issuer: each test has a realm of its own.
    decisions: Mutex<HashMap<String, Decision>>,
    asked: Mutex<Vec<(String, Value)>>,
}

impl Phones {
    /// Starts the server. Keycloak, which it answers, has that certificate.
    pub(super) fn start(ca_pem: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("loopback").port();
        let shared = Arc::new(Shared {
            ca_pem: ca_pem.to_owned(),
            decisions: Mutex::default(),
            asked: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = Arc::clone(&served);
                thread::spawn(move || served.take(stream));
            }
        });
        Self { port, shared }
    }

    /// Where Keycloak asks.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/asked", self.port)
    }

    /// What everybody of that issuer does from now on; at first it is nothing.
    ///
    /// # Panics
    /// Never: no lock is held across a panic.
    pub fn decide(&self, issuer: &str, decision: Decision) {
        let mut decisions = self.shared.decisions.lock().expect("no panic");
        decisions.insert(issuer.to_owned(), decision);
    }

    /// What the persons of that issuer were asked, as Keycloak put it.
    ///
    /// # Panics
    /// Never: no lock is held across a panic.
    pub fn asked(&self, issuer: &str) -> Vec<Value> {
        let asked = self.shared.asked.lock().expect("no panic");
        let of_issuer = asked.iter().filter(|(by, _)| by == issuer);
        of_issuer.map(|(_, question)| question.clone()).collect()
    }
}

impl Shared {
    /// Takes a question, and has it answered. Who breaks off has asked nothing.
    fn take(&self, mut stream: TcpStream) {
        let taken = self.question(&mut stream);
        if let Ok((bearer, issuer, decision)) = taken
            && decision != Decision::Nothing
        {
            self.answer(&bearer, &issuer, decision);
        }
    }

    fn question(&self, stream: &mut TcpStream) -> io::Result<(String, String, Decision)> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = read_request(stream)?;
        let (head, body) = request
            .split_once("\r\n\r\n")
            .ok_or(io::ErrorKind::InvalidData)?;
        let bearer = head
            .lines()
            .filter_map(|line| line.split_once(": Bearer "))
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, token)| token.trim().to_owned())
            .ok_or(io::ErrorKind::InvalidData)?;
        let issuer = Parts::of(&bearer).claims()["iss"]
            .as_str()
            .map(str::to_owned);
        let issuer = issuer.ok_or(io::ErrorKind::InvalidData)?;
        let question = serde_json::from_str(body)?;
        let mut asked = self.asked.lock().expect("no panic");
        asked.push((issuer.clone(), question));
        drop(asked);
        let decisions = self.decisions.lock().expect("no panic");
        let decision = decisions.get(&issuer).copied();
        drop(decisions);
        write!(
            stream,
            "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )?;
        Ok((bearer, issuer, decision.unwrap_or(Decision::Nothing)))
    }

    fn answer(&self, bearer: &str, issuer: &str, decision: Decision) {
        let status = match decision {
            Decision::Confirm => "SUCCEED",
            Decision::Refuse => "UNAUTHORIZED",
            Decision::Cancel | Decision::Nothing => "CANCELLED",
        };
        let url = format!("{issuer}/protocol/openid-connect/ext/ciba/auth/callback");
        let body = json!({ "status": status }).to_string();
        let agent = admin::agent(&self.ca_pem, 0);
        let end = Instant::now() + PATIENCE;
        loop {
            let sent = agent
                .post(&url)
                .header("Authorization", &format!("Bearer {bearer}"))
                .header("Content-Type", "application/json")
                .send(&body);
            match sent.map(|answer| answer.status().as_u16()) {
                // Keycloak knows the question only a moment after it was taken here.
                Ok(403) if Instant::now() < end => thread::sleep(Duration::from_millis(100)),
                // Whatever else it is, the client's flow shows it.
                _ => return,
            }
        }
    }
}
