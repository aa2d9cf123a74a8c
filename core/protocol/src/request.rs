//! What the host asks.
#![allow(clippy::exhaustive_structs, reason = "fixed by the protocol's version")]

use core::fmt;

use heapless::Vec;
use privyseal_core::limits::MAX_SUBJECT_ATTRIBUTES;
use privyseal_core::named;
use serde::{Deserialize, Serialize};

use super::policy::SchemeId;
use super::{DeviceId, NONCE_LEN, UNLOCK_LEN};

/// A request. The answer to each is named with it; [`super::Response::Refused`] is one to all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Who is there? [`super::Response::Info`], in every state.
    Info,
    /// A piece of what is public: [`super::Response::Data`].
    Read {
        /// Of what: [`Part::Policy`], [`Part::Chain`] or [`Part::PublicKey`].
        part: Part,
        /// From which byte on. Of 16 bits, so that none reaches far from what may be read.
        offset: u16,
    },
    /// A step of provisioning: [`super::Response::Accepted`], and [`super::Response::Provisioned`] at the
    /// end.
    #[serde(borrow)]
    Provision(Provision<'a>),
    /// An assertion, please: [`super::Response::Token`], as many as it takes.
    Sign(SignRequest<'a>),
    /// Entries of the log: [`super::Response::Entry`] each, then [`super::Response::LogEnd`].
    Log {
        /// The first one's number; those before it and those that are gone are left out.
        from: u32,
        /// How many at most.
        max: u16,
    },
    /// The provisioning authority's word that it is later than the device would believe:
    /// [`super::Response::TimeSet`]. See [`super::authority`].
    SetTime {
        /// Seconds since the epoch.
        now: u64,
        /// The authority's signature.
        signature: &'a [u8],
    },
    /// Destroy the key and everything that was provisioned: [`super::Response::Wiped`].
    Wipe {
        /// The device that is meant, so that no other is wiped by mistake.
        device: DeviceId,
    },
    /// Make a key: [`super::Response::Accepted`] when it has begun. [`super::Info::generation`] says how far it is;
    /// the device goes on whether it is asked or not. Only an empty device does.
    Generate(Generate<'a>),
    /// A certification request for the key that the device has made: [`super::Response::CertificationRequest`], as
    /// many as it takes. Only before the certificate is there.
    Csr(CsrRequest<'a>),
    /// The secret without which a device that is [`super::DeviceState::Locked`] cannot read its key:
    /// [`super::Response::Unlocked`].
    Unlock(UnlockSecret),
    /// Give up policy and chain for new ones, and keep the key: [`super::Response::Accepted`]. The device then waits for
    /// them as for those of a key that it has just made, and takes no other policy.
    Renew {
        /// The fingerprint of the policy that is to come ([`super::Policy::fingerprint`]).
        policy: [u8; 32],
        /// The authority's signature ([`super::authority::renewal_statement`]); empty where the policy stays what it is.
        signature: &'a [u8],
    },
    /// A piece of a [`super::Content`], in order, for the [`Request::SignComposed`] that comes next:
    /// [`super::Response::Accepted`]. Any other request makes the device forget what there is of it.
    Compose {
        /// Bytes that were sent before; with zero a new one begins.
        offset: u16,
        /// The piece.
        bytes: &'a [u8],
    },
    /// The statement with the content that was composed, please: as [`Request::Sign`].
    SignComposed(SignRequest<'a>),
    /// A piece of a signed image ([`super::image`]), in order, for the [`Request::Restart`] that comes next:
    /// [`super::Response::Accepted`]. Each piece but the last has [`super::CHUNK`] bytes.
    Update {
        /// Bytes that were sent before; with zero a new one begins.
        offset: u32,
        /// The piece.
        bytes: &'a [u8],
    },
    /// Start with the image that was sent, if it is one that the first stage takes: [`super::Response::Accepted`], and
    /// the device is gone until it has started.
    Restart,
    /// The content key that was encrypted to the device's key: [`super::Response::ContentKey`]. Only where the policy is one
    /// for that ([`super::Policy::unwraps`]).
    Unwrap {
        /// RSAES-OAEP with SHA-256 and no label (`RSA-OAEP-256`, RFC 7518 section 4.3).
        ciphertext: &'a [u8],
    },
}

/// What a device needs besides its flash to read its key, at each start: random bytes, not a password.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlockSecret(pub [u8; UNLOCK_LEN]);

// Without its bytes.
privyseal_core::opaque_debug! { [] UnlockSecret; }

/// A key that the device makes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generate<'a> {
    /// Bits of the modulus, one of [`super::KEY_BITS`].
    pub bits: u16,
    /// Whether the board's own random generator must take part. A policy that demands it takes no key without it.
    pub board_entropy: bool,
    /// Random bytes that take part as well: [`super::MIN_SEED`] to [`super::MAX_SEED`] of them.
    pub seed: &'a [u8],
    /// With it the key is kept so that no later start reads it without this secret.
    pub unlock: Option<UnlockSecret>,
}

// Without the seed, from which a board that has no random generator makes its key.
privyseal_core::opaque_debug! { [] Generate<'_>: bits, board_entropy, unlock; }

/// What a certification request says besides the key (RFC 2986).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsrRequest<'a> {
    /// The subject, in its order.
    #[serde(borrow)]
    pub subject: Vec<SubjectPart<'a>, MAX_SUBJECT_ATTRIBUTES>,
    /// Asks for the key usage digitalSignature.
    pub digital_signature: bool,
    /// Asks for the key usage nonRepudiation.
    pub non_repudiation: bool,
}

/// One attribute of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectPart<'a> {
    /// The last arc of its type's identifier, below 2.5.4.
    pub arc: u8,
    /// Its value.
    pub value: &'a str,
}

/// The steps of provisioning, in their order: begin, the chunks of each part, commit. An empty device takes all parts;
/// one that has made its key takes policy and chain.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Provision<'a> {
    /// Says how much will come: nothing of key and seed for a device that has made its own.
    Begin(Totals),
    /// A piece of a part: [`super::CHUNK`] bytes, or what is left of it. Within a part pieces come in
    /// order; the parts may come in any order.
    Chunk {
        /// Which part.
        part: Part,
        /// Bytes of the part that were sent before.
        offset: u32,
        /// The piece.
        bytes: &'a [u8],
    },
    /// All is there: check everything, sign once to see that it works, lock. If something is wrong with
    /// it the refusal says what, and what was sent is destroyed.
    Commit,
    /// Destroy what was sent.
    Abort,
}

/// A chunk may be of the private key: its bytes are not shown.
impl fmt::Debug for Provision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin(totals) => f.debug_tuple("Begin").field(totals).finish(),
            Self::Chunk { part, offset, .. } => write!(f, "Chunk({part} from {offset})"),
            Self::Commit => f.write_str("Commit"),
            Self::Abort => f.write_str("Abort"),
        }
    }
}

/// Bytes of each part that is uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// [`Part::Key`], a quarter of one of [`super::KEY_BITS`]; zero for a key that the device has made.
    pub key: u32,
    /// [`Part::Policy`], at most [`super::MAX_POLICY`].
    pub policy: u32,
    /// [`Part::Chain`], at most [`privyseal_core::limits::MAX_CHAIN_DER`]; zero if no scheme needs one.
    pub chain: u32,
    /// [`Part::Seed`], [`super::MIN_SEED`] to [`super::MAX_SEED`]; zero where the device has made the key.
    pub seed: u32,
    /// [`Part::Unlock`], [`super::UNLOCK_LEN`], or zero without one; zero where the device has made the key.
    pub unlock: u32,
}

impl Totals {
    /// The total of one part; zero for what is not uploaded.
    pub const fn of(&self, part: Part) -> u32 {
        match part {
            Part::Key => self.key,
            Part::Policy => self.policy,
            Part::Chain => self.chain,
            Part::Seed => self.seed,
            Part::Unlock => self.unlock,
            Part::PublicKey => 0,
        }
    }
}

named! {
    /// What is uploaded, or can be read back.
    #[derive(Serialize, Deserialize)]
    #[non_exhaustive]
    pub enum Part {
        /// The private key: modulus and primes, big-endian, one after the other. Never read back.
        Key = "private key",
        /// A [`super::Policy`] in postcard's encoding.
        Policy = "policy",
        /// Certificates, DER, one after the other, in any order.
        Chain = "certificate chain",
        /// Random bytes that nobody else has seen. Never read back.
        Seed = "seed",
        /// The SubjectPublicKeyInfo of the key, DER. Read only.
        PublicKey = "public key",
        /// An [`UnlockSecret`]. Never read back.
        Unlock = "unlock secret",
    }
}

/// The fields of an assertion, or of another statement, that a caller may choose, within the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignRequest<'a> {
    /// Under which scheme's rules.
    pub scheme: SchemeId,
    /// The audience; `None` for the scheme's default one, and for a statement that has none. Either must be in the policy's
    /// list, for this kind of statement.
    #[serde(borrow)]
    pub audience: Option<&'a str>,
    /// The host's clock, seconds since the epoch.
    pub now: u64,
    /// Seconds by which `iat` is dated back ([`privyseal_core::limits::MAX_BACKDATE_SECONDS`]).
    pub backdate: u8,
    /// `exp - iat` in seconds; `None` for the scheme's default.
    pub lifetime: Option<u32>,
    /// Comes back, in hexadecimal, at the end of the `jti`: shows that the token is for this request.
    pub nonce: Option<[u8; NONCE_LEN]>,
}

impl SignRequest<'_> {
    /// The scheme's own audience and lifetime, not dated back.
    pub const fn new(scheme: SchemeId, now: u64) -> Self {
        Self {
            scheme,
            audience: None,
            now,
            backdate: 0,
            lifetime: None,
            nonce: None,
        }
    }
}
