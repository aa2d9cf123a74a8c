//! The one place that reads a clock. The core never does: every `now` is passed in.

use std::time::{SystemTime, UNIX_EPOCH};

use privyseal_core::UnixTime;

use super::BaseError;

/// The machine's clock. The core judges whether it can be right: it knows the release date and the
/// certificates.
///
/// # Errors
///
/// [`BaseError::Clock`] if the clock shows no moment of the years 1970 to 9999.
pub fn now() -> Result<UnixTime, BaseError> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since_epoch
        .and_then(|since_epoch| UnixTime::from_secs(since_epoch.as_secs()).ok())
        .ok_or(BaseError::Clock)
}
