//! A certificate for the key, and the chain on the token.

use super::demo_dir::{DemoDir, KEY, KEY_ID, TOKEN, show_and_run, show_lines};
use crate::failure::Failure;

/// The chain's files, leaf first, with the `CKA_ID` and label each gets on the token. PKCS#11 finds a
/// key's own certificate by the same id; the issuers above it are found by their subject.
const CHAIN: [(&str, &str, &str); 4] = [
    ("leaf", KEY_ID, KEY),
    ("issuing", "11", "issuing-ca"),
    ("sub", "12", "sub-ca"),
    ("root", "13", "root-ca"),
];

/// Has the test CA issue a leaf for the exported public key.
pub(super) fn issue(demo: &mut DemoDir) -> Result<(), Failure> {
    demo.step(
        "An eSeal certificate from a test CA",
        "Three levels (root, sub CA, issuing CA) as qualified trust services have them. The leaf \
         may be\nused for one thing, nonRepudiation, and names the organization in its subject.\n\
         The CA sees the public key only.",
    );
    let (key, dir) = (demo.shown("public-key.pem"), demo.shown("pki"));
    show_and_run(
        &demo
            .own("test-pki")
            .args(["issue", "--public-key", &key, "--out", &dir]),
    )?;
    let leaf = [
        "-in",
        &demo.shown("pki/leaf.der"),
        "-noout",
        "-subject",
        "-dates",
        "-ext",
    ];
    let show = demo
        .tool("openssl")
        .args(["x509", "-inform", "DER"])
        .args(leaf)
        .arg("keyUsage");
    let said = show_and_run(&show)?.text();
    show_lines(said.trim_end());
    Ok(())
}

/// Stores the chain beside the key.
pub(super) fn store(demo: &mut DemoDir) -> Result<(), Failure> {
    demo.step(
        "The chain goes onto the token",
        "FIAM wants the whole chain in every token, root included. Kept beside the key, one URI is \
         all\na client needs.",
    );
    for (name, id, label) in CHAIN {
        let file = demo.shown(&format!("pki/{name}.der"));
        let write = [
            "--write-object",
            &file,
            "--type",
            "cert",
            "--id",
            id,
            "--label",
            label,
        ];
        show_and_run(&demo.logged_in().args(write))?;
    }
    let list = ["--token-label", TOKEN, "--list-objects", "--type", "cert"];
    let said = show_and_run(&demo.pkcs11_tool().args(list))?.text();
    let kept = ["label:", "subject:", "ID:"];
    for line in said
        .lines()
        .filter(|line| kept.iter().any(|name| line.contains(name)))
    {
        show_lines(line.trim());
    }
    Ok(())
}
