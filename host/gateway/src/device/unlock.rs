//! A device that needs a secret at each start.

use privyseal_protocol::{DeviceState, Request, Response};

use super::Device;
use crate::error::{DeviceError, untrue};
use crate::unlock::UnlockSecret;

impl Device {
    /// Gives a locked device its secret; `false` if it is not locked, and was given nothing.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] for a wrong secret, and for more of them than it takes in a while;
    /// [`DeviceError::Untrue`] if it is locked still, or has another key than it said.
    pub fn unlock(&mut self, secret: &UnlockSecret) -> Result<bool, DeviceError> {
        let before = self.refresh()?;
        if before.state != DeviceState::Locked {
            return Ok(false);
        }
        let key = before.key;
        // It then proves all that it has, as at a start.
        self.order("unlock its key", &Request::Unlock(secret.sent()), |it| {
            matches!(it, Response::Unlocked)
        })?;
        let after = self.refresh()?;
        if after.state == DeviceState::Locked || after.key != key {
            return untrue(
                "it took its unlock secret, and has not the key now that it said it had",
            );
        }
        Ok(true)
    }
}
