//! The whole pipeline, step by step, with a throw-away token under `target/demo`.
//!
//! Every step says what happens, shows the command as one would type it, and runs that command.

mod certificates;
mod console;
mod next;
mod server;
mod show;
mod sign;
mod token;
mod verify;

use std::time::Instant;

use crate::failure::Failure;
use crate::process::Run;
use crate::setup::{self, Need};
use crate::token_dir::TokenDir;

/// The client id of the party that signs: the seed's own form of a Dutch party id.
const CLIENT_ID: &str = "EU.EORI.NL123456789";

/// Runs the demonstration.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(&[Need::Token])?;
    println!("building the commands ..");
    Run::cargo("build --quiet --bins --package privyseal-cli --package privyseal-test-pki --package privyseal-test-servers")
        .stream()?;

    let started = Instant::now();
    let token = TokenDir::new("demo")?;
    token::initialize(&token)?;
    token::generate_key(&token)?;
    certificates::issue(&token)?;
    certificates::store(&token)?;
    let assertion = sign::sign(&token)?;
    verify::verify(&token, &assertion)?;
    server::ask_for_contracts(&token)?;
    next::print(&token);
    println!("\ndone in {:.1} s", started.elapsed().as_secs_f32());
    Ok(())
}
