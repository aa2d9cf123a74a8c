//! Puts the memory layout where the linker looks for it.

use std::env;
use std::path::Path;

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-search={}", Path::new(&here).display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-env-changed=PRIVYSEAL_BENCH_CASES");
    println!("cargo:rerun-if-env-changed=PRIVYSEAL_BENCH_KEYS");
}
