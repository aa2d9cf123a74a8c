//! Writes the memory layout where the linker looks for it.

use std::env;
use std::fs;
use std::path::PathBuf;

/// What an STM32F405 has, but for the flash that holds the device's state.
const LAYOUT: &str = include_str!("memory.x");
/// Sectors 8 and 9, and sectors 10 and 11.
const FLASH: &str = "
_provision_start = 0x08080000;
_provision_end   = 0x080A0000;
_secrets_start   = 0x080A0000;
_secrets_end     = 0x080C0000;
_journal_start   = 0x080C0000;
_journal_end     = 0x08100000;
";
/// RAM in its place. QEMU's netduinoplus2 has the part's other 64 KiB here, where the part has nothing.
const EMULATED_FLASH: &str = "
_flash_mark      = 0x2001BFFC;
_journal_start   = 0x2001C000;
_journal_end     = 0x20020000;
_provision_start = 0x20020000;
_provision_end   = 0x2002E000;
_secrets_start   = 0x2002E000;
_secrets_end     = 0x20030000;
";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let storage = if env::var_os("CARGO_FEATURE_QEMU").is_some() {
        EMULATED_FLASH
    } else {
        FLASH
    };
    let written = fs::write(out.join("memory.x"), format!("{LAYOUT}{storage}"));
    assert!(
        written.is_ok(),
        "cannot write the memory layout: {written:?}"
    );
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if env::var_os("CARGO_FEATURE_LOG").is_some() {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=build.rs");
}
