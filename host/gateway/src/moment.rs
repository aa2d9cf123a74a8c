//! A time, as people read it.

use privyseal_core::UnixTime;

/// A moment that a device names, which may be any number.
pub(crate) fn moment(seconds: u64) -> String {
    match UnixTime::from_secs(seconds) {
        Ok(_) if seconds == 0 => "none".to_owned(),
        Ok(time) => time.to_string(),
        Err(_) => format!("{seconds} s"),
    }
}
