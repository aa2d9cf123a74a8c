//! Installs the interpreter and packages of judges in another language: `cargo xtask setup` runs it.

use privyseal_test_judges::{node, python};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("node") => drop(node::interpreter()),
        _ => drop(python::interpreter()),
    }
}
