//! How fast is a token, and what does the pipeline cost on top?
//!
//! ```text
//! cargo run --release -p privyseal-pkcs11-tests --example throughput -- 'pkcs11:token=T;object=K?module-path=...&pin-source=file:...' [THREADS..]
//! ```
//!
//! Signatures per second and latencies of a bare loop of `C_SignInit` and `C_Sign`, and of whole tokens
//! (claims checked and encoded, hashed, signed, verified) through the session pool, with one, two and four
//! threads, or as many as are named. Both are measured in turns of the same run, so that what else the machine does hits both;
//! on a busy machine the processor time of one signature says more than the rate. The
//! chain must be on the token. `cargo xtask bench pkcs11` runs it on a throw-away SoftHSM token.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

mod bare;
mod measure;
mod whole;

use std::fs;

use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Uri, PoolOptions};

use crate::bare::Bare;
use crate::measure::{Compared, Failure, Rate, turns};
use crate::whole::Whole;

/// Threads at a time, where none are named.
const THREADS: [usize; 3] = [1, 2, 4];

fn main() -> Result<(), Failure> {
    let uri: Pkcs11Uri = std::env::args()
        .nth(1)
        .ok_or("usage: throughput 'pkcs11:...'")?
        .parse()?;
    let source = uri.pin_source().unwrap_or_default().to_owned();
    let pins = move |_: &SecretRequest| {
        let path = source.strip_prefix("file:").unwrap_or(&source);
        let text = fs::read_to_string(path)
            .map_err(|error| SecretUnavailable::new(format!("pin-source {path}: {error}")))?;
        Secret::new(text.trim_end_matches(['\r', '\n']))
    };
    let named = std::env::args().skip(2).map(|count| count.parse());
    let mut counts = named.collect::<Result<Vec<usize>, _>>()?;
    if counts.is_empty() {
        counts.extend(THREADS);
    }
    let sessions = counts.iter().copied().max().unwrap_or(1).try_into()?;
    let options = PoolOptions::default().sessions(Some(sessions));
    let pool = Pkcs11Pool::open(&uri, pins, options)?;
    let bare = Bare::new(&uri, &pool)?;
    let whole = Whole::new(&pool)?;
    println!("{}, {}", pool.token().model, pool.mechanism());
    println!(
        "threads  bare/s  whole/s  ratio  bare cpu us  whole cpu us  ratio   bare p10/50/90/99 us  whole p10/50/90/99 us"
    );
    for threads in counts {
        let compared = turns(threads, &|| bare.worker(), &|| whole.worker())?;
        println!("{}", line(threads, &compared));
    }
    println!(
        "of a whole one, verifying and putting together: {:.1} us at best",
        whole.verification()?
    );
    Ok(())
}

fn line(threads: usize, compared: &Compared) -> String {
    let (bare, whole) = (&compared.one, &compared.other);
    let (ratio, cpu_ratio) = (compared.ratio(), compared.cpu_ratio());
    let latency = |rate: &Rate| {
        [10, 50, 90, 99]
            .map(|percent| rate.micros(percent).to_string())
            .join("/")
    };
    format!(
        "{threads:>7} {:>7.0} {:>8.0}  {ratio:>5.3} {:>12.0} {:>13.0}  {cpu_ratio:>5.3} {:>17} {:>17}",
        bare.per_second(),
        whole.per_second(),
        bare.cpu_micros(),
        whole.cpu_micros(),
        latency(bare),
        latency(whole)
    )
}
