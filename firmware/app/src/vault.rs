//! Where key, policy and chain lie, and when they count.
//!
//! Two pieces of flash, each erased by itself, so that an upload that goes wrong does not take a key with it that
//! the device has made. What may be read is in the first and what is secret in the second; no offset in the first
//! reaches the second.
//!
//! | provision, offset | what |
//! |---:|---|
//! | 0 | manifest |
//! | 256 | the mark of wiping |
//! | 320 | the mark of a manifest that does not count |
//! | 512 | policy |
//! | 4,608 | chain |
//! | 20,992 | encoded headers: that with the chain, and one for each `kid` |
//!
//! | secrets, offset | what |
//! |---:|---|
//! | 0 | record of the key |
//! | 128 | salt |
//! | 160 | modulus |
//! | 672 | seed and primes, encrypted ([`crate::at_rest`]) |
//!
//! The manifest is written last: it names the length of policy, chain and headers and their SHA-256, and proves that
//! the device has written it. The record names the SHA-256 of salt, modulus and secret, so that damage is told from a
//! wrong secret. A record of a key that the device has made counts by itself: such a device waits
//! for its certificate. Else nothing counts without both, and the next start erases it.
//!
//! The mark of wiping is written first when a device is wiped: from then on nothing here is used, and if the power
//! goes the next start goes on with the wiping.

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash as _};
use privyseal_core::encoding::sink::{Sink as _, SliceSink};
use privyseal_core::limits::MAX_CHAIN_DER;
use privyseal_protocol::crc::checksum;
use privyseal_protocol::policy::MAX_SCHEMES;
use privyseal_protocol::{AtRest, MAX_KEY, MAX_POLICY, Origin, Part};
use sha2::{Digest as _, Sha256};

use crate::at_rest::{KeptUnder, MAX_SEALED, PROOF_LEN, SALT_LEN, sealed_len};
use crate::board::Board;
use crate::flash::{is_blank, write_padded};
use crate::journal::StorageError;
use crate::{PROVISION_LEN, SECRETS_LEN};

/// Bytes of what either piece begins with.
const HEAD_LEN: usize = 128;
const CRC_AT: usize = HEAD_LEN - 4;
const MANIFEST: &[u8; 8] = b"PSEAL v4";
const RECORD: &[u8; 8] = b"PSKEY v4";
/// What either has in common with those of other versions.
const ANY_VERSION: usize = 7;

const WIPED_AT: u32 = 256;
const VOID_AT: u32 = 320;
const MARK: [u8; 32] = [0; 32];
/// From one mark to what may come next.
const MARK_STEP: u32 = 64;

const POLICY_AT: u32 = 512;
const CHAIN_AT: u32 = 4_608;
/// Where the encoded headers begin.
pub(crate) const HEADERS_AT: u32 = 20_992;
/// Where they must end.
pub(crate) const HEADERS_END: u32 = PROVISION_LEN;
const SALT_AT: u32 = 128;
const MODULUS_AT: u32 = 160;
const SECRET_AT: u32 = 672;

#[allow(clippy::as_conversions)] // Small numbers, compared when this is compiled.
const _: () = assert!(
    POLICY_AT as usize + MAX_POLICY <= CHAIN_AT as usize
        && CHAIN_AT as usize + MAX_CHAIN_DER <= HEADERS_AT as usize
        && HEADERS_AT as usize + privyseal_core::limits::MAX_HEADER + 2 * 512
            <= HEADERS_END as usize
        && SALT_AT as usize + SALT_LEN <= MODULUS_AT as usize
        && MODULUS_AT as usize + MAX_KEY / 2 <= SECRET_AT as usize
        && SECRET_AT as usize + MAX_SEALED <= SECRETS_LEN as usize
);

/// A stretch of one of the pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: u32,
    pub(crate) len: u32,
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

/// What the two pieces are.
pub(crate) enum Contents {
    /// Nothing at all.
    Blank,
    /// Something that does not count: erase it.
    Leftover,
    /// It was being wiped, or is damaged: wipe it.
    Marked,
    /// A key that the device has made; what is in the first piece does not count.
    Born(KeyRecord),
    /// All of it, whose digests are right.
    Whole(Manifest, KeyRecord),
}

/// Where a part begins that is no secret.
pub(crate) const fn start(part: Part) -> Option<u32> {
    match part {
        Part::Policy => Some(POLICY_AT),
        Part::Chain => Some(CHAIN_AT),
        _ => None,
    }
}

/// Number by number, and the digest at the end.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn number(&mut self) -> Option<u32> {
        let (bytes, behind) = self.0.split_first_chunk::<4>()?;
        self.0 = behind;
        Some(u32::from_le_bytes(*bytes))
    }

    fn place(&mut self) -> Option<Place> {
        Some(Place {
            at: self.number()?,
            len: self.number()?,
        })
    }

    fn digest(&mut self) -> Option<[u8; 32]> {
        let (digest, behind) = self.0.split_first_chunk()?;
        self.0 = behind;
        Some(*digest)
    }
}

/// Magic, numbers, digests, zeros, CRC.
fn head(
    magic: &[u8],
    numbers: impl IntoIterator<Item = u32>,
    digests: &[&[u8; 32]],
) -> [u8; HEAD_LEN] {
    let mut bytes = [0; HEAD_LEN];
    let mut sink = SliceSink::new(&mut bytes);
    // There is room for all of it.
    let _ = sink.write(magic);
    for number in numbers {
        let _ = sink.write(&number.to_le_bytes());
    }
    for digest in digests {
        let _ = sink.write(*digest);
    }
    if let Some((content, crc)) = bytes.split_at_mut_checked(CRC_AT) {
        for (to, from) in crc.iter_mut().zip(checksum(&[content]).to_le_bytes()) {
            *to = from;
        }
    }
    bytes
}

/// What stands behind the magic, if the CRC is right.
fn fields<'a>(bytes: &'a [u8; HEAD_LEN], magic: &[u8]) -> Option<Fields<'a>> {
    let (content, crc) = bytes.split_at_checked(CRC_AT)?;
    if crc != checksum(&[content]).to_le_bytes() {
        return None;
    }
    content.strip_prefix(magic).map(Fields)
}

impl Manifest {
    /// Policy, chain, and the headers.
    fn places(&self) -> impl Iterator<Item = Place> {
        let parts = [(POLICY_AT, self.policy), (CHAIN_AT, self.chain)];
        let parts = parts.into_iter().map(|(at, len)| Place { at, len });
        parts.chain(self.headers)
    }

    fn to_bytes(self) -> [u8; HEAD_LEN] {
        let headers = self.headers.into_iter();
        let headers = headers.flat_map(|Place { at, len }| [at, len]);
        let numbers = [self.sequence, self.policy, self.chain];
        let numbers = numbers.into_iter().chain(headers);
        head(MANIFEST, numbers, &[&self.digest, &self.proof])
    }

    /// Shows that whoever made it has the secrets that the key is kept under: nobody else changes policy or chain.
    pub(crate) fn proof_under(&self, under: &KeptUnder, record: &KeyRecord) -> [u8; PROOF_LEN] {
        let unproved = Self {
            proof: [0; PROOF_LEN],
            ..*self
        };
        under.proof([&unproved.to_bytes(), &record.digest])
    }

    fn from_bytes(bytes: &[u8; HEAD_LEN]) -> Option<Self> {
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
            *header = fields.place()?;
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
    fn to_bytes(self) -> [u8; HEAD_LEN] {
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

    fn from_bytes(bytes: &[u8; HEAD_LEN]) -> Option<Self> {
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

/// Where the salt lies.
pub(crate) const SALT: Place = Place {
    at: SALT_AT,
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // A small number.
    len: SALT_LEN as u32,
};

/// What is there.
pub(crate) fn inspect<B: Board>(board: &mut B) -> Result<Contents, StorageError> {
    let flash = board.provision();
    let (is_wiped, is_void) = (is_marked(flash, WIPED_AT)?, is_marked(flash, VOID_AT)?);
    let (mut bytes, mut record) = ([0; HEAD_LEN], [0; HEAD_LEN]);
    flash.read(0, &mut bytes).map_err(|_| StorageError)?;
    let secrets = board.secrets();
    secrets.read(0, &mut record).map_err(|_| StorageError)?;
    let is_other = |bytes: &[u8; HEAD_LEN], magic: &[u8; 8]| {
        bytes.get(..ANY_VERSION) == magic.get(..ANY_VERSION)
            && bytes.get(..magic.len()) != Some(magic)
    };
    if is_wiped || is_other(&bytes, MANIFEST) || is_other(&record, RECORD) {
        // What another firmware has left is wiped too, and the log says so.
        return Ok(Contents::Marked);
    }
    let manifest = Manifest::from_bytes(&bytes).filter(|_| !is_void);
    let key = KeyRecord::from_bytes(&record);
    let is_right = key.is_some_and(|key| key.digest(board) == Some(key.digest));
    Ok(match (manifest, key) {
        (Some(manifest), Some(key))
            if is_right && manifest.digest(board) == Some(manifest.digest) =>
        {
            Contents::Whole(manifest, key)
        }
        (None, Some(key)) if is_right && key.origin == Origin::Generated => Contents::Born(key),
        // Never counted.
        (None, Some(key)) if key.origin != Origin::Generated => Contents::Leftover,
        // The flash lost something, or a wipe that was cut short lost its mark first.
        (Some(_), _) | (None, Some(_)) => Contents::Marked,
        (None, None) if is_erased(board)? => Contents::Blank,
        (None, None) => Contents::Leftover,
    })
}

/// Writes the record of the key.
pub(crate) fn write_record<F: NorFlash>(
    flash: &mut F,
    record: &KeyRecord,
) -> Result<(), StorageError> {
    write_head(flash, &record.to_bytes())
}

/// Writes the manifest: from now on all of it counts.
pub(crate) fn commit<F: NorFlash>(flash: &mut F, manifest: &Manifest) -> Result<(), StorageError> {
    write_head(flash, &manifest.to_bytes())
}

fn write_head<F: NorFlash>(flash: &mut F, bytes: &[u8; HEAD_LEN]) -> Result<(), StorageError> {
    write_padded(flash, 0, bytes)?;
    let mut back = [0; HEAD_LEN];
    flash.read(0, &mut back).map_err(|_| StorageError)?;
    if back == *bytes {
        Ok(())
    } else {
        Err(StorageError)
    }
}

/// Writes the mark of wiping: from now on nothing counts.
pub(crate) fn mark<B: Board>(board: &mut B) -> Result<(), StorageError> {
    write_padded(board.provision(), WIPED_AT, &MARK)
}

fn is_marked<F: NorFlash>(flash: &mut F, at: u32) -> Result<bool, StorageError> {
    Ok(!is_blank(flash, at, at.saturating_add(MARK_STEP))?)
}

/// Erases both pieces: the key first, the mark last.
pub(crate) fn erase<B: Board>(board: &mut B) -> Result<(), StorageError> {
    erase_piece(board.secrets())?;
    board.feed_watchdog();
    erase_piece(board.provision())
}

/// Erases the first piece, and leaves the key.
pub(crate) fn erase_upload<B: Board>(board: &mut B) -> Result<(), StorageError> {
    let flash = board.provision();
    if is_blank(flash, 0, end(flash))? {
        return Ok(());
    }
    // A manifest that was just written must not outlive a cut.
    if !is_marked(flash, VOID_AT)? {
        write_padded(flash, VOID_AT, &MARK)?;
    }
    erase_piece(flash)
}

/// Whether there is nothing in either piece.
pub(crate) fn is_erased<B: Board>(board: &mut B) -> Result<bool, StorageError> {
    let (secrets_end, provision_end) = (end(board.secrets()), end(board.provision()));
    Ok(
        is_blank(board.secrets(), 0, secrets_end)?
            && is_blank(board.provision(), 0, provision_end)?,
    )
}

/// Bytes of a piece.
fn end<F: NorFlash>(flash: &F) -> u32 {
    u32::try_from(flash.capacity()).unwrap_or(u32::MAX)
}

/// Erases a piece, the sector with its head and its marks last, and looks that nothing is left.
fn erase_piece<F: NorFlash>(flash: &mut F) -> Result<(), StorageError> {
    let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| StorageError)?;
    let end = end(flash);
    if sector < end {
        flash.erase(sector, end).map_err(|_| StorageError)?;
    }
    flash.erase(0, sector).map_err(|_| StorageError)?;
    if is_blank(flash, 0, end)? {
        Ok(())
    } else {
        Err(StorageError)
    }
}

/// Writes a key; the record of it is the caller's to write.
pub(crate) fn write_key<F: NorFlash>(
    flash: &mut F,
    salt: &[u8; SALT_LEN],
    modulus: &[u8],
    sealed: &[u8],
) -> Result<(), StorageError> {
    write_padded(flash, SALT_AT, salt)?;
    write_padded(flash, MODULUS_AT, modulus)?;
    write_padded(flash, SECRET_AT, sealed)
}

#[cfg(test)]
mod tests;
