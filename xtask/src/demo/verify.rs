//! Someone who knows nothing of us looks at the assertion: OpenSSL.

use super::demo_dir::{DemoDir, base64url, show_and_run, show_lines};
use super::show::certificate_file;
use super::sign::Assertion;
use crate::failure::{Failure, fail};

/// Verifies the signature with the key of `x5c`'s first certificate, and that certificate up to the
/// test CA's root.
pub(super) fn verify(demo: &mut DemoDir, assertion: &Assertion) -> Result<(), Failure> {
    demo.step(
        "OpenSSL verifies it",
        "With the public key of the certificate that is in the assertion. Then that certificate, \
         up to\nthe root that a receiver trusts.",
    );
    demo.write(
        "signed",
        format!("{}.{}", assertion.header, assertion.payload),
    )?;
    demo.write("signature", base64url(&assertion.signature)?)?;
    println!(
        "   {}: the first two parts as they stand; {}: the third, decoded;\n   {}: x5c's first, decoded.",
        demo.shown("signed"),
        demo.shown("signature"),
        demo.shown(&certificate_file(0)),
    );

    let (leaf, key) = (demo.shown(&certificate_file(0)), demo.shown("leaf-key.pem"));
    let words = [
        "x509", "-inform", "DER", "-in", &leaf, "-noout", "-pubkey", "-out", &key,
    ];
    show_and_run(&demo.tool("openssl").args(words))?;

    let (signature, signed) = (demo.shown("signature"), demo.shown("signed"));
    let words = [
        "dgst",
        "-sha256",
        "-verify",
        &key,
        "-signature",
        &signature,
        &signed,
    ];
    let said = show_and_run(&demo.tool("openssl").args(words))?.text();
    show_lines(said.trim_end());
    if said.trim() != "Verified OK" {
        return fail!("OpenSSL did not say `Verified OK`");
    }

    let pem = demo.shown("leaf.pem");
    let words = ["x509", "-inform", "DER", "-in", &leaf, "-out", &pem];
    show_and_run(&demo.tool("openssl").args(words))?;

    let (root, chain) = (demo.shown("pki/root.pem"), demo.shown("pki/chain.pem"));
    let words = ["verify", "-CAfile", &root, "-untrusted", &chain, &pem];
    let said = show_and_run(&demo.tool("openssl").args(words))?.text();
    show_lines(said.trim_end());
    Ok(())
}
