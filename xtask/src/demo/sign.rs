//! The assertion itself, made by the real command and shown readably.

use super::CLIENT_ID;
use super::demo_dir::{DemoDir, show_command, show_lines};
use super::show;
use crate::failure::{Failure, fail};

/// A compact JWS in its three parts.
pub(super) struct Assertion {
    pub(super) header: String,
    pub(super) payload: String,
    pub(super) signature: String,
}

/// Runs `privyseal sign` and shows what came out.
pub(super) fn sign(demo: &mut DemoDir) -> Result<Assertion, Failure> {
    demo.step(
        "A FIAM client assertion",
        "privyseal builds header and claims under the scheme's rules, has the token sign, and \
         checks the\nsignature against the leaf before it lets the assertion out.",
    );
    let sign = demo
        .own("privyseal")
        .args(["sign", "--scheme", "fiam", "--key", &demo.key_uri()])
        .args(["--client-id", CLIENT_ID, "--chain", "token"]);
    show_command(&format!(
        "{} > {}",
        sign.shown(),
        demo.shown("assertion.jwt")
    ));
    let printed = sign.capture()?.text();
    let token = printed.strip_suffix('\n').unwrap_or(&printed);
    demo.write("assertion.jwt", &printed)?;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return fail!("`privyseal sign` printed something that is not one compact JWS");
    };
    println!(
        "   {} characters, in {}:",
        token.len(),
        demo.shown("assertion.jwt")
    );
    show_lines(&shortened(token));
    println!("   its header:");
    show_lines(&show::header(demo, header)?);
    println!("   its claims:");
    show_lines(&show::claims(payload)?);
    Ok(Assertion {
        header: header.to_owned(),
        payload: payload.to_owned(),
        signature: signature.to_owned(),
    })
}

fn shortened(token: &str) -> String {
    let start: String = token.chars().take(60).collect();
    let end: String = token
        .chars()
        .skip(token.chars().count().saturating_sub(24))
        .collect();
    format!("{start} .. {end}")
}
