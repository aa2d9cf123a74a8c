//! How a step of the demonstration looks.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::failure::{Context, Failure};
use crate::process::Run;

/// Opens a numbered step.
pub(super) fn step(number: u8, title: &str, explanation: &str) {
    println!("\n{number}. {title}");
    for line in explanation.lines() {
        println!("   {line}");
    }
}

/// Shows a command and runs it; gives what it prints.
pub(super) fn show_and_run(mut run: Run) -> Result<String, Failure> {
    show_command(&run.shown());
    Ok(run.capture()?.text())
}

/// Shows a command, without running it.
pub(super) fn show_command(command: &str) {
    println!("   $ {command}");
}

/// Shows lines that a command has printed.
pub(super) fn show_lines(text: &str) {
    for line in text.lines() {
        println!("     {line}");
    }
}

/// Decodes a base64url part of a token.
pub(super) fn base64url(part: &str) -> Result<Vec<u8>, Failure> {
    Base64UrlUnpadded::decode_vec(part).context("the token is not base64url")
}
