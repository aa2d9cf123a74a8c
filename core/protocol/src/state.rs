//! What a device can do, and whether its flash can be read.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Whether somebody who opens a device can read its flash, and the key in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReadOut {
    /// Anyone with a probe can.
    Open,
    /// A probe reads nothing, or what it may read is erased first.
    Protected,
    /// No probe, for ever.
    Closed,
}

/// What a device can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeviceState {
    /// No key: it can be provisioned.
    Empty,
    /// Between begin and commit.
    Provisioning,
    /// It signs.
    Ready,
    /// It signs no more: [`super::Info::fault`] says why, and what ends it.
    Faulted,
}

impl fmt::Display for ReadOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Protected => "protected",
            Self::Closed => "closed",
        })
    }
}

impl fmt::Display for DeviceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Faulted => "faulted",
        })
    }
}
