//! The device's log: what it signed, what it refused, and what became of it.
//!
//! Each entry is linked to the one before it by SHA-256, the first one to the device's id. Who has seen a
//! head knows of every entry up to it; an entry that was changed, left out or put in breaks the chain. The
//! entries are also the device's memory (counter, time floor, rate limit): the newest one is its state.
#![allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]

use sha2::{Digest as _, Sha256};

use super::DeviceId;
use super::policy::SchemeId;
use super::refusal::Refusal;
use super::statement::Statement;
use privyseal_core::encoding::sink::{Sink, SliceSink};
use privyseal_core::named;

/// Bytes of an entry without its link.
pub const ENTRY_LEN: usize = 80;

/// Bytes of a link: SHA-256.
pub const LINK_LEN: usize = 32;

/// Bytes of an entry and its link: what a device stores and sends.
pub const RECORD_LEN: usize = ENTRY_LEN + LINK_LEN;

/// The byte that stands for no scheme and for no audience.
const NONE: u8 = 0xff;

named! {
    /// What happened.
    #[non_exhaustive]
    pub enum Event {
        /// The device started with a key.
        Boot = "boot",
        /// Provisioning began.
        ProvisionBegun = "provisioning begun",
        /// A key that was made elsewhere was locked in; the digest is that of its SubjectPublicKeyInfo.
        Imported = "imported",
        /// An assertion was made; the digest is that of its signing input. Written before the signature is
        /// made, so a token that left the device is always in the log.
        Signed = "signed",
        /// A request to sign, to unwrap, to commit, to set the time or to wipe was refused, or a start did not make the
        /// key ready; `code` says why ([`Refusal::word`]).
        Refused = "refused",
        /// The provisioning authority set the time.
        TimeSet = "time set",
        /// The key was destroyed.
        Wiped = "wiped",
        /// A computation went wrong.
        Fault = "fault",
        /// The device has made a key; the digest is that of its SubjectPublicKeyInfo.
        Generated = "generated",
        /// A certification request was made; the digest is that of what it signs.
        Requested = "csr signed",
        /// Policy and chain were locked to a key that the device had, which the digest names.
        Installed = "installed",
        /// A secret was given to unlock the device. Written before it is tried.
        UnlockTried = "unlock tried",
        /// It was the right one.
        Unlocked = "unlocked",
        /// Policy and chain were given up for new ones; the digest is the fingerprint of the policy that is to come
        /// ([`super::Policy::fingerprint`]).
        RenewalBegun = "renewal begun",
        /// A login hint was made: as [`Event::Signed`].
        HintSigned = "login hint signed",
        /// An authentication request was made: as [`Event::Signed`].
        AuthenticationSigned = "authentication signed",
        /// An authorization request was made: as [`Event::Signed`].
        AuthorizationSigned = "authorization signed",
        /// The upload of an image of the firmware began.
        UpdateBegun = "update begun",
        /// An image was verified, and the device starts again with it; the digest is the image's.
        UpdateTaken = "update taken",
        /// A content key was unwrapped; the digest is that of the ciphertext. Written before the key is used, so a content
        /// key that left the device is always in the log.
        Unwrapped = "content key unwrapped",
    }
}

impl Event {
    /// The number in the record: events are declared in their order, from 1.
    #[allow(
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        reason = "one of twenty"
    )]
    pub const fn code(self) -> u8 {
        self as u8 + 1
    }

    /// That such a statement was made.
    #[must_use]
    pub const fn of(statement: Statement) -> Self {
        match statement {
            Statement::Assertion => Self::Signed,
            Statement::LoginHint => Self::HintSigned,
            Statement::AuthenticationRequest => Self::AuthenticationSigned,
            Statement::AuthorizationRequest => Self::AuthorizationSigned,
        }
    }

    /// Whether it says that a statement was made.
    pub fn is_signature(self) -> bool {
        Statement::ALL.map(Self::of).contains(&self)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.code() == code)
    }
}

/// One entry of the log. The numbers are those after the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: one more than that of the entry before it.
    pub sequence: u32,
    /// What happened.
    pub event: Event,
    /// Why not, for [`Event::Refused`]; else 0.
    pub code: u8,
    /// Under which scheme, if the request named one.
    pub scheme: Option<SchemeId>,
    /// For which audience: its place in the policy, if it is there.
    pub audience: Option<u8>,
    /// Whether the device signs no more because a computation went wrong.
    pub faulted: bool,
    /// Times the device has started with a key.
    pub boots: u32,
    /// Assertions and other statements signed in the device's life.
    pub counter: u64,
    /// No assertion is made for an earlier time, seconds since the epoch.
    pub time_floor: u64,
    /// The time that the request named, seconds since the epoch; 0 if none.
    pub now: u64,
    /// Milliseconds until the rate limit has forgotten all that it counts.
    pub debt: u32,
    /// Refusals since the entry before, for which the rate limit left no place in the log.
    pub unlogged: u32,
    /// As the event says; else zero.
    pub digest: [u8; 32],
}

impl Entry {
    /// What a new device starts from; it is in no log.
    pub const BEFORE_THE_FIRST: Self = Self {
        sequence: u32::MAX,
        event: Event::Boot,
        code: 0,
        scheme: None,
        audience: None,
        faulted: false,
        boots: 0,
        counter: 0,
        time_floor: 0,
        now: 0,
        debt: 0,
        unlogged: 0,
        digest: [0; 32],
    };

    /// The entry's bytes, which are hashed.
    pub fn to_bytes(&self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        let mut sink = SliceSink::new(&mut bytes);
        let words = [
            self.event.code(),
            self.code,
            self.scheme.map_or(NONE, SchemeId::code),
            self.audience.unwrap_or(NONE),
            u8::from(self.faulted),
            0,
            0,
            0,
        ];
        for field in [
            &self.sequence.to_le_bytes()[..],
            &words,
            &self.boots.to_le_bytes(),
            &self.counter.to_le_bytes(),
            &self.time_floor.to_le_bytes(),
            &self.now.to_le_bytes(),
            &self.debt.to_le_bytes(),
            &self.unlogged.to_le_bytes(),
            &self.digest,
        ] {
            // ENTRY_LEN has room for all of them.
            let _ = sink.write(field);
        }
        bytes
    }

    /// The entry of these bytes; `None` if they are none of an entry.
    pub fn from_bytes(bytes: &[u8; ENTRY_LEN]) -> Option<Self> {
        let mut rest = &bytes[..];
        let sequence = u32::from_le_bytes(take(&mut rest)?);
        let [event, code, scheme, audience, faulted, 0, 0, 0] = take(&mut rest)? else {
            return None;
        };
        Some(Self {
            sequence,
            event: Event::from_code(event)?,
            code,
            scheme: match scheme {
                NONE => None,
                code => Some(SchemeId::from_code(code)?),
            },
            audience: (audience != NONE).then_some(audience),
            faulted: match faulted {
                0 => false,
                1 => true,
                _ => return None,
            },
            boots: u32::from_le_bytes(take(&mut rest)?),
            counter: u64::from_le_bytes(take(&mut rest)?),
            time_floor: u64::from_le_bytes(take(&mut rest)?),
            now: u64::from_le_bytes(take(&mut rest)?),
            debt: u32::from_le_bytes(take(&mut rest)?),
            unlogged: u32::from_le_bytes(take(&mut rest)?),
            digest: take(&mut rest)?,
        })
    }

    /// The entry and its link, as a device stores and sends them; `None` if they are none. Whether the
    /// link is right only [`link_after`] says.
    pub fn from_record(record: &[u8]) -> Option<(Self, [u8; LINK_LEN])> {
        let (entry, link) = record.split_first_chunk::<ENTRY_LEN>()?;
        Some((Self::from_bytes(entry)?, link.try_into().ok()?))
    }

    /// Why, in a word, for a refusal.
    pub fn reason(&self) -> Option<&'static str> {
        (self.event == Event::Refused).then(|| Refusal::word(self.code))
    }
}

/// What the first entry of a log is linked to: a device's, or another one that is named so.
pub fn first_link(device: &DeviceId) -> [u8; LINK_LEN] {
    let hash = Sha256::new_with_prefix(b"privyseal-log:v1:");
    hash.chain_update(device).finalize().into()
}

/// The link of an entry: SHA-256 of the link before and the entry's bytes; a device's has [`ENTRY_LEN`] of them.
pub fn link_after(before: &[u8; LINK_LEN], entry: &[u8]) -> [u8; LINK_LEN] {
    let hash = Sha256::new_with_prefix(before);
    hash.chain_update(entry).finalize().into()
}

/// So many bytes from the beginning of the rest.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}

#[cfg(test)]
mod tests;
