//! A command that the device refused: which, with what code, and what that means.

use std::fmt;

use privyseal_core::signer::SignerErrorKind;
use yubihsm::device;

/// A code of the device, named as Yubico names it.
///
/// The `yubihsm` crate 0.42 names those from 0x0d on wrongly (it calls 0x0e `DemoMode`); the number that
/// the device sent is taken back from it and named again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceCode(u8);

impl DeviceCode {
    /// `INVALID_DATA`.
    pub const INVALID_DATA: Self = Self(0x02);
    /// `INSUFFICIENT_PERMISSIONS`.
    pub const INSUFFICIENT_PERMISSIONS: Self = Self(0x09);
    /// `LOG_FULL`.
    pub const LOG_FULL: Self = Self(0x0a);
    /// `OBJECT_NOT_FOUND`.
    pub const OBJECT_NOT_FOUND: Self = Self(0x0b);

    pub(crate) fn from_crate(kind: device::ErrorKind) -> Self {
        match kind {
            // It never makes this one from a number, and cannot turn it into one.
            device::ErrorKind::SshCaConstraintViolation => Self(0x0e),
            kind => Self(kind.to_u8()),
        }
    }

    /// The code as the device sent it.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// As in Yubico's headers, without the prefix `YHR_DEVICE_`.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "OK",
            0x01 => "INVALID_COMMAND",
            0x02 => "INVALID_DATA",
            0x03 => "INVALID_SESSION",
            0x04 => "AUTHENTICATION_FAILED",
            0x05 => "SESSIONS_FULL",
            0x06 => "SESSION_FAILED",
            0x07 => "STORAGE_FAILED",
            0x08 => "WRONG_LENGTH",
            0x09 => "INSUFFICIENT_PERMISSIONS",
            0x0a => "LOG_FULL",
            0x0b => "OBJECT_NOT_FOUND",
            0x0c => "INVALID_ID",
            0x0e => "SSH_CA_CONSTRAINT_VIOLATION",
            0x0f => "INVALID_OTP",
            0x10 => "DEMO_MODE",
            0x11 => "OBJECT_EXISTS",
            0x12 => "ALGORITHM_DISABLED",
            0xff => "COMMAND_UNEXECUTED",
            _ => return None,
        })
    }

    fn outcome(self) -> (SignerErrorKind, &'static str) {
        use SignerErrorKind as Kind;
        match self.0 {
            0x03 | 0x06 => (Kind::Unavailable, "; the device dropped the session"),
            0x04 => (Kind::PinIncorrect, ""),
            0x05 => (
                Kind::Busy,
                "; all 16 sessions are taken, one is freed after 30 s",
            ),
            0x07 => (Kind::Other, "; the device's store is full or broken"),
            0x09 => (
                Kind::KeyUnfit,
                "; the key and the authentication key must both have the capability, and share a domain",
            ),
            0x0a => (
                Kind::Busy,
                "; the device's log is full, and with force-audit it signs nothing until the log is drained",
            ),
            0x0b => (
                Kind::NotFound,
                "; no such object in the domains of the authentication key",
            ),
            0x11 => (
                Kind::Other,
                "; an object of this id and type is there already",
            ),
            0x12 => (
                Kind::KeyUnfit,
                "; the algorithm is switched off on this device",
            ),
            0x01 | 0x02 | 0x08 => (Kind::Protocol, ""),
            _ => (Kind::Other, ""),
        }
    }
}

impl fmt::Display for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:02x})", self.0),
            None => write!(f, "unknown code 0x{:02x}", self.0),
        }
    }
}

/// The device refused a command. Prints as `SignPkcs1: INSUFFICIENT_PERMISSIONS (0x09)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{function}: {code}")]
pub struct CallError {
    /// The command, as Yubico's documentation calls it, without spaces.
    pub function: &'static str,
    /// What the device answered.
    pub code: DeviceCode,
}

impl CallError {
    pub(crate) fn kind(self) -> SignerErrorKind {
        self.code.outcome().0
    }

    /// What that means, as `; the device dropped the session`. Empty where the name says it all.
    pub(crate) fn meaning(self) -> &'static str {
        self.code.outcome().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives_the_crate() {
        for code in 0..=u8::MAX {
            assert_eq!(
                DeviceCode::from_crate(device::ErrorKind::from_u8(code)),
                DeviceCode(code)
            );
        }
    }

    /// The crate says `DemoMode`, `CommandUnexecuted` and `GenericError`.
    #[test]
    fn names_are_yubicos() {
        for (code, name) in [
            (0x0e, "SSH_CA_CONSTRAINT_VIOLATION"),
            (0x0f, "INVALID_OTP"),
            (0x10, "DEMO_MODE"),
            (0x12, "ALGORITHM_DISABLED"),
            (0xff, "COMMAND_UNEXECUTED"),
        ] {
            assert_eq!(DeviceCode(code).name(), Some(name));
        }
        assert_eq!(DeviceCode(0x0d).to_string(), "unknown code 0x0d");
        let error = CallError {
            function: "SignPkcs1",
            code: DeviceCode::LOG_FULL,
        };
        assert_eq!(error.to_string(), "SignPkcs1: LOG_FULL (0x0a)");
    }
}
