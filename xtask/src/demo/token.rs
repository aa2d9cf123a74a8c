//! The token and the key on it, made with OpenSC's `pkcs11-tool`.

use super::console::{show_and_run, show_command, show_lines, step};
use crate::failure::{Failure, fail};
use crate::token_dir::TokenDir;

/// Makes an empty SoftHSM token with a user PIN.
pub(super) fn initialize(token: &TokenDir) -> Result<(), Failure> {
    step(
        1,
        "A throw-away token",
        "SoftHSM is a token in software: the same PKCS#11 calls as a card or a network HSM, none \
         of\ntheir protection. It lives under the build folder; its PINs are random, in files only \
         you can\nread, and reach the tools through the environment, never as an argument.",
    );
    show_command(&token.export());
    let (pin, so_pin) = (token.shown("pin"), token.shown("so-pin"));
    show_command(&format!("export PIN=$(cat {pin}) SO_PIN=$(cat {so_pin})"));
    for run in token.initialize() {
        show_and_run(run)?;
    }
    Ok(())
}

/// Has the token generate the key, and takes its public half out.
pub(super) fn generate_key(token: &TokenDir) -> Result<(), Failure> {
    step(
        2,
        "A key that is born on the token and stays there",
        "RSA-2048, marked sensitive: its value can never be read, also not with the PIN.",
    );
    let said = show_and_run(token.generate_key())?;
    show_lines(said.trim_end());
    if !said.contains("sensitive") || !said.contains("never extractable") {
        return fail!("the token did not make the key sensitive and never extractable");
    }
    for run in token.export_key() {
        show_and_run(run)?;
    }
    Ok(())
}
