//! What can go wrong between a host and a gateway, and with what goes into one.

mod client;

use core::fmt;
use core::time::Duration;
use std::io;

use privyseal_core::{KeyEncryption, SignerError, SignerErrorKind};
use privyseal_protocol::policy::{MAX_AUDIENCES, PolicyError};
use privyseal_protocol::{FrameError, MAX_POLICY, PROTOCOL, Refusal};
use thiserror::Error;

pub use client::ClientError;

use crate::moment::moment;

/// Why a gateway did not do what it was asked, or why what it did is not believed. `asked` is always the
/// request in words, such as `sign an assertion`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The port or socket cannot be opened.
    #[error("cannot open {place}: {source}")]
    Open {
        /// Which.
        place: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another program has the port.
    #[error("{place} is in use by another program")]
    InUse {
        /// Which.
        place: String,
    },
    /// Bytes cannot be sent or received.
    #[error("cannot {doing} on the device's line: {source}")]
    Line {
        /// `send` or `receive`.
        doing: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// The line was closed from the other side.
    #[error("the line was closed before the device answered to \"{asked}\"")]
    Closed {
        /// The request.
        asked: &'static str,
    },
    /// No answer came in time.
    #[error("the device did not answer to \"{asked}\" within {} s; {noise}", .limit.as_secs_f32())]
    Silent {
        /// The request.
        asked: &'static str,
        /// How long the answer was waited for.
        limit: Duration,
        /// What came instead.
        noise: Noise,
    },
    /// Too many bytes came that are not an answer.
    #[error("the device did not answer to \"{asked}\"; {noise}")]
    Noisy {
        /// The request.
        asked: &'static str,
        /// What came instead.
        noise: Noise,
    },
    /// The device speaks another version of the protocol.
    #[error(
        "the device speaks version {found} of the protocol, and this software version {PROTOCOL}: it needs the image \
         of a release whose docs/link.md names version {PROTOCOL}"
    )]
    Version {
        /// Which.
        found: u8,
    },
    /// An answer to something else.
    #[error("the device gave an answer that is none to \"{asked}\"")]
    Unexpected {
        /// The request.
        asked: &'static str,
    },
    /// The device refused.
    #[error("device refused to {asked}: {}", dated(refusal))]
    Refused {
        /// The request.
        asked: &'static str,
        /// Why.
        refusal: Refusal,
    },
    /// What the device says cannot be true: it is broken, it is another one, or someone stands between.
    #[error("the device is not believed: {0}")]
    Untrue(String),
    /// The request does not fit a message.
    #[error("the request to {asked} is too long for a message")]
    TooLong {
        /// The request.
        asked: &'static str,
    },
    /// The device was reset, or gave the upload up, before it was complete.
    #[error("the device gave up the upload, or started again in it: it keeps nothing of it")]
    UploadLost,
    /// The device has made its key, and the rest is missing.
    #[error("the device has made its key, and waits for policy and certificate chain")]
    Uncertified,
    /// The device has its key, and needs its unlock secret to read it.
    #[error("the device is locked: it has its key, and needs its unlock secret to read it")]
    Locked,
    /// The device signs.
    #[error("the device's policy is for a key that signs: it unwraps no content keys")]
    Signs,
    /// The device unwraps content keys.
    #[error("the device's policy is for a key that unwraps content keys: it signs nothing")]
    Unwraps,
    /// It unwraps content keys of another kind.
    #[error(
        "a device unwraps content keys that were encrypted with RSA-OAEP-256, not with {algorithm}"
    )]
    KeyEncryption {
        /// Of which.
        algorithm: KeyEncryption,
    },
    /// The device stopped making a key.
    #[error("the device has made no key: it started again, or gave up, which its log then says")]
    NotGenerated,
    /// It runs another image than it should.
    #[error("the device says that it runs another image than is expected, {found}")]
    OtherImage {
        /// Its SHA-256, in hexadecimal.
        found: String,
    },
    /// Whoever opens it may read its flash.
    #[error("the device's flash is not kept from a probe: its read-out is {found}")]
    ReadOut {
        /// What it says of it.
        found: &'static str,
    },
    /// There is no key on the device.
    #[error("there is no key on the device")]
    NoKey,
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Entropy(#[from] getrandom::Error),
}

/// Bytes that came and are no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Noise {
    /// How many.
    pub bytes: usize,
    /// What is wrong with the last frame among them.
    pub last: Option<FrameError>,
}

/// Why key, chain and policy do not belong together.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackageError {
    /// There is no chain, and one is needed.
    #[error("a scheme of the policy sends the certificate chain, and none is given")]
    NoChain,
    /// There is a chain, and none is needed.
    #[error("a certificate chain is given, and no scheme of the policy sends one")]
    NeedlessChain,
    /// The policy leaves the client id to the leaf certificate, which does not say it.
    #[error("the policy has no client-id for {scheme}, and no leaf certificate says it")]
    ClientId {
        /// For which scheme.
        scheme: &'static str,
    },
    /// The policy has more audiences than a device takes.
    #[error("the policy has {count} audiences; a device takes {MAX_AUDIENCES} at most")]
    Audiences {
        /// How many.
        count: usize,
    },
    /// The policy breaks a rule that the device checks.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The time floor is far ahead of this machine's clock.
    #[error(
        "the policy's time-floor, {floor}, is more than a day after this machine's clock, {now} (seconds since the \
         epoch): the device would sign nothing until then"
    )]
    TimeFloor {
        /// The policy's, seconds since the epoch.
        floor: u64,
        /// This machine's clock.
        now: u64,
    },
    /// The time floor is where a certificate has ended.
    #[error(
        "the policy's time-floor, {floor} (seconds since the epoch), is after the end of a certificate of the chain: the \
         device would sign nothing"
    )]
    FloorBehindChain {
        /// The policy's, seconds since the epoch.
        floor: u64,
    },
    /// The policy is too long.
    #[error("the policy is too long: a device takes {MAX_POLICY} bytes of it")]
    PolicyTooLong,
    /// The chain, or what a scheme demands of it, of the key or of the clock.
    #[error(transparent)]
    Core(#[from] privyseal_core::Error),
    /// The operating system gave no random bytes for the device's generator.
    #[error("no random bytes: {0}")]
    Entropy(#[from] getrandom::Error),
}

/// A refusal, with dates for seconds.
fn dated(refusal: &Refusal) -> String {
    let text = refusal.to_string();
    match refusal {
        Refusal::TimeBack { floor: at } | Refusal::TimeAhead { ceiling: at } => {
            text.replace(&format!("{at} (seconds since the epoch)"), &moment(*at))
        }
        _ => text,
    }
}

/// What a device said, where it cannot be true.
pub(crate) fn untrue<T>(what: impl Into<String>) -> Result<T, DeviceError> {
    Err(DeviceError::untrue(what))
}

impl DeviceError {
    /// After how long asking again helps, where the rate limit is reached.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused {
                refusal: Refusal::Rate { wait },
                ..
            } => Some(Duration::from_millis(*wait as u64)),
            _ => None,
        }
    }

    pub(crate) fn untrue(what: impl Into<String>) -> Self {
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
                    | Refusal::Statement
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
            Self::NoKey | Self::Uncertified | Self::NotGenerated | Self::UploadLost => {
                SignerErrorKind::NotFound
            }
            Self::OtherImage { .. }
            | Self::ReadOut { .. }
            | Self::Signs
            | Self::Unwraps
            | Self::KeyEncryption { .. } => SignerErrorKind::KeyUnfit,
            Self::Refused {
                refusal: Refusal::Ciphertext,
                ..
            } => SignerErrorKind::Undecipherable,
            Self::Refused { .. } | Self::Locked => SignerErrorKind::Refused,
            Self::Entropy(_) => SignerErrorKind::Other,
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
