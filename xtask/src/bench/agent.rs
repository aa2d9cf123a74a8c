//! The agent against the signature itself: bare calls, the library in process, a socket, a process each.

use std::time::Duration;

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
pub(super) fn run() -> Result<(), Failure> {
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
    let latency = token.tool(release_of("examples/latency"));
    latency
        .arg(release_of("privyseal"))
        .arg(&token.key_uri)
        .arg(&token.folder)
        .stream()?;
    nimbus(&token)
}

/// What Java has for it, on the same token.
fn nimbus(token: &Token) -> Result<(), Failure> {
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
        .stream()
}
