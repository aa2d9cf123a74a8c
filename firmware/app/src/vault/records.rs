//! The heads of the two pieces: what they name, byte by byte.

use privyseal_protocol::policy::MAX_SCHEMES;
use privyseal_protocol::{AtRest, Origin};
use sha2::{Digest as _, Sha256};

use super::{CHAIN_AT, MODULUS_AT, POLICY_AT, SALT, SECRET_AT};
use crate::at_rest::{KeptUnder, PROOF_LEN, sealed_len};
use crate::board::Board;
use crate::flash::{Fields, fields, head};

/// Bytes of what either piece begins with.
pub(super) const HEAD_LEN: usize = 128;
pub(super) const MANIFEST: &[u8; 8] = b"PSEAL v4";
pub(super) const RECORD: &[u8; 8] = b"PSKEY v4";

/// A stretch of one of the pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

fn place(fields: &mut Fields<'_>) -> Option<Place> {
    Some(Place {
        at: fields.number()?,
        len: fields.number()?,
    })
}

/// What the first piece holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The number of the entry in the journal that says that it was provisioned.
    pub(crate) sequence: u32,
    pub(crate) policy: u32,
    pub(crate) chain: u32,
    /// Where the header of each scheme of the policy lies, in the policy's order; those with a chain have
    /// one in common.
    pub(crate) headers: [Place; MAX_SCHEMES],
    /// SHA-256 of all parts and headers.
    pub(crate) digest: [u8; 32],
    /// See [`Manifest::proof_under`].
    pub(crate) proof: [u8; PROOF_LEN],
}

/// What the second piece holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    /// The number of the entry in the journal that says that it was made, for a key of the device's own.
    pub(crate) sequence: u32,
    pub(crate) origin: Origin,
    /// Whether the board's random generator had part in a key of the device's own.
    pub(crate) board_entropy: bool,
    pub(crate) at_rest: AtRest,
    /// Bytes of its numbers in clear: twice those of the modulus.
    pub(crate) key: u32,
    /// SHA-256 of salt, modulus and encrypted secret.
    pub(crate) digest: [u8; 32],
}

impl Manifest {
    /// Policy, chain, and the headers.
    fn places(&self) -> impl Iterator<Item = Place> {
        let parts = [(POLICY_AT, self.policy), (CHAIN_AT, self.chain)];
        let parts = parts.into_iter().map(|(at, len)| Place { at, len });
        parts.chain(self.headers)
    }

    pub(super) fn to_bytes(self) -> [u8; HEAD_LEN] {
        let headers = self.headers.into_iter();
        let headers = headers.flat_map(|Place { at, len }| [at, len]);
        let numbers = [self.sequence, self.policy, self.chain];
        let numbers = numbers.into_iter().chain(headers);
        head(MANIFEST, numbers, &[&self.digest, &self.proof])
    }

    /// Shows that its maker has the secrets that the key is kept under: nobody else changes policy or chain.
    pub(crate) fn proof_under(&self, under: &KeptUnder, record: &KeyRecord) -> [u8; PROOF_LEN] {
        let unproved = Self {
            proof: [0; PROOF_LEN],
            ..*self
        };
        under.proof([&unproved.to_bytes(), &record.digest])
    }

    pub(super) fn from_bytes(bytes: &[u8; HEAD_LEN]) -> Option<Self> {
        let mut fields = fields(bytes, MANIFEST)?;
        let mut manifest = Self {
            sequence: fields.number()?,
            policy: fields.number()?,
            chain: fields.number()?,
            headers: [Place::default(); _],
            digest: [0; 32],
            proof: [0; PROOF_LEN],
        };
        for header in &mut manifest.headers {
            *header = place(&mut fields)?;
        }
        manifest.digest = fields.digest()?;
        manifest.proof = fields.digest()?;
        Some(manifest)
    }

    /// SHA-256 of all that it names.
    pub(crate) fn digest<B: Board>(&self, board: &B) -> Option<[u8; 32]> {
        let mut hash = Sha256::new();
        for Place { at, len } in self.places() {
            hash.update(board.mapped(at, len)?.as_ref());
        }
        Some(hash.finalize().into())
    }
}

impl KeyRecord {
    pub(super) fn to_bytes(self) -> [u8; HEAD_LEN] {
        let origin = match self.origin {
            Origin::Generated => 1,
            _ => 0,
        };
        let AtRest {
            device_secret,
            unlock_secret,
        } = self.at_rest;
        let flags = [self.board_entropy, device_secret, unlock_secret];
        let flags = flags.into_iter().rev();
        let flags = flags.fold(0, |flags, flag| (flags << 1) | u32::from(flag));
        let numbers = [self.sequence, origin, flags, self.key];
        head(RECORD, numbers, &[&self.digest])
    }

    pub(super) fn from_bytes(bytes: &[u8; HEAD_LEN]) -> Option<Self> {
        let mut fields = fields(bytes, RECORD)?;
        let (sequence, origin, flags) = (fields.number()?, fields.number()?, fields.number()?);
        Some(Self {
            sequence,
            origin: match origin {
                0 => Origin::Imported,
                1 => Origin::Generated,
                _ => return None,
            },
            board_entropy: flags & 1 != 0,
            at_rest: AtRest {
                device_secret: flags & 2 != 0,
                unlock_secret: flags & 4 != 0,
            },
            key: fields.number()?,
            digest: fields.digest()?,
        })
    }

    /// SHA-256 of salt, modulus and encrypted secret.
    pub(crate) fn digest<B: Board>(&self, board: &B) -> Option<[u8; 32]> {
        let mut hash = Sha256::new();
        for Place { at, len } in [SALT, self.modulus(), self.secret()] {
            hash.update(board.mapped_secret(at, len)?.as_ref());
        }
        Some(hash.finalize().into())
    }

    /// Where the modulus lies.
    pub(crate) const fn modulus(&self) -> Place {
        Place {
            at: MODULUS_AT,
            len: self.key / 2,
        }
    }

    /// Where the encrypted secret lies.
    pub(crate) const fn secret(&self) -> Place {
        Place {
            at: SECRET_AT,
            len: sealed_len(self.key),
        }
    }

    /// What the secret is bound to besides the modulus: all that the record says of the key.
    pub(crate) fn head(&self) -> [u8; HEAD_LEN] {
        let unwritten = Self {
            digest: [0; 32],
            ..*self
        };
        unwritten.to_bytes()
    }
}
