//! Someone who knows nothing of us looks at the assertion: OpenSSL.

use super::show::certificate_file;
use super::sign::Assertion;
use super::stage::{Stage, base64url, show_and_run, show_lines};
use crate::failure::{Failure, fail};

/// Verifies the signature with the key of `x5c`'s first certificate, and that certificate up to the
/// test CA's root.
pub(super) fn verify(stage: &mut Stage, assertion: &Assertion) -> Result<(), Failure> {
    stage.step(
        "OpenSSL verifies it",
        "With the public key of the certificate that is in the assertion. Then that certificate, \
         up to\nthe root that a receiver trusts.",
    );
    stage.write(
        "signed",
        format!("{}.{}", assertion.header, assertion.payload),
    )?;
    stage.write("signature", base64url(&assertion.signature)?)?;
    println!(
        "   {}: the first two parts as they stand; {}: the third, decoded;\n   {}: x5c's first, decoded.",
        stage.shown("signed"),
        stage.shown("signature"),
        stage.shown(&certificate_file(0)),
    );

    let (leaf, key) = (
        stage.shown(&certificate_file(0)),
        stage.shown("leaf-key.pem"),
    );
    let words = [
        "x509", "-inform", "DER", "-in", &leaf, "-noout", "-pubkey", "-out", &key,
    ];
    show_and_run(&stage.tool("openssl").args(words))?;

    let (signature, signed) = (stage.shown("signature"), stage.shown("signed"));
    let words = [
        "dgst",
        "-sha256",
        "-verify",
        &key,
        "-signature",
        &signature,
        &signed,
    ];
    let said = show_and_run(&stage.tool("openssl").args(words))?.text();
    show_lines(said.trim_end());
    if said.trim() != "Verified OK" {
        return fail!("OpenSSL did not say `Verified OK`");
    }

    let pem = stage.shown("leaf.pem");
    let words = ["x509", "-inform", "DER", "-in", &leaf, "-out", &pem];
    show_and_run(&stage.tool("openssl").args(words))?;

    let (root, chain) = (stage.shown("pki/root.pem"), stage.shown("pki/chain.pem"));
    let words = ["verify", "-CAfile", &root, "-untrusted", &chain, &pem];
    let said = show_and_run(&stage.tool("openssl").args(words))?.text();
    show_lines(said.trim_end());
    Ok(())
}
