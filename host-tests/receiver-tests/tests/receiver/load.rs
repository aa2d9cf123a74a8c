//! Load: 64 connections, a tenth of what comes wrong in a known way. By `cargo xtask bench receiver --load` for ten minutes;
//! here for long enough to see a wrong verdict.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use privyseal_test_pki::pem_chain;
use serde_json::{Value, json};

use crate::command::{CUSTOMER, FIAM, Served, claims, token_request};
use crate::stage::World;

const CONNECTIONS: usize = 64;

/// A token request of a number, and the rule that it breaks: each tenth is wrong, in one of five ways.
fn numbered(world: &World, stranger: &World, number: usize) -> (String, Option<&'static str>) {
    let mut claims = claims(CUSTOMER, FIAM);
    claims["nbf"] = claims["iat"].clone();
    let by_world = |claims: &Value| token_request(&world.sign(&world.header(), claims));
    match (number % 10, number / 10 % 5) {
        (9, 0) => {
            for name in ["iat", "nbf", "exp"] {
                claims[name] = json!(claims[name].as_u64().unwrap() - 60);
            }
            (by_world(&claims), Some("time-not-expired"))
        }
        (9, 1) => {
            claims["aud"] = json!("EU.EORI.NL000000009");
            (by_world(&claims), Some("claim-aud"))
        }
        (9, 2) => {
            let forged = stranger.sign(&world.header(), &claims);
            (token_request(&forged), Some("signature"))
        }
        (9, 3) => {
            let foreign = stranger.sign(&stranger.header(), &claims);
            (token_request(&foreign), Some("party-status"))
        }
        (9, _) => {
            let twice = by_world(&claims) + "&client_assertion_type=x";
            (twice, Some("token-request"))
        }
        _ => (by_world(&claims), None),
    }
}

/// A connection that stays, as clients keep theirs.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let limit = Some(Duration::from_secs(120));
        stream.set_read_timeout(limit).unwrap();
        Self(BufReader::new(stream))
    }

    fn post(&mut self, body: &str) -> (u16, Value) {
        let head = format!(
            "POST /v1/accept HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0
            .get_mut()
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
        let (mut status, mut len) = (0, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(text) = line.strip_prefix("content-length: ") {
                len = text.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; len];
        self.0.read_exact(&mut body).unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// Kilobytes that the process has in memory.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[test]
fn sixty_four_connections_of_which_a_tenth_is_wrong_get_no_wrong_verdict() {
    let seconds = std::env::var("PRIVYSEAL_LOAD_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().unwrap());
    let world = World::new();
    // Another key, under the same CA, that nobody registered.
    let key = privyseal_test_pki::test_key("registry", 2048);
    let stranger = World {
        chain: world.pki.seal_chain(&key),
        key,
        ..World::new()
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "root.pem",
        &pem_chain(&world.chain[world.chain.len() - 1..]),
    );
    write("seal.pem", &pem_chain(&world.chain[..1]));
    write(
        "clients.toml",
        &format!("[client.\"{CUSTOMER}\"]\ncertificates = [\"seal.pem\"]\n"),
    );
    let server = Served::of_clients(folder.path(), &["--scheme", "fiam", "--trust", "root.pem"]);
    let warm = || {
        let mut claims = claims(CUSTOMER, FIAM);
        claims["nbf"] = claims["iat"].clone();
        world.sign(&world.header(), &claims)
    };
    assert_eq!(server.accepts("/oauth/token", warm), Ok(()));

    let start = Instant::now();
    let ends = |number: usize| match seconds {
        Some(seconds) => start.elapsed() >= Duration::from_secs(seconds),
        None => number >= 20,
    };
    let outcomes = Mutex::new(BTreeMap::<String, usize>::new());
    let times = Mutex::new(Vec::new());
    let memory = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (outcomes, times, memory) = (&outcomes, &times, &memory);
            let (world, stranger) = (&world, &stranger);
            let (process, address) = (server.id(), server.internal);
            scope.spawn(move || {
                let mut stream = Connection::open(address);
                for number in 0.. {
                    if ends(number) {
                        break;
                    }
                    let (body, rule) = numbered(world, stranger, number + connection);
                    let sent = Instant::now();
                    let (came, answer) = stream.post(&body);
                    let time = sent.elapsed();
                    times.lock().unwrap().push(time);
                    // On a machine that is too busy an assertion may come too late.
                    if time > Duration::from_secs(20) && answer["rule"] == "time-not-expired" {
                        continue;
                    }
                    let is_right = match rule {
                        None => came == 200 && answer["client_id"] == CUSTOMER,
                        Some(rule) => came == 400 && answer["rule"] == rule,
                    };
                    let verdict = if is_right {
                        rule.unwrap_or("accepted").to_owned()
                    } else {
                        format!("WRONG, for {rule:?}: {came} {answer}")
                    };
                    *outcomes.lock().unwrap().entry(verdict).or_default() += 1;
                    if connection == 0 {
                        memory.lock().unwrap().push(resident(process));
                    }
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    assert!(
        !outcomes.keys().any(|verdict| verdict.starts_with("WRONG")),
        "{outcomes:?}"
    );
    assert_eq!(outcomes.len(), 6, "{outcomes:?}");
    let (mut times, memory) = (times.into_inner().unwrap(), memory.into_inner().unwrap());
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 1000];
    println!(
        "{outcomes:?} in {:?}; p50 {:?}, p99 {:?}, longest {:?}",
        start.elapsed(),
        at(500),
        at(990),
        at(1000)
    );
    let resident = |tenth: usize| memory[(memory.len() - 1) * tenth / 10];
    let shown = [0, 1, 3, 5, 8, 10].map(|tenth| format!("{tenth}: {} kB", resident(tenth)));
    println!("resident after tenths of the time: {}", shown.join(", "));
    let (early, late) = (resident(1), resident(10));
    // What was accepted is remembered for 30 s, at 100 bytes each: of what a leak would be there is nothing.
    let remembered = u64::try_from(times.len()).unwrap().min(100_000) / 4;
    assert!(
        late < early + 16 * 1024 + remembered,
        "{early} kB, then {late} kB"
    );
}
