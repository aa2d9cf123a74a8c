//! What a token costs besides its RSA operation, against other JOSE libraries: one run, one process.
//!
//! The bench is a workspace of its own (`host-tests/bench/`), so that what the core is compared with gets into no
//! lock file of what is published. criterion measures; here its medians become ratios.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::failure::{Context, Failure, fail};
use crate::paths;
use crate::process::Run;

/// Ours first; the others are compared with it.
const OURS: &str = "privyseal";
const OTHERS: [&str; 3] = ["jsonwebtoken", "josekit", "jsonwebtoken without hashing"];

/// Builds and runs the bench, then prints the ratios.
pub(crate) fn run() -> Result<(), Failure> {
    let target = paths::target().join("bench");
    Run::cargo("bench --bench token --manifest-path host-tests/bench/Cargo.toml")
        .env("CARGO_TARGET_DIR", &target)
        .limit(Duration::from_secs(20 * 60))
        .stream()?;

    let results = target.join("criterion/token");
    let ours = median(&results, OURS)?;
    println!("\na token of four certificates, without its RSA operation (medians):");
    println!("{OURS:<30} {:>8.2} us", ours / 1000.0);
    for name in OTHERS {
        let theirs = median(&results, name)?;
        println!(
            "{name:<30} {:>8.2} us {:>7.1} x",
            theirs / 1000.0,
            theirs / ours
        );
    }
    Ok(())
}

/// Nanoseconds of one token.
fn median(results: &Path, name: &str) -> Result<f64, Failure> {
    let path = results.join(name).join("new/estimates.json");
    let text = fs::read(&path).context(paths::shown(&path))?;
    let estimates: Value = serde_json::from_slice(&text).context(paths::shown(&path))?;
    match estimates["median"]["point_estimate"].as_f64() {
        Some(nanoseconds) if nanoseconds > 0.0 => Ok(nanoseconds),
        _ => fail!("{} has no median", paths::shown(&path)),
    }
}
