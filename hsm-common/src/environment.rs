//! The PIN in the environment, and how a program keeps it from those that it starts.
//!
//! The unsafe code wipes and removes a variable, which is sound as long as no other thread looks at the environment.

#![allow(unsafe_code)]

use std::ffi::OsString;
use std::sync::OnceLock;

use zeroize::Zeroizing;

use crate::secret::{Secret, SecretUnavailable};

/// The environment variable that may hold the PIN or password.
pub const PIN_VARIABLE: &str = "PRIVYSEAL_PIN";

/// What the variable held when it was taken.
static TAKEN: OnceLock<Option<Result<Secret, SecretUnavailable>>> = OnceLock::new();

/// Takes [`PIN_VARIABLE`] out of the environment: programs that this one or a module starts do not inherit it.
/// [`PinSources`](crate::PinSources) knows it still.
///
/// # Safety
/// No other thread runs: it is the first thing in `main`.
pub unsafe fn take_pin_variable() {
    TAKEN.get_or_init(|| {
        let pin = of_environment();
        // SAFETY: the caller's promise.
        unsafe {
            wipe();
            std::env::remove_var(PIN_VARIABLE);
        }
        pin
    });
}

/// Overwrites the value where it stands, which removing the variable leaves as it is: in memory, and in what the system
/// shows of the process (`/proc/PID/environ`).
///
/// # Safety
/// As [`take_pin_variable`].
#[cfg(unix)]
unsafe fn wipe() {
    use std::ffi::{CStr, CString};
    use zeroize::Zeroize as _;

    let Ok(name) = CString::new(PIN_VARIABLE) else {
        return;
    };
    // SAFETY: the name ends with a NUL byte. What is given is null or a text that lies in memory of this process that may be
    // written to, and nobody else uses it, by the caller's promise.
    unsafe {
        let value = libc::getenv(name.as_ptr());
        if !value.is_null() {
            let len = CStr::from_ptr(value).to_bytes().len();
            std::slice::from_raw_parts_mut(value.cast::<u8>(), len).zeroize();
        }
    }
}

/// Not known how here.
///
/// # Safety
/// None is needed.
#[cfg(not(unix))]
unsafe fn wipe() {}

/// The PIN that was taken, or that is in the environment now.
pub(crate) fn pin() -> Option<Result<Secret, SecretUnavailable>> {
    TAKEN.get().cloned().unwrap_or_else(of_environment)
}

fn of_environment() -> Option<Result<Secret, SecretUnavailable>> {
    std::env::var_os(PIN_VARIABLE).map(secret)
}

fn secret(value: OsString) -> Result<Secret, SecretUnavailable> {
    let not_text = |_| SecretUnavailable::new(format!("{PIN_VARIABLE} is not UTF-8"));
    let value = value.into_string().map(Zeroizing::new).map_err(not_text)?;
    Secret::new(&value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const CHILD: &str = "PRIVYSEAL_TEST_CHILD";

    #[test]
    fn no_child_process_has_the_pin_in_its_environment() {
        const NAME: &str = "environment::tests::no_child_process_has_the_pin_in_its_environment";
        if std::env::var_os(CHILD).is_some() {
            // SAFETY: the threads of this process wait for the one of its only test.
            unsafe { take_pin_variable() };
            assert_eq!(pin(), Some(Secret::new("471147")));
            let other = Command::new("env").output().unwrap();
            let environment = String::from_utf8(other.stdout).unwrap();
            assert!(environment.contains(CHILD), "{environment}");
            assert!(!environment.contains("471147"), "{environment}");
            return;
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", NAME, "--test-threads=1"]);
        let output = child.env(CHILD, "1").env(PIN_VARIABLE, "471147").output();
        let output = output.unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }

    #[test]
    fn the_variable_may_not_be_empty() {
        assert!(secret(OsString::new()).is_err());
        assert_eq!(secret("1234".into()), Secret::new("1234"));
    }
}
