//! Where key, policy and chain lie, and when they count.
//!
//! The region begins with a manifest, which is written last: it names the length of each part and the
//! SHA-256 of all of them. Without a whole manifest nothing here is used, and the next start erases it.
//! The mark behind the manifest is written first when a device is wiped: from then on nothing here is
//! used either, and if the power goes the next start goes on with the wiping.
//!
//! | offset | what |
//! |---:|---|
//! | 0 | manifest |
//! | 256 | the mark of wiping |
//! | 512 | policy |
//! | 4,608 | chain |
//! | 20,992 | encoded headers: that with the chain, and one for each `kid` |
//! | 61,440 | seed |
//! | 61,504 | key: PKCS#8 as it came |
//!
//! What may be read is at the beginning and what is secret at the end, farther apart than a piece that is read
//! can be wrong by one fault. The key lies there as it is: what keeps it from being read is the part's read-out
//! protection.

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash as _};
use privyseal_core::limits::MAX_CHAIN_DER;
use privyseal_protocol::crc::checksum;
use privyseal_protocol::policy::MAX_SCHEMES;
use privyseal_protocol::{MAX_KEY, MAX_POLICY, MAX_SEED, Part, Totals};
use sha2::{Digest as _, Sha256};

use crate::PROVISION_LEN;
use crate::board::Board;
use crate::flash::{is_blank, write_padded};
use crate::journal::StorageError;

const MANIFEST_LEN: usize = 128;
const MANIFEST_CRC_AT: usize = MANIFEST_LEN - 4;
const MAGIC: &[u8; 8] = b"PSEAL v2";
/// What it has in common with those of other versions.
const ANY_VERSION: usize = 7;

const MARK_AT: u32 = 256;
const MARK: [u8; 32] = [0; 32];

const POLICY_AT: u32 = 512;
const CHAIN_AT: u32 = 4_608;
/// Where the encoded headers begin.
pub(crate) const HEADERS_AT: u32 = 20_992;
/// Where they must end.
pub(crate) const HEADERS_END: u32 = SEED_AT;
const SEED_AT: u32 = 61_440;
const KEY_AT: u32 = 61_504;

#[allow(clippy::as_conversions)] // Small numbers, compared when this is compiled.
const _: () = assert!(
    POLICY_AT as usize + MAX_POLICY <= CHAIN_AT as usize
        && CHAIN_AT as usize + MAX_CHAIN_DER <= HEADERS_AT as usize
        && HEADERS_AT as usize + privyseal_core::limits::MAX_HEADER + 2 * 512
            <= HEADERS_END as usize
        && SEED_AT as usize + MAX_SEED <= KEY_AT as usize
        && KEY_AT as usize + MAX_KEY <= PROVISION_LEN as usize
);

/// A piece of the region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

/// What the region holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The number of the entry in the journal that says that it was provisioned.
    pub(crate) sequence: u32,
    /// Bytes of each part.
    pub(crate) totals: Totals,
    /// Where the header of each scheme of the policy lies, in the policy's order; those with a chain have
    /// one in common.
    pub(crate) headers: [Place; MAX_SCHEMES],
    /// SHA-256 of all parts.
    pub(crate) digest: [u8; 32],
}

/// What the region is.
pub(crate) enum Contents {
    /// Nothing at all.
    Blank,
    /// Something that does not count: erase it.
    Leftover,
    /// It was being wiped, or is damaged: wipe it.
    Marked,
    /// A whole manifest, whose digest is right.
    Whole(Manifest),
}

/// Where a part lies.
pub(crate) const fn start(part: Part) -> Option<u32> {
    match part {
        Part::Seed => Some(SEED_AT),
        Part::Key => Some(KEY_AT),
        Part::Policy => Some(POLICY_AT),
        Part::Chain => Some(CHAIN_AT),
        _ => None,
    }
}

impl Manifest {
    /// Where a part lies, and how long it is.
    pub(crate) fn place(&self, part: Part) -> Option<Place> {
        Some(Place {
            at: start(part)?,
            len: self.totals.of(part),
        })
    }

    fn to_bytes(self) -> [u8; MANIFEST_LEN] {
        let Totals {
            key,
            policy,
            chain,
            seed,
        } = self.totals;
        let numbers = [self.sequence, key, policy, chain, seed];
        let numbers = numbers.into_iter().chain(
            self.headers
                .into_iter()
                .flat_map(|Place { at, len }| [at, len]),
        );
        let content = MAGIC
            .iter()
            .copied()
            .chain(numbers.flat_map(u32::to_le_bytes))
            .chain(self.digest);
        let mut bytes = [0; MANIFEST_LEN];
        for (to, from) in bytes.iter_mut().zip(content) {
            *to = from;
        }
        let crc = checksum(&[bytes.get(..MANIFEST_CRC_AT).unwrap_or(&[])]);
        for (to, from) in bytes
            .iter_mut()
            .skip(MANIFEST_CRC_AT)
            .zip(crc.to_le_bytes())
        {
            *to = from;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; MANIFEST_LEN]) -> Option<Self> {
        let (content, crc) = bytes.split_at_checked(MANIFEST_CRC_AT)?;
        if crc != checksum(&[content]).to_le_bytes() {
            return None;
        }
        let mut rest = content.strip_prefix(MAGIC)?;
        let mut number = || {
            let (bytes, behind) = rest.split_first_chunk::<4>()?;
            rest = behind;
            Some(u32::from_le_bytes(*bytes))
        };
        let sequence = number()?;
        let totals = Totals {
            key: number()?,
            policy: number()?,
            chain: number()?,
            seed: number()?,
        };
        let mut headers = [Place::default(); MAX_SCHEMES];
        for header in &mut headers {
            *header = Place {
                at: number()?,
                len: number()?,
            };
        }
        let digest = *rest.first_chunk::<32>()?;
        Some(Self {
            sequence,
            totals,
            headers,
            digest,
        })
    }
}

/// SHA-256 of all parts and headers.
pub(crate) fn digest<B: Board>(board: &B, manifest: &Manifest) -> Option<[u8; 32]> {
    let mut hash = Sha256::new();
    let parts = [Part::Seed, Part::Key, Part::Policy, Part::Chain].map(|part| manifest.place(part));
    let headers = manifest.headers.map(Some);
    for place in parts.into_iter().chain(headers) {
        let Place { at, len } = place?;
        hash.update(board.mapped(at, len)?.as_ref());
    }
    Some(hash.finalize().into())
}

/// What is there.
pub(crate) fn inspect<B: Board>(board: &mut B) -> Result<Contents, StorageError> {
    let flash = board.provision();
    let mut mark = MARK;
    flash.read(MARK_AT, &mut mark).map_err(|_| StorageError)?;
    if mark.iter().any(|&byte| byte != 0xff) {
        return Ok(Contents::Marked);
    }
    let mut bytes = [0; MANIFEST_LEN];
    flash.read(0, &mut bytes).map_err(|_| StorageError)?;
    if let Some(manifest) = Manifest::from_bytes(&bytes) {
        let right = digest(board, &manifest) == Some(manifest.digest);
        return Ok(if right {
            Contents::Whole(manifest)
        } else {
            // The flash lost something, or a wipe that was cut short lost its mark first.
            Contents::Marked
        });
    }
    if bytes.get(..ANY_VERSION) == MAGIC.get(..ANY_VERSION) && bytes.get(..8) != Some(MAGIC) {
        // Of another firmware: it is wiped, and the log says so.
        return Ok(Contents::Marked);
    }
    let blank = is_blank(flash, 0, PROVISION_LEN)?;
    Ok(if blank {
        Contents::Blank
    } else {
        Contents::Leftover
    })
}

/// Writes the manifest: from now on the region counts.
pub(crate) fn commit<F: NorFlash>(flash: &mut F, manifest: &Manifest) -> Result<(), StorageError> {
    let bytes = manifest.to_bytes();
    write_padded(flash, 0, &bytes)?;
    let mut back = [0; MANIFEST_LEN];
    flash.read(0, &mut back).map_err(|_| StorageError)?;
    if back == bytes {
        Ok(())
    } else {
        Err(StorageError)
    }
}

/// Writes the mark of wiping: from now on the region counts no more.
pub(crate) fn mark<F: NorFlash>(flash: &mut F) -> Result<(), StorageError> {
    write_padded(flash, MARK_AT, &MARK)
}

/// Erases the region, the sector with manifest and mark last, and looks that nothing is left.
pub(crate) fn erase<F: NorFlash>(flash: &mut F) -> Result<(), StorageError> {
    let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| StorageError)?;
    let end = PROVISION_LEN.max(sector);
    if sector < end {
        flash.erase(sector, end).map_err(|_| StorageError)?;
    }
    flash.erase(0, sector).map_err(|_| StorageError)?;
    if is_blank(flash, 0, PROVISION_LEN)? {
        Ok(())
    } else {
        Err(StorageError)
    }
}

#[cfg(test)]
mod tests;
