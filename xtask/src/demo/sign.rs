//! The assertion itself, made by the real command and shown readably.

use super::CLIENT_ID;
use super::console::{show_command, show_lines, step};
use super::show;
use crate::failure::{Failure, fail};
use crate::token_dir::TokenDir;

/// A compact JWS in its three parts.
pub(super) struct Assertion {
    pub(super) header: String,
    pub(super) payload: String,
    pub(super) signature: String,
}

/// Runs `privyseal sign` and shows what came out.
pub(super) fn sign(token: &TokenDir) -> Result<Assertion, Failure> {
    step(
        5,
        "A FIAM client assertion",
        "privyseal builds header and claims under the scheme's rules, has the token sign, and \
         checks the\nsignature against the leaf before it lets the assertion out.",
    );
    let mut sign = token
        .own("privyseal")
        .words("sign --scheme fiam --chain token --client-id")
        .args([CLIENT_ID, "--key", &token.key_uri()]);
    show_command(&format!(
        "{} > {}",
        sign.shown(),
        token.shown("assertion.jwt")
    ));
    let printed = sign.capture()?.text();
    let assertion = printed.strip_suffix('\n').unwrap_or(&printed);
    token.write("assertion.jwt", &printed)?;
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return fail!("`privyseal sign` printed something that is not one compact JWS");
    };
    println!(
        "   {} characters, in {}:",
        assertion.len(),
        token.shown("assertion.jwt")
    );
    show_lines(&shortened(assertion));
    println!("   its header:");
    show_lines(&show::header(token, header)?);
    println!("   its claims:");
    show_lines(&show::claims(payload)?);
    Ok(Assertion {
        header: header.to_owned(),
        payload: payload.to_owned(),
        signature: signature.to_owned(),
    })
}

fn shortened(assertion: &str) -> String {
    let (start, end) = (
        assertion.get(..60),
        assertion.get(assertion.len().saturating_sub(24)..),
    );
    format!(
        "{} .. {}",
        start.unwrap_or_default(),
        end.unwrap_or_default()
    )
}
