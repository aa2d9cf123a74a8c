//! Why a device did not do what it was asked.

use privyseal_core::named;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::request::Part;

/// A refusal. Numbers are those a caller needs to do better; nothing in it tells of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The frame, or the message in it, could not be read. Comes with id 0 if the id is not known.
    #[error("the device could not read the request: {0}")]
    Frame(FrameError),
    /// Not in this state.
    #[error("the device is {0}, which does not go with this")]
    State(DeviceState),
    /// This part is never read back, or is not there.
    #[error("the {0} cannot be read from the device")]
    NotReadable(Part),
    /// Something is wrong with an upload, or with what was uploaded.
    #[error("the {part} {fault}")]
    Part {
        /// With which part.
        part: Part,
        /// What.
        fault: PartFault,
    },
    /// What was uploaded does not sign: the pairwise test failed.
    #[error("the pairwise test failed: key and chain were destroyed again, nothing is provisioned")]
    PairwiseTest,
    /// The policy does not have this scheme.
    #[error("the device's policy does not have this scheme")]
    Scheme,
    /// The audience is not in the policy's list for this scheme.
    #[error("the audience is not in the device's policy for this scheme")]
    Audience,
    /// The lifetime is longer than the policy or the scheme allows.
    #[error("the lifetime is not one that scheme and policy allow (policy: at most {max} s)")]
    Lifetime {
        /// The longest that the policy allows, in seconds.
        max: u32,
    },
    /// The core's own rules refuse another field: `backdate`, an audience's syntax.
    #[error("a field breaks a rule of the scheme")]
    Field,
    /// The clock cannot be right, or a certificate of the chain is not valid at this time.
    #[error("the clock cannot be right, or a certificate of the chain is not valid at this time")]
    Clock,
    /// Time does not go back.
    #[error(
        "the device's time floor, {floor} (seconds since the epoch), is later than this: it has signed or was \
                 provisioned for that time, so a clock was ahead then, or this one is behind"
    )]
    TimeBack {
        /// The earliest time that is accepted, seconds since the epoch.
        floor: u64,
    },
    /// The time is later than the device believes without the authority's word.
    #[error(
        "the device does not believe that it is so late: without the word of its provisioning \
                 authority {ceiling} (seconds since the epoch) is the latest that it accepts"
    )]
    TimeAhead {
        /// The latest time that is accepted, seconds since the epoch.
        ceiling: u64,
    },
    /// Too many at a time.
    #[error("the rate limit is reached; the next is possible in {wait} ms")]
    Rate {
        /// Milliseconds until the next is possible.
        wait: u32,
    },
    /// Nobody pressed the button in time.
    #[error("nobody pressed the device's button in time")]
    Presence,
    /// No authority can speak for this policy, or this is not its signature.
    #[error("this is not the word of the device's provisioning authority, or its policy has none")]
    Authority,
    /// Another device was meant.
    #[error("another device was meant")]
    Device,
    /// The device has no random bytes that it may use.
    #[error("the device has no random bytes that it may use")]
    Entropy,
    /// The flash failed.
    #[error("the device's flash failed")]
    Storage,
    /// A computation went wrong; nothing was released, and the device signs no more.
    #[error("a computation of the device went wrong; nothing was released and it signs no more")]
    Fault,
    /// No key is made of that size.
    #[error("the device makes RSA keys of 2048, 3072 or 4096 bits")]
    KeySize,
    /// The board's random generator had no part in the key, and the policy demands it.
    #[error("the policy demands the board's random generator, and the key was made without it")]
    KeyEntropy,
    /// Another secret than the one under which the key is kept.
    #[error("this is not the unlock secret of the device's key")]
    Unlock,
    /// The policy demands an unlock secret, and the key is kept without one.
    #[error("the policy demands an unlock secret, and the key was made or sent without one")]
    KeyUnlock,
    /// Another policy than the one that the key is to be renewed with, or it has no room for more of them.
    #[error(
        "this is not the policy that the device's key was to be renewed with, or it was renewed with too many"
    )]
    Renewal,
    /// The policy does not allow such statements for this scheme.
    #[error("the device's policy does not allow such a statement for this scheme")]
    Statement,
    /// What was composed is in the wrong order, too long, or no content.
    #[error("what the statement is to say did not come whole, or is none")]
    Content,
    /// Something is wrong with an image of the firmware that was sent.
    #[error("the image {0}")]
    Image(ImageFault),
    /// The policy is one for signing.
    #[error("the device's policy is for a key that signs: it unwraps no content keys")]
    Unwrap,
    /// It does not decrypt, or not to what has the length of a content key: which of them is not said.
    #[error("this is no content key that was encrypted to the device's key with RSA-OAEP-256")]
    Ciphertext,
}

/// What can be wrong with an image for an update. The image that runs stays in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[non_exhaustive]
pub enum ImageFault {
    /// The device runs without a first stage: nobody would verify it.
    #[error("cannot be taken: the device was flashed without a first stage, which verifies images")]
    NoFirstStage,
    /// The piece does not begin where the last one ended, or one before it was short.
    #[error("must go on at byte {expected}")]
    Offset {
        /// Where it must begin.
        expected: u32,
    },
    /// It is longer than the place for it.
    #[error("is longer than the {max} bytes that the device has room for")]
    Size {
        /// Bytes of an image, at most.
        max: u32,
    },
    /// It does not begin with the header of a signed image.
    #[error("has no header of a signed image")]
    Header,
    /// It is for another board.
    #[error("is for another board")]
    Board,
    /// It is older than one that the device has run, or that one again.
    #[error("has the version {found}, and the device takes {least} or a later one")]
    Version {
        /// The version in its header.
        found: u32,
        /// The earliest that is taken.
        least: u32,
    },
    /// The first stage's key has not signed its header.
    #[error("is not signed by the key that the device's first stage trusts")]
    Signature,
    /// Its bytes are not those that its header names, or not all of them are there.
    #[error("is not whole: it has not the length and the SHA-256 that its header names")]
    Digest,
    /// The first stage has no place left to note another version.
    #[error("cannot be taken: the device has no place left to note another version")]
    NoRoom,
}

/// What can be wrong with a part of an upload. Those up to [`PartFault::Missing`] leave the upload as it
/// is; the others come from commit, which destroys it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[non_exhaustive]
pub enum PartFault {
    /// More bytes than the part may have, or fewer than it must have, or than was said at the beginning.
    #[error("must have {min} to {max} bytes")]
    Size {
        /// The least allowed.
        min: u32,
        /// The most allowed.
        max: u32,
    },
    /// The chunk does not begin where the last one ended.
    #[error("must go on at byte {expected}")]
    Offset {
        /// Where it must begin.
        expected: u32,
    },
    /// The chunk is neither [`super::CHUNK`] bytes nor the rest of the part.
    #[error("came in a chunk of the wrong size")]
    ChunkSize,
    /// This part is not uploaded.
    #[error("is not uploaded")]
    NotUploaded,
    /// Bytes are missing.
    #[error("is not complete: {received} bytes are there")]
    Missing {
        /// Bytes that are there.
        received: u32,
    },
    /// It is not of its form: numbers of an RSA key, certificates, a policy.
    #[error("cannot be read; the upload was destroyed")]
    Malformed,
    /// It is well-formed and breaks a rule: a chain that is not proved, a key whose primes are none
    /// of its modulus, a policy that demands what its schemes forbid.
    #[error("breaks a rule; the upload was destroyed")]
    Rule,
    /// The leaf certificate is for another key.
    #[error("is for another key than the private one; the upload was destroyed")]
    KeyMismatch,
}

impl Refusal {
    /// The number in the log.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Frame(_) => 1,
            Self::State(_) => 2,
            Self::NotReadable(_) => 3,
            Self::Part { .. } => 4,
            Self::PairwiseTest => 5,
            Self::Scheme => 6,
            Self::Audience => 7,
            Self::Lifetime { .. } => 8,
            Self::Field => 9,
            Self::Clock => 10,
            Self::TimeBack { .. } => 11,
            Self::TimeAhead { .. } => 12,
            Self::Rate { .. } => 13,
            Self::Presence => 14,
            Self::Authority => 15,
            Self::Device => 16,
            Self::Entropy => 17,
            Self::Storage => 18,
            Self::Fault => 19,
            Self::KeySize => 20,
            Self::KeyEntropy => 21,
            Self::Unlock => 22,
            Self::KeyUnlock => 23,
            Self::Renewal => 24,
            Self::Statement => 25,
            Self::Content => 26,
            Self::Image(_) => 27,
            Self::Unwrap => 28,
            Self::Ciphertext => 29,
        }
    }

    /// A word for a number in the log.
    pub fn word(code: u8) -> &'static str {
        const WORDS: [&str; 30] = [
            "none",
            "frame",
            "state",
            "not readable",
            "part",
            "trial",
            "scheme",
            "audience",
            "lifetime",
            "field",
            "clock",
            "time back",
            "time ahead",
            "rate",
            "presence",
            "authority",
            "device",
            "entropy",
            "storage",
            "fault",
            "key size",
            "key entropy",
            "unlock",
            "key unlock",
            "renewal",
            "statement",
            "content",
            "image",
            "unwrap",
            "ciphertext",
        ];
        WORDS.get(usize::from(code)).unwrap_or(&"unknown")
    }
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame ends where COBS says that more must come.
    #[error("the frame is not COBS")]
    Cobs,
    /// A frame holds more than a message of [`MAX_MESSAGE`](crate::MAX_MESSAGE) bytes and its CRC.
    #[error("the frame holds more than a message of {max} bytes", max = crate::MAX_MESSAGE)]
    TooLong,
    /// A frame is too short to hold a message.
    #[error("the frame is too short for a message")]
    TooShort,
    /// The CRC is another one.
    #[error("the frame's CRC-32 is wrong")]
    Checksum,
    /// The message is of another version of the protocol.
    #[error("the message has protocol version {found}, spoken here is {protocol}", protocol = crate::PROTOCOL)]
    Version {
        /// Its version byte.
        found: u8,
    },
    /// The body is not what a message of this kind holds.
    #[error("the message is none of this protocol")]
    Body,
}

named! {
    /// What a device can do.
    #[derive(Serialize, Deserialize)]
    #[non_exhaustive]
    pub enum DeviceState {
        /// No key: it can be provisioned.
        Empty = "empty",
        /// Between begin and commit.
        Provisioning = "provisioning",
        /// It signs.
        Ready = "ready",
        /// It signs no more: [`super::Info::fault`] says why, and what ends it.
        Faulted = "faulted",
        /// It makes a key: [`super::Info::generation`].
        Generating = "generating a key",
        /// It has made a key, for which policy and certificate chain are to come.
        Uncertified = "waiting for the certificate of its key",
        /// It has a key, and cannot read it before it is given its unlock secret.
        Locked = "locked until it is given its unlock secret",
    }
}
