//! The PKCS#11 signer against what the same token can do without us, in one run.
//!
//! Two questions. How many whole tokens a second does a running program make, against a bare loop of
//! `C_SignInit` and `C_Sign`? And how long does the command take from its start to its first signature,
//! against `pkcs11-tool`, which makes a bare signature?

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::bench::kept::{Plot, nanoseconds};
use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::setup::{self, Need};
use crate::{demo, paths};

/// How long one measurement may take, on a machine that does much else.
const MEASURED: Duration = Duration::from_secs(10 * 60);

/// Starts of each command.
const STARTS: usize = 15;

/// Keys on a token, one after another.
const KEYS: [usize; 4] = [1, 10, 100, 1000];

/// Builds, makes a token, measures, prints.
pub(super) fn run() -> Result<Vec<Plot>, Failure> {
    setup::run(&[Need::Token])?;
    let release = Run::cargo(
        "build --release --package privyseal-cli --package privyseal-pkcs11-tests --package privyseal-fault-shim",
    );
    release
        .words("--lib --bin privyseal --example throughput")
        .stream()?;
    let token = Token::new("bench-pkcs11")?;

    println!("\n==> signatures per second, SoftHSM, RSA-2048; bare and whole take turns");
    let throughput = token.tool(release_of("examples/throughput"));
    let title = "Signatures on SoftHSM, RSA-2048: bare C_Sign, and whole tokens of FIAM";
    let mut rates = Plot::new("throughput", title, "a second");
    let title = "Signatures on SoftHSM, RSA-2048: processor time, and percentiles";
    let mut latencies = Plot::new("latency", title, "ns");
    throughput.arg(&token.key_uri).tee(|line| {
        let Some((threads, measured)) = rates_of(line) else {
            return;
        };
        for (what, rate, parts) in measured {
            let what = format!("{what}, {threads} threads");
            latencies.rows.extend(
                ["processor time", "10 %", "half", "90 %", "99 %"]
                    .iter()
                    .zip(parts)
                    .map(|(part, micros)| (micros.saturating_mul(1000), format!("{what}, {part}"))),
            );
            rates.rows.push((rate, what));
        }
    })?;

    println!("\n==> the same behind a module that takes 5 ms for each call, as a network HSM does");
    network_hsm(&token)?;

    println!("\n==> what a verification takes OpenSSL: the part that no whole token can leave out");
    Run::new("openssl")
        .words("speed -seconds 1 rsa2048")
        .stream()?;

    println!(
        "\n==> from the start of a command to its first signature, {STARTS} starts each, in turns"
    );
    let [ours, theirs] = starts(&token)?;
    println!("{:<20} {}", "privyseal sign", summary(&ours));
    println!("{:<20} {}", "pkcs11-tool --sign", summary(&theirs));
    Ok(vec![rates, latencies])
}

/// The first signature on a token with more and more keys: copies of one, under other labels.
pub(super) fn keys() -> Result<Plot, Failure> {
    setup::run(&[Need::Token])?;
    Run::cargo("build --release --package privyseal-cli --package privyseal-pkcs11-tests")
        .words("--bin privyseal --example copies")
        .stream()?;
    let token = Token::new("bench-keys")?;
    let title = "From the start of a command to its first signature, by keys on a SoftHSM token";
    let mut plot = Plot::new("keys", title, "ns");
    for count in KEYS {
        let copies = token.tool(release_of("examples/copies"));
        copies.arg(&token.key_uri).arg(count.to_string()).stream()?;
        let [ours, theirs] = starts(&token)?;
        for (name, times) in [("privyseal sign", ours), ("pkcs11-tool --sign", theirs)] {
            println!("{count:>5} keys  {name:<20} {}", summary(&times));
            let median = times.get(times.len() / 2).copied().unwrap_or_default();
            plot.rows
                .push((nanoseconds(median), format!("{name}, {count} keys")));
        }
    }
    Ok(plot)
}

/// What, how many a second, and in microseconds the processor time of one and four percentiles.
type Rate = (&'static str, u64, [u64; 5]);

/// Of a line of `throughput`: how many threads, and their rates.
fn rates_of(line: &str) -> Option<(u64, [Rate; 2])> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [
        threads,
        bare,
        whole,
        _,
        cpu_bare,
        cpu_whole,
        _,
        of_bare,
        of_whole,
    ] = words[..]
    else {
        return None;
    };
    let parts = |cpu: &str, text: &str| {
        let parts = [cpu].into_iter().chain(text.split('/'));
        let parts = parts
            .map(|part| part.parse().ok())
            .collect::<Option<Vec<_>>>()?;
        parts.try_into().ok()
    };
    let rates = [
        ("bare", bare.parse().ok()?, parts(cpu_bare, of_bare)?),
        ("whole", whole.parse().ok()?, parts(cpu_whole, of_whole)?),
    ];
    Some((threads.parse().ok()?, rates))
}

/// Sixteen sessions behind the fault shim.
fn network_hsm(token: &Token) -> Result<(), Failure> {
    let rules = token.folder.join("shim-rules");
    let slow = ["C_SignInit * hang 5", "C_Sign * hang 5"].join("\n");
    fs::write(&rules, slow).context(paths::shown(&rules))?;
    let module = paths::softhsm_module()?;
    let shim = release_of(&format!("{DLL_PREFIX}fault_shim{DLL_SUFFIX}"));
    let (path, shim_path) = (module.display().to_string(), shim.display().to_string());
    let throughput = token
        .tool(release_of("examples/throughput"))
        .env("FAULT_SHIM_MODULE", &module)
        .env("FAULT_SHIM_CONTROL", &rules)
        .arg(token.key_uri.replace(&path, &shim_path))
        .words("1 16");
    throughput.stream()
}

/// A throw-away token with a key and its chain.
pub(super) struct Token {
    pub(super) folder: PathBuf,
    pub(super) key_uri: String,
    pin: String,
}

impl Token {
    pub(super) fn new(name: &str) -> Result<Self, Failure> {
        let folder = paths::target().join(name);
        demo::make_token(&folder)?;
        let read = |name| fs::read_to_string(folder.join(name)).context(name);
        let (key_uri, pin) = (read("key-uri")?, read("pin")?.trim().to_owned());
        let text = folder.join("to-be-signed");
        fs::write(&text, "whatever a person signs").context(paths::shown(&text))?;
        Ok(Self {
            folder,
            key_uri,
            pin,
        })
    }

    /// A program that sees this token and no other.
    pub(super) fn tool(&self, program: impl AsRef<OsStr>) -> Run {
        let run = Run::new(program).limit(MEASURED);
        run.env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"))
    }
}

pub(super) fn release_of(name: &str) -> PathBuf {
    paths::target().join("release").join(name)
}

/// Starts both commands in turns, and times them; the fastest first.
fn starts(token: &Token) -> Result<[Vec<Duration>; 2], Failure> {
    let ours = token
        .tool(release_of("privyseal"))
        .words("sign --scheme fiam --chain token");
    let mut ours = ours
        .words("--client-id EU.EORI.NL123456789 --key")
        .arg(&token.key_uri);
    let theirs = token.tool("pkcs11-tool").env("PIN", &token.pin);
    let theirs = theirs.arg("--module").arg(paths::softhsm_module()?);
    let mut theirs = theirs
        .words("--token-label privyseal-demo --login --pin env:PIN --sign")
        .words("--mechanism SHA256-RSA-PKCS --id 01 --input-file")
        .arg(token.folder.join("to-be-signed"))
        .arg("--output-file")
        .arg(token.folder.join("signature"));
    let (mut own_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        own_times.push(ours.time()?);
        their_times.push(theirs.time()?);
    }
    own_times.sort_unstable();
    their_times.sort_unstable();
    Ok([own_times, their_times])
}

fn summary(times: &[Duration]) -> String {
    let millis = |place: usize| {
        let time = times.get(place).copied().unwrap_or_default();
        format!("{:.1} ms", time.as_secs_f64() * 1000.0)
    };
    let (median, last) = (times.len() / 2, times.len().saturating_sub(1));
    format!(
        "median {}, fastest {}, slowest {}",
        millis(median),
        millis(0),
        millis(last)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_rates_is_read() {
        let line = "      2    1204     1180  0.982         1630          1650  0.990         500/1600/1900/2100 500/1630/1990/2400";
        let expected = [
            ("bare", 1204, [1630, 500, 1600, 1900, 2100]),
            ("whole", 1180, [1650, 500, 1630, 1990, 2400]),
        ];
        assert_eq!(rates_of(line), Some((2, expected)));
        assert_eq!(rates_of("threads  bare/s  whole/s  ratio"), None);
    }
}
