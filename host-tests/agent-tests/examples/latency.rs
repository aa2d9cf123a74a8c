//! What does asking an agent cost above the signature itself?
//!
//! ```text
//! latency PRIVYSEAL KEY-URI FOLDER
//! ```
//!
//! Assertions in this process, then of an agent over its socket with 1, 8 and 64 clients that keep their connection, with
//! and without the sync of each audit line, then of the command as a process each. The chain must be on the token.
//! `cargo xtask bench agent` runs it on a throw-away SoftHSM token.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use privyseal::AssertionOptions;
use privyseal::profile::Profiles;

type Failure = Box<dyn Error + Send + Sync>;

/// How long each measurement takes.
const LONG: Duration = Duration::from_secs(4);

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [program, key, folder] = &arguments[..] else {
        return Err("usage: latency PRIVYSEAL KEY-URI FOLDER".into());
    };
    let folder = PathBuf::from(folder);
    println!(
        "{:<40} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "p10 us", "p50 us", "p90 us", "p99 us", "a second"
    );
    let config = configure(&folder, key, true)?;
    let client = Profiles::from_file(&config)?.get("bench")?.open()?;
    for threads in [1, 8] {
        let one = || {
            let client = client.clone();
            let options = AssertionOptions::default();
            move || Ok(client.assertion(&options).map(drop)?)
        };
        measure(&format!("in process, {threads} threads"), threads, one)?;
    }
    drop(client);
    for sync in [true, false] {
        let config = configure(&folder, key, sync)?;
        let agent = Agent::start(program, &config, &folder)?;
        let socket = folder.join("agent.sock");
        let how = if sync { "synced" } else { "not synced" };
        for clients in [1, 8, 64] {
            let one = || connection(&socket);
            measure(&format!("agent, {clients} clients, {how}"), clients, one)?;
        }
        drop(agent);
    }
    let one = || {
        let mut command = Command::new(program);
        command
            .args(["sign", "--profile", "bench", "--config"])
            .arg(&config);
        move || {
            if command.stdout(Stdio::null()).status()?.success() {
                Ok(())
            } else {
                Err("privyseal sign failed".into())
            }
        }
    };
    measure("privyseal sign, a process each", 1, one)
}

fn configure(folder: &Path, key: &str, sync: bool) -> Result<PathBuf, Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let path = folder.join("agent.toml");
    let uid = fs::metadata("/proc/self")?.uid();
    let shown = folder.display();
    let text = format!(
        "[agent]\nsocket = '{shown}/agent.sock'\naudit-log = '{shown}/audit.jsonl'\naudit-sync = {sync}\n\
         [profile.bench]\nscheme = 'fiam'\nkey = '{key}'\nclient-id = 'EU.EORI.NL123456789'\n\
         allow-uids = [{uid}]\n"
    );
    fs::write(&path, text)?;
    Ok(path)
}

/// One assertion after another over one connection.
fn connection(socket: &Path) -> impl FnMut() -> Result<(), Failure> + use<> {
    let mut open = UnixStream::connect(socket).map(BufReader::new);
    move || {
        let stream = open.as_mut().map_err(|error| error.to_string())?;
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
    }
}

/// Has each of several threads do `one` piece of work after another; prints a line.
fn measure<W>(name: &str, threads: usize, one: impl Fn() -> W) -> Result<(), Failure>
where
    W: FnMut() -> Result<(), Failure> + Send,
{
    let begun = Instant::now();
    let times = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let mut work = one();
                scope.spawn(move || {
                    let mut times = Vec::new();
                    while begun.elapsed() < LONG {
                        let start = Instant::now();
                        work()?;
                        times.push(start.elapsed());
                    }
                    Ok::<_, Failure>(times)
                })
            })
            .collect();
        let ended = workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a panic")?);
        ended.collect::<Result<Vec<_>, Failure>>()
    })?;
    #[allow(clippy::cast_precision_loss, reason = "it is a rate, to two digits")]
    let rate = times.iter().map(Vec::len).sum::<usize>() as f64 / begun.elapsed().as_secs_f64();
    let mut times = times.concat();
    times.sort_unstable();
    let of = |hundredth: usize| {
        let time = times.get(times.len() * hundredth / 100).copied();
        time.unwrap_or_default().as_micros()
    };
    let parts = [10, 50, 90, 99]
        .map(of)
        .map(|micros| format!(" {micros:>9}"));
    println!("{name:<40}{} {rate:>9.0}", parts.concat());
    Ok(())
}

struct Agent(Child);

impl Agent {
    fn start(program: &str, config: &Path, folder: &Path) -> Result<Self, Failure> {
        let socket = folder.join("agent.sock");
        // None is there, mostly.
        let _ = fs::remove_file(&socket);
        let _ = fs::remove_file(folder.join("audit.jsonl"));
        let child = Command::new(program)
            .arg("agent")
            .arg("--config")
            .arg(config)
            .spawn()?;
        let agent = Self(child);
        let begun = Instant::now();
        while UnixStream::connect(&socket).is_err() {
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
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
