//! Tests that load SoftHSM's module into their own process.
//!
//! The module reads `SOFTHSM2_CONF` when it is initialized, and a process initializes it once. So
//! each such test runs in a process of its own, in which that variable was set from the start:
//! setting it later is unsound in a process with threads, and the tests would share a token.

use std::env;
use std::path::Path;

use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_base::tool::LONG_LIMIT;

use super::SoftHsmToken;

/// The label of the token that the test gets.
const LABEL: &str = "suite";

/// Runs `test` in a process of its own, with a token whose module this process may load. `name` is
/// the test's path, as `cargo test -- --list` shows it.
///
/// `fill` puts on the token what the test needs, in this process, before that one starts: SoftHSM ends a process
/// that has a token open while another writes to it.
///
/// # Panics
/// If the test fails there, with what it printed.
pub fn in_own_process(
    name: &str,
    fill: impl FnOnce(&SoftHsmToken),
    test: impl FnOnce(&SoftHsmToken),
) {
    if is_child(name) {
        let configuration = env::var_os("SOFTHSM2_CONF").expect("set by the parent");
        let dir = Path::new(&configuration).parent();
        return test(&SoftHsmToken::attach(
            dir.expect("a file in a directory"),
            LABEL,
        ));
    }
    let token = SoftHsmToken::new(LABEL);
    fill(&token);
    OwnProcess::new(name)
        .environment([("SOFTHSM2_CONF".into(), token.configuration().into())])
        .silence(LONG_LIMIT)
        .must_pass();
}
