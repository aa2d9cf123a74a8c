//! What can go wrong between a host and a gateway.

use core::fmt;
use core::time::Duration;
use std::io;

use privyseal_core::{SignerError, SignerErrorKind};
use privyseal_protocol::{FrameError, PROTOCOL, Refusal};

/// Why a gateway did not do what it was asked, or why what it did is not believed.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeviceError {
    /// The port or socket cannot be opened.
    Open {
        /// Which.
        place: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another program has the port.
    InUse {
        /// Which.
        place: String,
    },
    /// Bytes cannot be sent or received.
    Line {
        /// `send` or `receive`.
        doing: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// The line was closed from the other side.
    Closed {
        /// What was asked.
        asked: &'static str,
    },
    /// No answer came in time.
    Silent {
        /// What was asked.
        asked: &'static str,
        /// For how long the answer was awaited.
        limit: Duration,
        /// What came instead.
        noise: Noise,
    },
    /// So much came that is no answer that none is awaited any more.
    Noisy {
        /// What was asked.
        asked: &'static str,
        /// What came instead.
        noise: Noise,
    },
    /// The device speaks another version of the protocol.
    Version {
        /// Which.
        found: u8,
    },
    /// An answer to something else.
    Unexpected {
        /// What was asked.
        asked: &'static str,
    },
    /// The device refused.
    Refused {
        /// What was asked.
        asked: &'static str,
        /// Why.
        refusal: Refusal,
    },
    /// What the device says cannot be true: it is broken, it is another one, or someone stands between.
    Untrue(String),
    /// The request does not fit a message.
    TooLong {
        /// What was asked.
        asked: &'static str,
    },
    /// There is no key on the device.
    NoKey,
    /// The operating system gave no random bytes.
    Entropy(getrandom::Error),
}

/// Bytes that came and are no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// How many.
    pub bytes: usize,
    /// What is wrong with the last frame among them.
    pub last: Option<FrameError>,
}

impl DeviceError {
    pub(super) fn untrue(what: impl Into<String>) -> Self {
        Self::Untrue(what.into())
    }

    /// Whether the device's policy or a rule of the scheme is the reason; asking again does not help.
    pub const fn is_policy(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                refusal: Refusal::Scheme
                    | Refusal::Audience
                    | Refusal::Lifetime { .. }
                    | Refusal::Field
                    | Refusal::Clock
                    | Refusal::TimeBack { .. }
                    | Refusal::TimeAhead { .. }
                    | Refusal::Rate { .. }
                    | Refusal::Presence
                    | Refusal::Authority
                    | Refusal::Part { .. },
                ..
            }
        )
    }

    /// What to do about it, where that can be said.
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::InUse { .. } => {
                "close the other program (a terminal on the port, another privyseal)"
            }
            Self::Silent { noise, .. } if noise.bytes == 0 => {
                "see that the gateway has power, that this is its port, and that no other program has it"
            }
            Self::Silent { .. } | Self::Noisy { .. } => {
                "see that this is the gateway's port and speed (device:PORT?baud=N)"
            }
            Self::NoKey
            | Self::Refused {
                refusal: Refusal::State(privyseal_protocol::State::Empty),
                ..
            } => "provision it first: privyseal device provision",
            Self::Refused {
                asked: "be provisioned",
                refusal: Refusal::State(privyseal_protocol::State::Ready),
            } => "it has a key, which nothing replaces: privyseal device wipe destroys it first",
            // Wiping it would destroy a key that may be sound.
            Self::Refused {
                refusal: Refusal::State(privyseal_protocol::State::Faulted),
                ..
            } => "privyseal device info says why, and what to do",
            Self::Refused {
                refusal: Refusal::Fault,
                ..
            } => {
                "read its log (privyseal device log), then wipe it and provision it anew, or replace it"
            }
            Self::Refused {
                refusal: Refusal::TimeAhead { .. },
                ..
            } => "have the provisioning authority set the time: privyseal device set-time",
            Self::Refused {
                refusal: Refusal::TimeBack { .. },
                ..
            } => "set this machine's clock (timedatectl set-ntp true)",
            Self::Untrue(_) => {
                "do not use it until you know why: another device, a bridge that alters bytes, or an attack"
            }
            _ => return None,
        })
    }
}

impl SignerError for DeviceError {
    fn kind(&self) -> SignerErrorKind {
        match self {
            Self::Open { .. } | Self::Line { .. } | Self::Closed { .. } => {
                SignerErrorKind::Unavailable
            }
            Self::InUse { .. } => SignerErrorKind::Busy,
            Self::Silent { .. } => SignerErrorKind::Timeout,
            Self::Noisy { .. }
            | Self::Version { .. }
            | Self::Unexpected { .. }
            | Self::Untrue(_)
            | Self::TooLong { .. } => SignerErrorKind::Protocol,
            Self::NoKey => SignerErrorKind::NotFound,
            Self::Refused { .. } => SignerErrorKind::Refused,
            Self::Entropy(_) => SignerErrorKind::Other,
        }
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { place, source } => write!(f, "cannot open {place}: {source}"),
            Self::InUse { place } => write!(f, "{place} is in use by another program"),
            Self::Line { doing, source } => {
                write!(f, "cannot {doing} on the device's line: {source}")
            }
            Self::Closed { asked } => write!(
                f,
                "the line was closed before the device answered to \"{asked}\""
            ),
            Self::Silent {
                asked,
                limit,
                noise,
            } => write!(
                f,
                "the device did not answer to \"{asked}\" within {} s; {noise}",
                limit.as_secs_f32()
            ),
            Self::Noisy { asked, noise } => {
                write!(f, "the device did not answer to \"{asked}\"; {noise}")
            }
            Self::Version { found } => write!(
                f,
                "the device speaks version {found} of the protocol, and this software version {PROTOCOL}"
            ),
            Self::Unexpected { asked } => {
                write!(f, "the device gave an answer that is none to \"{asked}\"")
            }
            Self::Refused { asked, refusal } => write!(f, "device refused to {asked}: {refusal}"),
            Self::Untrue(what) => write!(f, "the device is not believed: {what}"),
            Self::TooLong { asked } => {
                write!(f, "the request to {asked} is too long for a message")
            }
            Self::NoKey => f.write_str("there is no key on the device"),
            Self::Entropy(error) => write!(f, "no random bytes: {error}"),
        }
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bytes, self.last) {
            (0, _) => f.write_str("nothing came"),
            (bytes, None) => write!(f, "{bytes} bytes came, and no frame among them"),
            (bytes, Some(error)) => write!(f, "{bytes} bytes came that are no answer; {error}"),
        }
    }
}

impl core::error::Error for DeviceError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Open { source, .. } | Self::Line { source, .. } => Some(source),
            Self::Refused { refusal, .. } => Some(refusal),
            Self::Entropy(error) => Some(error),
            _ => None,
        }
    }
}
