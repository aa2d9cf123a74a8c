//! What needs no key: chains, and tokens that came from elsewhere.

use std::fs;

use privyseal_test_base::scratch::ishare_chain;
use privyseal_test_pki::pem_chain;

use crate::{NOW, Transcript};

/// A folder with files, and a transcript that calls it so.
fn folder(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Transcript) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let mut transcript = Transcript::exact();
    transcript.hide(folder.path().display(), "[DIR]");
    (folder, transcript)
}

/// The public test chain of iSHARE, whose names, numbers and dates are the same everywhere.
#[test]
fn a_public_chain() {
    let chain = ishare_chain();
    let reversed: Vec<_> = chain.iter().rev().cloned().collect();
    let twice = [chain.clone(), chain[..1].to_vec()].concat();
    let mut forged = chain.clone();
    *forged[0].last_mut().unwrap() ^= 1;
    let (dir, mut transcript) = folder(&[
        ("chain.pem", pem_chain(&chain).as_bytes()),
        ("chain.der", &chain.concat()),
        ("reversed.pem", pem_chain(&reversed).as_bytes()),
        ("twice.pem", pem_chain(&twice).as_bytes()),
        ("no-root.pem", pem_chain(&chain[..3]).as_bytes()),
        ("root.pem", pem_chain(&chain[3..]).as_bytes()),
        ("forged.pem", pem_chain(&forged).as_bytes()),
        ("cut.der", &chain[0][..500]),
        ("empty.pem", b""),
        ("text.pem", b"no certificate\n"),
        (
            "key.pem",
            b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        ),
    ]);
    let path = |name: &str| dir.path().join(name).display().to_string();
    for (name, now, more) in [
        ("chain.pem", NOW, &[][..]),
        ("chain.pem", NOW, &["--json"]),
        ("chain.pem", NOW, &["--scheme", "ishare"]),
        ("chain.pem", NOW, &["--scheme", "fiam"]),
        ("chain.pem", NOW, &["--scheme", "itsme"]),
        ("chain.pem", "1600000000", &[]),
        ("chain.pem", "3000000000", &["--json"]),
        ("chain.pem", "0", &[]),
        ("chain.der", NOW, &[]),
        ("reversed.pem", NOW, &[]),
        ("twice.pem", NOW, &[]),
        ("no-root.pem", NOW, &["--scheme", "ishare"]),
        ("root.pem", NOW, &["--scheme", "ishare"]),
        ("forged.pem", NOW, &[]),
        ("cut.der", NOW, &[]),
        ("empty.pem", NOW, &[]),
        ("text.pem", NOW, &[]),
        ("key.pem", NOW, &[]),
        ("missing.pem", NOW, &[]),
        ("", NOW, &[]),
        ("chain.pem", NOW, &["--crl", "/nowhere/list.crl"]),
        ("chain.pem", NOW, &["--crl", "/dev/null"]),
    ] {
        let chain = path(name);
        transcript.run(&[&["chain", "--chain", &chain, "--now", now], more].concat());
    }
    transcript.run(&["chain", "--chain", "token"]);
    transcript.is("chain");
}

const NO_SIGNATURE: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.";

/// `{"alg":"RS256","typ":"JWT","x5c":["MAA="]}` and claims of nobody, signed by nobody.
const NOBODY: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsIng1YyI6WyJNQUE9Il19\
.eyJpc3MiOiJhIiwic3ViIjoiYSIsImF1ZCI6ImIiLCJpYXQiOjE3ODAyNzIwMDAsImV4cCI6MTc4MDI3MjAzMCwianRpIjoiMSJ9.AAAA";

#[test]
fn tokens_that_nobody_believes() {
    let rfc7515 = fs::read(privyseal_test_base::scratch::fixture("rfc7515-a2.json")).unwrap();
    let example: serde_json::Value = serde_json::from_slice(&rfc7515).unwrap();
    let (dir, mut transcript) = folder(&[
        ("root.pem", pem_chain(&ishare_chain()[3..]).as_bytes()),
        ("jwks.json", br#"{"keys":[]}"#),
        ("no.json", b"{"),
        ("token.jwt", NOBODY.as_bytes()),
    ]);
    let root = dir.path().join("root.pem").display().to_string();
    let jwks = dir.path().join("jwks.json").display().to_string();
    let no_json = dir.path().join("no.json").display().to_string();
    for words in [
        &[""][..],
        &["a"],
        &["a.b"],
        &["a.b.c"],
        &["a.b.c.d.e"],
        &["e30.e30.e30"],
        &["e30.e30.e30", "--scheme", "fiam"],
        &["!.!.!"],
        &[NO_SIGNATURE],
        &[NOBODY],
        &[NOBODY, "--json"],
        &[NOBODY, "--scheme", "fiam"],
        &[NOBODY, "--scheme", "ishare", "--trust", &root],
        &[NOBODY, "--scheme", "itsme", "--jwks", &jwks],
        &[NOBODY, "--scheme", "itsme", "--jwks", &no_json],
        &[NOBODY, "--trust", "/nowhere/root.pem"],
        &[NOBODY, "--trust", &no_json],
        &[NOBODY, "--jwks", "/nowhere/jwks.json"],
        &[NOBODY, "--audience", "not an id", "--scheme", "fiam"],
        &[
            example["jws"].as_str().unwrap_or(NOBODY),
            "--scheme",
            "ehealth",
        ],
    ] {
        transcript.run(&[&["check", "--now", NOW], words].concat());
    }
    transcript.run_with(&["check", "-", "--now", NOW], NOBODY.as_bytes());
    transcript.run_with(&["check", "-", "--now", NOW], b"");
    transcript.is("check_strangers");
}
