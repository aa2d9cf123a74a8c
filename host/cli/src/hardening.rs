//! What the process does for its secrets before it does anything else.
//!
//! The unsafe code is a promise: no other thread runs yet.

#![allow(unsafe_code)]

/// No core dump of this process, nobody else's look into its memory and environment, and no PIN in the environment of
/// programs that it or a module starts. Called first thing in `main`.
pub(super) fn harden() {
    #[cfg(target_os = "linux")]
    forbid_dumps();
    // SAFETY: `main` has started no thread.
    unsafe { privyseal_hsm::take_pin_variable() };
}

#[cfg(target_os = "linux")]
fn forbid_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // Where the system refuses, there is nothing else to be done.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

    #[test]
    fn the_process_is_not_dumped() {
        super::forbid_dumps();
        let set = dumpable_behavior().unwrap();
        // The others of this process may be looked at.
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
        assert_eq!(set, DumpableBehavior::NotDumpable);
    }
}
