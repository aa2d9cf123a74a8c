//! The whole pipeline before one's eyes, with a throw-away token under `target/demo`.
//!
//! Every step says what happens, shows the command as one would type it, and runs that command.

mod certificates;
mod demo_dir;
mod next;
mod server;
mod show;
mod sign;
mod time;
mod token;
mod verify;

use std::time::Instant;

use crate::failure::Failure;
use crate::process::Run;
use crate::setup::{self, Need};
use demo_dir::DemoDir;

/// The client id of the party that signs: the seed's own form of a Dutch party id.
const CLIENT_ID: &str = "EU.EORI.NL123456789";

/// Runs the demonstration.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(&[Need::Token])?;
    println!("building the commands ..");
    let packages = [
        "--package",
        "privyseal-cli",
        "--package",
        "privyseal-host-tests",
    ];
    Run::cargo()
        .args(["build", "--quiet", "--bins"])
        .args(packages)
        .stream()?;

    let started = Instant::now();
    let mut demo = DemoDir::new()?;
    token::initialize(&mut demo)?;
    token::generate_key(&mut demo)?;
    certificates::issue(&mut demo)?;
    certificates::store(&mut demo)?;
    let assertion = sign::sign(&mut demo)?;
    verify::verify(&mut demo, &assertion)?;
    server::ask_for_contracts(&mut demo)?;
    next::print(&demo);
    println!("\ndone in {:.1} s", started.elapsed().as_secs_f32());
    Ok(())
}
