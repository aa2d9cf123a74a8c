//! A new scheme is one file of rules and one file of vectors, its module and its name in the list of schemes: a copy of the core
//! is given a toy so, and nothing else; then it makes the toy's assertions, judges and guesses them, and a gateway's
//! policy and log know its number.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::fs;
use std::path::Path;
use std::process::Command;

use privyseal_test_base::scratch::{cache_dir, workspace};

const CRATES: [&str; 4] = ["core", "core/check", "core/ifma", "core/protocol"];

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

#[test]
fn a_new_scheme_is_two_files() {
    let temp = tempfile::tempdir().unwrap();
    let tree = temp.path();
    for path in [
        "core",
        "Cargo.lock",
        "host-tests/fixtures/ishare-test-chain",
    ] {
        fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
        copy(&workspace().join(path), &tree.join(path));
    }
    // The workspace without the crates that stay behind.
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let (_, after_members) = manifest.split_once("\n]\n").unwrap();
    let (_, rest) = after_members.split_once("\n[").unwrap();
    let members = format!("[workspace]\nresolver = \"3\"\nmembers = {CRATES:?}\n\n[{rest}");
    fs::write(tree.join("Cargo.toml"), members).unwrap();

    let toy = workspace().join("host-tests/core-tests/tests/toy_scheme");
    copy(&toy.join("toy.rs"), &tree.join("core/src/scheme/toy.rs"));
    copy(
        &toy.join("toy.json"),
        &tree.join("core/check/tests/schemes/toy.json"),
    );
    let list = tree.join("core/src/scheme.rs");
    let text = fs::read_to_string(&list).unwrap();
    let with_module = text.replacen("pub mod ehealth;\n", "pub mod ehealth;\npub mod toy;\n", 1);
    assert_ne!(text, with_module);
    let with_toy = with_module.replacen("&EHEALTH]", "&EHEALTH, &toy::TOY]", 1);
    assert_ne!(with_module, with_toy);
    fs::write(&list, with_toy).unwrap();

    let output = Command::new(env!("CARGO"))
        .args([
            "test",
            "--offline",
            "-p",
            "privyseal-check",
            "-p",
            "privyseal-protocol",
        ])
        .args(["--lib", "--test", "schemes", "--", "--nocapture"])
        .env("CARGO_TARGET_DIR", cache_dir("toy-scheme"))
        .current_dir(tree)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("toy: vectors hold"), "{said}");
    assert!(said.contains("every_scheme_has_its_id ... ok"), "{said}");
}
