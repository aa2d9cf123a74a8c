//! Writes the memory layout where the linker looks for it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

const LAYOUT: &str = include_str!("memory.x");
/// Where a program lies that no first stage starts.
const FLASH: &str = "FLASH : ORIGIN = 0x00000000, LENGTH = 4M";
/// A first stage, with the maker's key behind it.
const FIRST_STAGE: &str = "FLASH : ORIGIN = 0x00000000, LENGTH = 127K
  MAKER : ORIGIN = 0x0001FC00, LENGTH = 1K";
/// What it starts, in the active slot: see `slots`.
const SLOT: &str = "FLASH : ORIGIN = 0x21100400, LENGTH = 1023K";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let mut layout = LAYOUT.to_owned();
    if has("FIRST_STAGE") {
        layout = layout.replace(FLASH, FIRST_STAGE) + &maker();
    } else if has("SLOT") {
        layout = layout.replace(FLASH, SLOT);
    }
    let written = fs::write(out.join("memory.x"), layout);
    assert!(
        written.is_ok(),
        "cannot write the memory layout: {written:?}"
    );
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PRIVYSEAL_MAKER_KEY");
    println!("cargo:rerun-if-env-changed=PRIVYSEAL_BENCH_CASES");
    println!("cargo:rerun-if-env-changed=PRIVYSEAL_BENCH_KEYS");
}

/// The public key in the file that is named, a SubjectPublicKeyInfo in DER, with its length before it.
fn maker() -> String {
    let file = env::var_os("PRIVYSEAL_MAKER_KEY").unwrap_or_default();
    println!("cargo:rerun-if-changed={}", file.display());
    let key = fs::read(&file);
    assert!(
        key.is_ok(),
        "no maker's key in the file that PRIVYSEAL_MAKER_KEY names: {key:?}"
    );
    let key = key.unwrap_or_default();
    let mut section = format!("\nSECTIONS {{ .maker : {{\n  LONG({});\n", key.len());
    for byte in key {
        let _ = writeln!(section, "  BYTE({byte});");
    }
    section + "} > MAKER } INSERT AFTER .rodata;\n"
}
