//! The menu of everything one can run in this repository: `cargo xtask <command>`.
//!
//! Each command does its own set-up, collects what went wrong, and fails once, at the end, with
//! all of it: one run tells everything there is to fix.
#![expect(
    clippy::print_stdout,
    reason = "a menu talks to the person who called it"
)]

mod api;
mod bench;
mod book;
mod broken;
mod copy;
mod corpus;
mod demo;
mod dist;
mod failure;
mod firmware;
mod fuzz;
mod lint;
mod matrix;
mod metadata;
mod mutants;
mod page;
mod paths;
mod pictures;
mod process;
mod setup;
mod steps;
mod test;
mod thumb;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Failure;

/// Everything one can run here.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
enum Menu {
    /// Install what tests and demo need (Debian packages, Python packages); quick when all is there
    Setup,
    /// Set up, run every test of the workspace, and build the core for a microcontroller
    Test(test::Options),
    /// Compare the public API of each published crate with its listing in docs/api
    Api(api::Options),
    /// Formatting, clippy and documentation with warnings as errors, arrows between crates and modules, deny.toml
    Lint(lint::Options),
    /// Check what else users build: each feature alone, the oldest compiler, the oldest dependencies, Windows
    Matrix,
    /// Break the product on purpose, in a copy, and show that the proof of what is broken turns red
    Broken(broken::Options),
    /// Watch a token being signed by a key inside SoftHSM, verified, and used against a server
    Demo(demo::Options),
    /// Check the links of all documents and build the book in docs
    Book,
    /// Make the page that explains tokens in a browser: one file in target/site
    Page,
    /// Draw the pictures of the documents again, from their sources
    Pictures,
    /// Fuzz every parser for a bounded time (needs a nightly compiler; says so where there is none)
    Fuzz(fuzz::Options),
    /// Change the core, the checks and the receiver in one place at a time: which test notices? (hours for all)
    Mutants(mutants::Options),
    /// Write a corpus of assertions, right and wrong, for authors of receivers (docs/corpus.md)
    Corpus(corpus::Options),
    /// Make what users install: Debian package, tarball, bill of materials, crates for the registry
    Dist(dist::Options),
    /// Measure; prints numbers, judges none
    Bench(bench::Options),
    /// The gateway's firmware
    #[command(subcommand)]
    Firmware(firmware::Firmware),
}

fn main() -> ExitCode {
    if let Some(code) = firmware::as_rustc() {
        return code;
    }
    let outcome = match Menu::parse() {
        Menu::Setup => setup::run(&setup::Need::all()),
        Menu::Test(options) => test::run(&options),
        Menu::Api(options) => api::run(&options),
        Menu::Lint(options) => lint::run(options),
        Menu::Matrix => matrix::run(),
        Menu::Broken(options) => broken::run(&options),
        Menu::Demo(options) => demo::run(options),
        Menu::Book => book::run(),
        Menu::Page => page::run(),
        Menu::Pictures => pictures::run(),
        Menu::Fuzz(options) => fuzz::run(&options),
        Menu::Mutants(options) => mutants::run(&options),
        Menu::Corpus(options) => corpus::run(&options),
        Menu::Dist(options) => dist::run(&options),
        Menu::Bench(options) => bench::run(options),
        Menu::Firmware(command) => firmware::run(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("\nfailed: {message}");
            ExitCode::FAILURE
        }
    }
}
