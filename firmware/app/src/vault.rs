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
//! | 1,280 | fingerprints of the policies that the key was to be renewed with |
//!
//! The manifest is written last: it names the length of policy, chain and headers and their SHA-256, and proves that
//! the device has written it. The record names the SHA-256 of salt, modulus and secret, so that damage is told from a
//! wrong secret. A record of a key that the device has made counts by itself: such a device waits
//! for its certificate. So does that of a key whose policy and chain were given up for new ones. Else nothing counts
//! without both, and the next start erases it.
//!
//! A fingerprint has 64 bytes, with zeros and a CRC. The newest that is whole names the one policy that may come next.
//!
//! The mark of wiping is written first when a device is wiped: from then on nothing here is used, and if the power
//! goes the next start goes on with the wiping.

mod records;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash as _};
use privyseal_core::limits::MAX_CHAIN_DER;
use privyseal_protocol::{MAX_KEY, MAX_POLICY, Origin, Part};

use crate::at_rest::{MAX_SEALED, SALT_LEN};
use crate::board::Board;
use crate::flash::{
    MARK, end, erase_piece, fields, give_up, head, is_blank, is_marked, write_padded,
};
use crate::journal::StorageError;
use crate::{PROVISION_LEN, SECRETS_LEN};

use records::{HEAD_LEN, MANIFEST, RECORD};
pub(crate) use records::{KeyRecord, Manifest, Place};

/// What the head of either has in common with those of other versions.
const ANY_VERSION: usize = 7;

const WIPED_AT: u32 = 256;
const VOID_AT: u32 = 320;

const POLICY_AT: u32 = 512;
const CHAIN_AT: u32 = 4_608;
/// Where the encoded headers begin.
pub(crate) const HEADERS_AT: u32 = 20_992;
/// Where they must end.
pub(crate) const HEADERS_END: u32 = PROVISION_LEN;
const SALT_AT: u32 = 128;
const MODULUS_AT: u32 = 160;
const SECRET_AT: u32 = 672;

const RENEWALS_AT: u32 = 1_280;
const RENEWAL_LEN: usize = 64;
/// From one to the next.
const RENEWAL_STEP: u32 = 64;

#[allow(clippy::as_conversions)] // Small numbers, compared when this is compiled.
const _: () = assert!(
    POLICY_AT as usize + MAX_POLICY <= CHAIN_AT as usize
        && CHAIN_AT as usize + MAX_CHAIN_DER <= HEADERS_AT as usize
        && HEADERS_AT as usize + privyseal_core::limits::MAX_HEADER + 2 * 512
            <= HEADERS_END as usize
        && SALT_AT as usize + SALT_LEN <= MODULUS_AT as usize
        && MODULUS_AT as usize + MAX_KEY / 2 <= SECRET_AT as usize
        && SECRET_AT as usize + MAX_SEALED <= RENEWALS_AT as usize
        && RENEWALS_AT < SECRETS_LEN
);

/// What the two pieces are.
pub(crate) enum Contents {
    /// Nothing at all.
    Blank,
    /// Something that does not count: erase it.
    Leftover,
    /// It was being wiped, or is damaged: wipe it.
    Marked,
    /// A key that the device has made, or that is renewed; what is in the first piece does not count.
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
    let is_renewed = renewal(board)?.0.is_some();
    Ok(match (manifest, key) {
        (Some(manifest), Some(key))
            if is_right && manifest.digest(board) == Some(manifest.digest) =>
        {
            Contents::Whole(manifest, key)
        }
        (None, Some(key)) if key.origin == Origin::Generated || is_renewed => {
            if is_right {
                Contents::Born(key)
            } else {
                Contents::Marked
            }
        }
        // The flash lost something, or a wipe that was cut short lost its mark first.
        (Some(_), _) => Contents::Marked,
        (None, None) if is_erased(board)? => Contents::Blank,
        // Never counted.
        (None, _) => Contents::Leftover,
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

/// The newest fingerprint of a policy that the key was to be renewed with, and where the next one goes.
pub(crate) fn renewal<B: Board>(board: &mut B) -> Result<(Option<[u8; 32]>, u32), StorageError> {
    let flash = board.secrets();
    let (mut newest, mut at) = (None, RENEWALS_AT);
    let mut bytes = [0; RENEWAL_LEN];
    while at < SECRETS_LEN {
        flash.read(at, &mut bytes).map_err(|_| StorageError)?;
        if bytes == [0xff; RENEWAL_LEN] {
            break;
        }
        // What was cut short is passed over.
        newest = fields(&bytes, &[])
            .and_then(|mut fields| fields.digest())
            .or(newest);
        at = at.saturating_add(RENEWAL_STEP);
    }
    Ok((newest, at))
}

/// Writes the fingerprint of the policy that may come next. `false` if there is no room for another one.
pub(crate) fn renew<B: Board>(board: &mut B, policy: &[u8; 32]) -> Result<bool, StorageError> {
    let (newest, at) = renewal(board)?;
    if newest == Some(*policy) {
        return Ok(true);
    }
    let flash = board.secrets();
    if at >= SECRETS_LEN {
        return Ok(false);
    }
    write_padded(flash, at, &head::<RENEWAL_LEN>(&[], [], &[policy]))?;
    Ok(renewal(board)?.0 == Some(*policy))
}

/// Writes the mark of wiping: from now on nothing counts.
pub(crate) fn mark<B: Board>(board: &mut B) -> Result<(), StorageError> {
    write_padded(board.provision(), WIPED_AT, &MARK)
}

/// Erases both pieces: the key first, the mark last.
pub(crate) fn erase<B: Board>(board: &mut B) -> Result<(), StorageError> {
    erase_piece(board.secrets())?;
    board.feed_watchdog();
    erase_piece(board.provision())
}

/// Erases the first piece, and leaves the key.
pub(crate) fn erase_upload<B: Board>(board: &mut B) -> Result<(), StorageError> {
    // A manifest that was just written must not outlive a cut.
    give_up(board.provision(), VOID_AT)
}

/// Whether there is nothing in either piece.
pub(crate) fn is_erased<B: Board>(board: &mut B) -> Result<bool, StorageError> {
    let (secrets_end, provision_end) = (end(board.secrets()), end(board.provision()));
    Ok(
        is_blank(board.secrets(), 0, secrets_end)?
            && is_blank(board.provision(), 0, provision_end)?,
    )
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
