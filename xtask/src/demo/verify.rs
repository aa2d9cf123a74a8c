//! Someone who knows nothing of us looks at the assertion: OpenSSL.

use super::console::{base64url, show_and_run, show_lines, step};
use super::show::certificate_file;
use super::sign::Assertion;
use crate::failure::{Failure, fail};
use crate::token_dir::TokenDir;

/// Verifies the signature with the key of `x5c`'s first certificate, and that certificate up to the
/// test CA's root.
pub(super) fn verify(token: &TokenDir, assertion: &Assertion) -> Result<(), Failure> {
    step(
        6,
        "OpenSSL verifies it",
        "With the public key of the certificate that is in the assertion. Then that certificate, \
         up to\nthe root that a receiver trusts.",
    );
    token.write(
        "signed",
        format!("{}.{}", assertion.header, assertion.payload),
    )?;
    token.write("signature", base64url(&assertion.signature)?)?;
    println!(
        "   {}: the first two parts as they stand; {}: the third, decoded;\n   {}: x5c's first, decoded.",
        token.shown("signed"),
        token.shown("signature"),
        token.shown(&certificate_file(0)),
    );

    let leaf = token.shown(&certificate_file(0));
    let key = token.shown("leaf-key.pem");
    let openssl = |words| token.tool("openssl").words(words);
    let extract = openssl("x509 -inform DER -noout -pubkey");
    show_and_run(extract.args(["-in", &leaf, "-out", &key]))?;

    let (signature, signed) = (token.shown("signature"), token.shown("signed"));
    let check = openssl("dgst -sha256 -verify").args([&key, "-signature", &signature, &signed]);
    let said = show_and_run(check)?;
    show_lines(said.trim_end());
    if said.trim() != "Verified OK" {
        return fail!("OpenSSL did not say `Verified OK`");
    }

    let pem = token.shown("leaf.pem");
    let convert = openssl("x509 -inform DER");
    show_and_run(convert.args(["-in", &leaf, "-out", &pem]))?;

    let (root, chain) = (token.shown("pki/root.pem"), token.shown("pki/chain.pem"));
    let check = openssl("verify").args(["-CAfile", &root, "-untrusted", &chain, &pem]);
    show_lines(show_and_run(check)?.trim_end());
    Ok(())
}
