//! The one place that reads a clock. The core never does: every `now` is passed in.

use std::time::{SystemTime, UNIX_EPOCH};

use privyseal_core::UnixTime;
use privyseal_core::cert::ClockError;

use crate::error::Error;

/// The machine's clock. Whether it can be right is for the core to judge, which knows the release date
/// and the certificates.
pub fn now() -> Result<UnixTime, Error> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| {
        let epoch = UnixTime::MAX.saturating_sub(u64::MAX);
        privyseal_core::Error::Clock(ClockError::Unset { now: epoch })
    })?;
    Ok(UnixTime::from_secs(since_epoch.as_secs())?)
}
