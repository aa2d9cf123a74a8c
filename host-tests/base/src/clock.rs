//! The time of the tests.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the epoch.
///
/// # Panics
/// If the clock shows a time before 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

/// The time of the test run: what [`now`] said when this process first asked.
pub fn run_start() -> u64 {
    static START: OnceLock<u64> = OnceLock::new();
    *START.get_or_init(now)
}
