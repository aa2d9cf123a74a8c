//! What the device answers, and what it can do.
#![allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]

use core::fmt;

use privyseal_core::named;
use serde::{Deserialize, Serialize, Serializer};

use super::DeviceId;
use super::refusal::{DeviceState, Refusal};
use super::request::Part;

/// An answer, or one of several.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Response<'a> {
    /// To [`super::Request::Info`].
    #[serde(borrow)]
    Info(Info<'a>),
    /// To [`super::Request::Read`].
    Data {
        /// Of what.
        part: Part,
        /// Bytes of the whole.
        total: u32,
        /// The first of these bytes.
        offset: u32,
        /// At most [`super::MAX_DATA`] of them; fewer only at the end.
        #[serde(serialize_with = "at_once")]
        bytes: &'a [u8],
    },
    /// To a step of [`super::Request::Provision`], and to [`super::Request::Generate`].
    Accepted {
        /// Bytes of the part that are there now; zero for a step without a part.
        received: u32,
    },
    /// To [`super::Provision::Commit`]: the device is locked and ready.
    Provisioned {
        /// SHA-256 of the key's SubjectPublicKeyInfo.
        key: [u8; 32],
    },
    /// To [`super::Request::Sign`]: a piece of the token. The signature was verified before the first
    /// one was sent. The token is whole when `offset` and the length of `bytes` make `total`.
    Token {
        /// Bytes of the whole token.
        total: u32,
        /// The first of these bytes.
        offset: u32,
        /// At most [`super::MAX_DATA`] of them.
        #[serde(serialize_with = "at_once")]
        bytes: &'a [u8],
    },
    /// To [`super::Request::Log`]: one entry; [`super::Entry::from_record`] reads it.
    Entry {
        /// The entry and its link in the chain.
        #[serde(serialize_with = "at_once")]
        record: &'a [u8],
    },
    /// The end of the entries.
    LogEnd {
        /// The number of the oldest entry that the device still has.
        first: u32,
        /// The number that the next entry will have.
        next: u32,
        /// The chain's head: the link of the newest entry.
        head: [u8; 32],
    },
    /// To [`super::Request::SetTime`].
    TimeSet {
        /// The new time floor.
        floor: u64,
    },
    /// To [`super::Request::Wipe`]: the key is gone.
    Wiped,
    /// Why not. Nothing has changed, unless the refusal says otherwise.
    Refused(Refusal),
    /// To [`super::Request::Csr`]: a piece of the certification request, DER, whose signature was verified.
    CertificationRequest {
        /// Bytes of the whole.
        total: u32,
        /// The first of these bytes.
        offset: u32,
        /// At most [`super::MAX_DATA`] of them.
        #[serde(serialize_with = "at_once")]
        bytes: &'a [u8],
    },
    /// To [`super::Request::Unlock`]: it has its key.
    Unlocked,
    /// To [`super::Request::Unwrap`].
    ContentKey {
        /// 16, 24, 32, 48 or 64 of them.
        #[serde(serialize_with = "at_once")]
        bytes: &'a [u8],
    },
}

/// A token is a credential, and a content key a secret: of bytes only their number is shown.
impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Info(info) => info.fmt(f),
            Self::Data { part, offset, .. } => write!(f, "Data({part} from {offset})"),
            Self::Accepted { received } => write!(f, "Accepted({received})"),
            Self::Provisioned { .. } => f.write_str("Provisioned"),
            Self::Token { total, offset, .. } => write!(f, "Token(from {offset} of {total})"),
            Self::Entry { .. } => f.write_str("Entry"),
            Self::LogEnd { first, next, .. } => write!(f, "LogEnd({first} to {next})"),
            Self::TimeSet { floor } => write!(f, "TimeSet({floor})"),
            Self::Wiped => f.write_str("Wiped"),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            Self::Unlocked => f.write_str("Unlocked"),
            Self::ContentKey { bytes } => write!(f, "ContentKey({} bytes)", bytes.len()),
            Self::CertificationRequest { total, offset, .. } => {
                write!(f, "CertificationRequest(from {offset} of {total})")
            }
        }
    }
}

/// What a device tells of itself to anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info<'a> {
    /// The firmware's version.
    pub firmware: &'a str,
    /// SHA-256 of the firmware's image, as the device read it.
    pub image: [u8; 32],
    /// Which device.
    pub device: DeviceId,
    /// Whether the part keeps its flash from a probe; nothing where it cannot say.
    pub read_out: Option<ReadOut>,
    /// What it can do now.
    pub state: DeviceState,
    /// Why it is [`DeviceState::Faulted`]: [`Refusal::Fault`] stays until it is wiped; [`Refusal::Entropy`] and
    /// [`Refusal::Storage`] are checked again at the next start.
    pub fault: Option<Refusal>,
    /// SHA-256 of the key's SubjectPublicKeyInfo, if there is a key.
    pub key: Option<[u8; 32]>,
    /// Assertions signed in the device's life: the counter in the last `jti`.
    pub counter: u64,
    /// No assertion is made for an earlier time than this.
    pub time_floor: u64,
    /// The latest time that the device believes now without the authority's word; zero without a policy.
    pub time_ceiling: u64,
    /// What the authority must sign next ([`super::authority`]); zero if the device has no random bytes.
    pub challenge: [u8; 16],
    /// Assertions that the rate limit allows at once now.
    pub rate_left: u16,
    /// Times the device has started with a key.
    pub boots: u32,
    /// Milliseconds since it started.
    pub uptime: u64,
    /// The number that the next entry of the log will have.
    pub log_next: u32,
    /// Frames that could not be read since it started.
    pub bad_frames: u32,
    /// Where the key comes from, if there is a key.
    pub origin: Option<Origin>,
    /// How far a key is that is being made.
    pub generation: Option<Generation>,
    /// What the key is encrypted under where it is kept, if there is a key.
    pub at_rest: Option<AtRest>,
}

/// What it takes besides the flash to read a key that is kept there. With neither of them anyone who reads the flash has the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtRest {
    /// A secret of the part that lies elsewhere than in its flash.
    pub device_secret: bool,
    /// An [`super::UnlockSecret`], which the host gives at each start.
    pub unlock_secret: bool,
}

impl fmt::Display for AtRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.device_secret, self.unlock_secret) {
            (true, true) => "encrypted under the part's secret and the unlock secret",
            (false, true) => "encrypted under the unlock secret",
            (true, false) => "encrypted under the part's secret",
            (false, false) => "readable for anyone who reads the flash",
        })
    }
}

/// How far the device is with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Bits of its modulus.
    pub bits: u16,
    /// Primes that are found: of two.
    pub primes: u8,
    /// Candidates that were drawn for the next one.
    pub candidates: u32,
}

named! {
    /// Where a device's key comes from.
    #[derive(Serialize, Deserialize)]
    #[non_exhaustive]
    pub enum Origin {
        /// The device has made it: it was never anywhere else.
        Generated = "generated",
        /// It was made elsewhere, and sent to the device.
        Imported = "imported",
    }
}

named! {
    /// Whether somebody who opens a device can read its flash, and the key in it.
    #[derive(Serialize, Deserialize)]
    #[non_exhaustive]
    pub enum ReadOut {
        /// Anyone with a probe can.
        Open = "open",
        /// A probe reads nothing, or what it may read is erased first.
        Protected = "protected",
        /// A probe reads nothing, and this cannot be undone.
        Closed = "closed",
    }
}

/// Writes bytes as bytes, not as a list of small numbers: the encoding is the same, and nearly all that a
/// device sends is a token.
fn at_once<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}
