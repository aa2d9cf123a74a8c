//! A certificate for the key, and the chain on the token.

use super::console::{show_and_run, show_lines, step};
use crate::failure::Failure;
use crate::token_dir::{TOKEN, TokenDir};

/// Has the test CA issue a leaf for the exported public key.
pub(super) fn issue(token: &TokenDir) -> Result<(), Failure> {
    step(
        3,
        "An eSeal certificate from a test CA",
        "Three levels (root, sub CA, issuing CA) as qualified trust services have them. The leaf \
         may be\nused for one thing, nonRepudiation, and names the organization in its subject.\n\
         The CA sees the public key only.",
    );
    show_and_run(token.issue())?;
    let show = token.tool("openssl").words("x509 -inform DER -in");
    let show = show.arg(token.shown("pki/leaf.der"));
    let said = show_and_run(show.words("-noout -subject -dates -ext keyUsage"))?;
    show_lines(said.trim_end());
    Ok(())
}

/// Stores the chain beside the key.
pub(super) fn store(token: &TokenDir) -> Result<(), Failure> {
    step(
        4,
        "The chain goes onto the token",
        "FIAM wants the whole chain in every token, root included. Kept beside the key, one URI is \
         all\na client needs.",
    );
    for run in token.store_chain() {
        show_and_run(run)?;
    }
    let list = token.pkcs11_tool().args(["--token-label", TOKEN]);
    let said = show_and_run(list.words("--list-objects --type cert"))?;
    let kept = ["label:", "subject:", "ID:"];
    for line in said.lines() {
        if kept.iter().any(|name| line.contains(name)) {
            show_lines(line.trim());
        }
    }
    Ok(())
}
