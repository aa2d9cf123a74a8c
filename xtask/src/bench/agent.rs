//! The agent against the signature itself: bare calls, the library in process, a socket, a process each.

use std::time::Duration;

use crate::bench::kept::{Plot, Row};
use crate::bench::pkcs11::{Token, release_of};
use crate::failure::Failure;
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need};

/// The test of a long run, with as many assertions as that.
pub(super) fn long_run(count: u64) -> Result<(), Failure> {
    setup::run(&[Need::Token, Need::Services, Need::Python])?;
    Run::cargo("test --workspace --test agent -- --nocapture a_long_run")
        .env("SOAK_ASSERTIONS", count.to_string())
        .limit(Duration::from_secs(24 * 60 * 60))
        .stream()
}

/// Builds, makes a token, measures, prints.
pub(super) fn run() -> Result<Plot, Failure> {
    setup::run(&[Need::Token, Need::Keycloak])?;
    let release =
        Run::cargo("build --release --package privyseal-cli --package privyseal-pkcs11-tests");
    let release = release.words("--package privyseal-agent-tests --bin privyseal");
    release
        .words("--example throughput --example latency")
        .stream()?;
    let token = Token::new("bench-agent")?;
    println!("\n==> signatures of SoftHSM, RSA-2048, bare and whole");
    token
        .tool(release_of("examples/throughput"))
        .arg(&token.key_uri)
        .stream()?;
    println!("\n==> assertions of the library, of an agent, and of the command");
    let title = "An assertion on SoftHSM, RSA-2048: percentiles of the time that it takes";
    let mut plot = Plot::new("agent", title, "ns");
    let latency = token.tool(release_of("examples/latency"));
    latency
        .arg(release_of("privyseal"))
        .arg(&token.key_uri)
        .arg(&token.folder)
        .tee(|line| plot.rows.extend(latencies(line).into_iter().flatten()))?;
    nimbus(&token, &mut plot)?;
    Ok(plot)
}

/// What Java has for it, on the same token.
fn nimbus(token: &Token, plot: &mut Plot) -> Result<(), Failure> {
    let jars = paths::target().join("nimbus");
    if !jars.join("pom.xml").exists() {
        Run::new("mvn")
            .words("--batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -f docs/examples/java/pom.xml")
            .arg(format!("-DoutputDirectory={}", jars.display()))
            .stream()?;
    }
    let java = token.tool("java").arg("-cp").arg(jars.join("*"));
    java.arg("host-tests/java/NimbusLatency.java")
        .arg(paths::softhsm_module()?)
        .arg(&token.folder)
        .arg("4")
        .tee(|line| plot.rows.extend(latencies(line).into_iter().flatten()))
}

/// What was measured, and five numbers: microseconds of four percentiles, and the rate.
fn latencies(line: &str) -> Option<[Row; 4]> {
    let mut rest = line.trim_end();
    let mut next = || {
        let (before, word) = rest.rsplit_once(' ')?;
        rest = before.trim_end();
        word.parse::<u64>().ok()
    };
    let (_, of_99, of_90, half, of_10) = (next()?, next()?, next()?, next()?, next()?);
    let row = |micros: u64, part| (micros.saturating_mul(1000), format!("{rest}, {part}"));
    let rows = [
        (of_10, "10 %"),
        (half, "half"),
        (of_90, "90 %"),
        (of_99, "99 %"),
    ];
    Some(rows.map(|(micros, part)| row(micros, part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_latencies_is_four_rows() {
        let line = "agent, 8 clients, synced                       700       812      1500      1900      9000";
        let rows = latencies(line).map(|rows| rows.map(|(time, what)| format!("{time} {what}")));
        let expected = [
            "700000 agent, 8 clients, synced, 10 %",
            "812000 agent, 8 clients, synced, half",
            "1500000 agent, 8 clients, synced, 90 %",
            "1900000 agent, 8 clients, synced, 99 %",
        ];
        assert_eq!(rows, Some(expected.map(str::to_owned)));
        let head = "             p10 us    p50 us    p90 us    p99 us  a second";
        assert_eq!(latencies(head), None);
    }
}
