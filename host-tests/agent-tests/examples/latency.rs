//! What does asking an agent cost above the signature itself?
//!
//! ```text
//! latency PRIVYSEAL KEY-URI FOLDER
//! ```
//!
//! Bare signatures, in this thread and behind a socket with no protocol, and bare syncs of a line of the audit log; assertions in this process, and of agents over their sockets with
//! 1, 8 and 64 clients that keep their connection, with and without the sync of each line; all in turns, so that what else
//! the machine does hits all of them. Then the command as a process each. The chain must be on the token.
//! `cargo xtask bench agent` runs it on a throw-away SoftHSM token.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../../pkcs11-tests/examples/throughput/bare.rs"]
mod bare;
#[allow(dead_code, reason = "what two kinds are compared with")]
#[path = "../../pkcs11-tests/examples/throughput/measure.rs"]
mod measure;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use privyseal::profile::Profiles;
use privyseal::{AssertionOptions, Client, PinSources, Prompt};
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Uri, PoolOptions};

use crate::bare::Bare;
use crate::measure::{Failure, Rate, Work, Worker, turn};

/// Turns of each kind.
const TURNS: usize = 60;

/// A line of the audit log has about so many bytes.
const LINE: usize = 440;

/// Its name, its clients, and what each does.
type Kind<'a> = (String, usize, &'a Worker<'a>);

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [program, key, folder] = &arguments[..] else {
        return Err("usage: latency PRIVYSEAL KEY-URI FOLDER".into());
    };
    let folder = PathBuf::from(folder);
    let synced = Agent::start(program, key, &folder, true)?;
    let unsynced = Agent::start(program, key, &folder, false)?;
    let client = Profiles::from_file(&synced.config)?.get("bench")?.open()?;
    let uri: Pkcs11Uri = key.parse()?;
    let pins = PinSources::new(uri.pin_value(), uri.pin_source(), Prompt::Never, |_| {});
    let pool = Pkcs11Pool::open(&uri, pins, PoolOptions::default())?;
    let bare = Bare::new(&uri, &pool)?;

    let sign = || bare.worker();
    let (here, there) = UnixStream::pair()?;
    let behind = || Ok(asked(&here));
    let sync = || line_synced(&folder.join("line"));
    let in_process = || Ok(assertions(&client));
    let of_synced = || connection(&synced.socket);
    let of_unsynced = || connection(&unsynced.socket);
    let mut kinds: Vec<Kind<'_>> = vec![
        ("bare C_SignInit and C_Sign".to_owned(), 1, &sign),
        (
            "the same by a thread behind a socket".to_owned(),
            1,
            &behind,
        ),
        ("a line written and synced".to_owned(), 1, &sync),
    ];
    for clients in [1, 8, 64] {
        if clients < 64 {
            kinds.push((
                format!("in process, {clients} threads"),
                clients,
                &in_process,
            ));
        }
        kinds.push((
            format!("agent, {clients} clients, synced"),
            clients,
            &of_synced,
        ));
        kinds.push((
            format!("agent, {clients} clients, not synced"),
            clients,
            &of_unsynced,
        ));
    }
    let rates = thread::scope(|scope| {
        let answering = scope.spawn(|| answer(&there, &sign));
        let rates = measure(&kinds);
        here.shutdown(Shutdown::Both)?;
        answering.join().map_err(|_| "the answering thread")??;
        rates
    })?;
    println!(
        "{:<40} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "p10 us", "p50 us", "p90 us", "p99 us", "a second"
    );
    for ((name, ..), rate) in kinds.iter().zip(&rates) {
        row(name, rate);
    }
    let half = |name: &str| {
        let at = kinds.iter().position(|(it, ..)| it == name);
        at.and_then(|at| rates.get(at))
            .map_or(0, |it| it.micros(50))
    };
    let sign = half("bare C_SignInit and C_Sign");
    for (name, disk) in [
        ("agent, 1 clients, not synced", 0),
        (
            "agent, 1 clients, synced",
            half("a line written and synced"),
        ),
    ] {
        let above = half(name).saturating_sub(sign).saturating_sub(disk);
        println!("{name}: half of them {above} us above the bare ones");
    }
    drop((synced, unsynced));
    let config = configure(&folder, key, true)?.0;
    let command = || Ok(process_each(program, &config));
    let mut rate = Rate::default();
    for _ in 0..TURNS {
        rate.add(turn(1, &command)?);
    }
    row("privyseal sign, a process each", &rate);
    Ok(())
}

/// All in turns. The first turn of each warms up.
fn measure(kinds: &[Kind<'_>]) -> Result<Vec<Rate>, Failure> {
    let mut rates: Vec<Rate> = kinds.iter().map(|_| Rate::default()).collect();
    for number in 0..=TURNS {
        for ((_, clients, worker), rate) in kinds.iter().zip(&mut rates) {
            let this = turn(*clients, worker)?;
            if number > 0 {
                rate.add(this);
            }
        }
    }
    Ok(rates)
}

fn row(name: &str, rate: &Rate) {
    let parts = [10, 50, 90, 99].map(|part| format!(" {:>9}", rate.micros(part)));
    println!("{name:<40}{} {:>9.0}", parts.concat(), rate.per_second());
}

fn assertions(client: &Client) -> Work<'_> {
    let options = AssertionOptions::default();
    Box::new(move || Ok(client.assertion(&options).map(drop)?))
}

/// What the system alone takes to ask somebody else: a byte there and a byte back.
fn asked(mut there: &UnixStream) -> Work<'_> {
    Box::new(move || {
        there.write_all(&[0])?;
        Ok(there.read_exact(&mut [0])?)
    })
}

/// Signs for each byte, until the socket is shut down.
fn answer(mut asked: &UnixStream, worker: &Worker<'_>) -> Result<(), Failure> {
    let mut sign = worker()?;
    while asked.read(&mut [0])? == 1 {
        sign()?;
        asked.write_all(&[0])?;
    }
    Ok(())
}

fn line_synced<'w>(path: &Path) -> Result<Work<'w>, Failure> {
    let mut file: File = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(Box::new(move || {
        file.write_all(&[b'x'; LINE])?;
        Ok(file.sync_data()?)
    }))
}

fn process_each<'w>(program: &str, config: &Path) -> Work<'w> {
    let mut command = Command::new(program);
    command
        .args(["sign", "--profile", "bench", "--config"])
        .arg(config)
        .stdout(Stdio::null());
    Box::new(move || {
        if command.status()?.success() {
            Ok(())
        } else {
            Err("privyseal sign failed".into())
        }
    })
}

/// The configuration, and the socket that it names.
fn configure(folder: &Path, key: &str, sync: bool) -> Result<(PathBuf, PathBuf), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let name = |suffix| folder.join(format!("agent-{sync}.{suffix}"));
    let [path, socket, log] = ["toml", "sock", "jsonl"].map(name);
    let uid = fs::metadata("/proc/self")?.uid();
    let text = format!(
        "[agent]\nsocket = '{}'\naudit-log = '{}'\naudit-sync = {sync}\n\
         [profile.bench]\nscheme = 'fiam'\nkey = '{key}'\nclient-id = 'EU.EORI.NL123456789'\n\
         allow-uids = [{uid}]\n",
        socket.display(),
        log.display()
    );
    // None is there, mostly.
    let _ = (fs::remove_file(&socket), fs::remove_file(log));
    fs::write(&path, text)?;
    Ok((path, socket))
}

/// One assertion after another over one connection.
fn connection<'w>(socket: &Path) -> Result<Work<'w>, Failure> {
    let mut stream = UnixStream::connect(socket).map(BufReader::new)?;
    Ok(Box::new(move || {
        stream.get_mut().write_all(
            b"POST /v1/bench/assertion HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        )?;
        let (mut line, mut len) = (String::new(), 0);
        stream.read_line(&mut line)?;
        if !line.contains(" 200 ") {
            return Err(line.into());
        }
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("content-length: ") {
                len = value.trim().parse()?;
            }
        }
        let mut body = vec![0; len];
        Ok(stream.read_exact(&mut body)?)
    }))
}

struct Agent {
    child: Child,
    config: PathBuf,
    socket: PathBuf,
}

impl Agent {
    fn start(program: &str, key: &str, folder: &Path, sync: bool) -> Result<Self, Failure> {
        let (config, socket) = configure(folder, key, sync)?;
        let child = Command::new(program)
            .arg("agent")
            .arg("--config")
            .arg(&config)
            .spawn()?;
        let agent = Self {
            child,
            config,
            socket,
        };
        let begun = Instant::now();
        while UnixStream::connect(&agent.socket).is_err() {
            if begun.elapsed() > Duration::from_secs(30) {
                return Err("the agent does not listen".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(agent)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It is a measurement: nothing of it is kept.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
