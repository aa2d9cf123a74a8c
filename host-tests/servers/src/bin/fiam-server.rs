//! Runs the FIAM-like test authorization server until stdin closes: for demonstrations and tests only.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use privyseal_test_servers::fiam_server::{Config, FiamServer};
use x509_cert::Certificate;
use x509_cert::der::{DecodePem as _, Encode as _};

/// An authorization server in the shape of FIAM's, on loopback HTTPS: for tests only.
#[derive(Parser)]
struct Arguments {
    /// The root that client certificates must lead to, PEM.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Where tls-ca.pem goes, which a client of this server must trust.
    #[arg(long, value_name = "DIR")]
    tls_dir: PathBuf,
    /// Loopback port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many contracts each party has.
    #[arg(long, default_value_t = 2)]
    contracts: usize,
    /// How many contracts a page has.
    #[arg(long, default_value_t = 100, value_parser = page_size)]
    page_size: usize,
    /// Stops after so many seconds at the latest.
    #[arg(long, default_value_t = 600)]
    max_seconds: u64,
}

fn page_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size @ 1..) => Ok(size),
        _ => Err("a page has at least one contract".into()),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fiam-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let trust = fs::read(&arguments.trust)
        .map_err(|error| format!("{}: {error}", arguments.trust.display()))?;
    let trust = Certificate::from_pem(&trust)?.to_der()?;
    let server = FiamServer::start(Config {
        port: arguments.port,
        contracts: arguments.contracts,
        page_size: arguments.page_size,
        ..Config::trusting(&trust)
    })?;
    let tls_ca = arguments.tls_dir.join("tls-ca.pem");
    fs::create_dir_all(&arguments.tls_dir)?;
    fs::write(&tls_ca, server.tls_ca_pem())
        .map_err(|error| format!("{}: {error}", tls_ca.display()))?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {}", server.base_url())?;
    stdout.flush()?;
    wait_for_end_of_stdin(Duration::from_secs(arguments.max_seconds));
    Ok(())
}

/// The server ends with the process that started it, even if that was killed.
fn wait_for_end_of_stdin(patience: Duration) {
    let (sender, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(sender);
    });
    // Either the sender is gone or the time is up; both mean the end.
    let _ = ended.recv_timeout(patience);
}
