//! The first stage of a start: it runs no image but one that the maker has signed for this board, and none that is older
//! than one that has run. It is part of another program than the device, which is such an image.
//!
//! There are two slots. The image runs where it lies in the active one, which only the first stage writes. An update is
//! written to the other one by the device ([`Staging`]), which verifies it and marks it: from then on the first stage may
//! copy it. It does so at each start until the update's version is noted, and that is when it was copied whole in that very
//! start, so that no cut leaves half of it, or bits that read one way and then the other.
//!
//! | slot, offset | what |
//! |---:|---|
//! | 0 | the mark of an update that was verified |
//! | 64 | the mark of one that does not count any more, since it is about to be erased |
//! | 512 | header ([`privyseal_protocol::image`]) |
//! | 1,024 | image |
//!
//! Versions that have run are noted one behind the other, 32 bytes each with a CRC, and never erased: so their flash sets how
//! many updates a device takes.
//!
//! Each verdict is made twice from what is in the flash, and is a word that no single fault makes of another: see [`start`].

use core::hint::black_box;

use embedded_storage::nor_flash::NorFlash;
use privyseal_core::rsa::{Digest, RsaPublicKey, VerifyingKey};
use privyseal_protocol::image::HEADER_LEN;
use privyseal_protocol::{ImageFault, ImageHeader};
use sha2::{Digest as _, Sha256};

use crate::flash::{MARK, end, erase_piece, fields, give_up, head, is_marked, write_padded};
use crate::journal::StorageError;

const RELEASED_AT: u32 = 0;
const VOID_AT: u32 = 64;
/// Where the header lies in a slot, and the image behind it.
const HEADER_AT: u32 = 512;
/// Where the image lies in a slot.
pub const IMAGE_AT: u32 = 1_024;

const NOTE: &[u8; 8] = b"PSVER v1";
const NOTE_LEN: usize = 32;
/// From one note to the next.
const NOTE_STEP: u32 = 32;

/// Bytes of the maker's public key, at most: RSA-3072 has 422.
const MAX_KEY: usize = 512;
const PIECE: usize = 256;

/// The verdict that lets an image run.
pub const GOOD: u32 = 0x5ac3_9617;
const BAD: u32 = !GOOD;

/// What is there for updates.
#[derive(Debug)]
pub struct Staging<F> {
    /// Where the device writes them.
    pub slot: F,
    /// Where the first stage notes the versions that have run.
    pub versions: F,
    /// The maker's public key: its length in four bytes, little-endian, and its SubjectPublicKeyInfo.
    pub key: F,
    /// The board that an image must be for.
    pub board: &'static str,
}

/// Copies an update if there is one, and judges the active slot, twice: where both verdicts are [`GOOD`] its image may
/// run. Each is made from the flash alone, so that no single fault turns both.
pub fn start<F: NorFlash>(active: &mut F, staging: &mut Staging<F>) -> [u32; 2] {
    // What was not copied whole is judged bad below, and copied again at the next start.
    let _ = install(active, staging);
    [
        verdict(active, staging),
        verdict(black_box(active), staging),
    ]
}

fn install<F: NorFlash>(active: &mut F, staging: &mut Staging<F>) -> Result<(), StorageError> {
    if !is_marked(&mut staging.slot, RELEASED_AT)? || is_marked(&mut staging.slot, VOID_AT)? {
        return Ok(());
    }
    if !staging.has_room() {
        return Err(StorageError);
    }
    let header = staging.judge().map_err(|_| StorageError)?;
    erase_piece(active)?;
    let mut piece = [0; PIECE];
    for (at, len) in pieces(HEADER_AT, image_end(&header)) {
        let piece = piece.get_mut(..len).ok_or(StorageError)?;
        staging.slot.read(at, piece).map_err(|_| StorageError)?;
        write_padded(active, at, piece)?;
    }
    Ok(())
}

#[inline(never)]
fn verdict<F: NorFlash>(active: &mut F, staging: &mut Staging<F>) -> u32 {
    match judge_active(active, staging) {
        Some(()) => GOOD,
        None => BAD,
    }
}

/// The version of what may run is noted before it does.
fn judge_active<F: NorFlash>(active: &mut F, staging: &mut Staging<F>) -> Option<()> {
    let (least, free) = newest(&mut staging.versions).ok()?;
    let header = judge(active, &mut staging.key, staging.board, least);
    let version = header.ok()?.version;
    if version > least {
        let note = head::<NOTE_LEN>(NOTE, [version], &[]);
        write_padded(&mut staging.versions, free, &note).ok()?;
        let (noted, _) = newest(&mut staging.versions).ok()?;
        return (noted == version).then_some(());
    }
    Some(())
}

/// The newest version that has run, zero before the first, and where the next is noted.
fn newest<F: NorFlash>(versions: &mut F) -> Result<(u32, u32), StorageError> {
    let (mut newest, mut free) = (0, 0);
    let mut note = [0; NOTE_LEN];
    for at in (0..end(versions)).step_by(NOTE_LEN) {
        versions.read(at, &mut note).map_err(|_| StorageError)?;
        if note != [0xff; NOTE_LEN] {
            free = at.saturating_add(NOTE_STEP);
        }
        // What was cut short says nothing.
        let noted = fields(&note, NOTE).and_then(|mut fields| fields.number());
        newest = newest.max(noted.unwrap_or(0));
    }
    Ok((newest, free))
}

impl<F: NorFlash> Staging<F> {
    /// Empties the slot. What was in it does not count any more, cut short or not.
    pub(crate) fn erase(&mut self) -> Result<(), StorageError> {
        give_up(&mut self.slot, VOID_AT)
    }

    /// Writes a piece of a signed image. Nothing is written twice in one place.
    pub(crate) fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), StorageError> {
        write_padded(&mut self.slot, HEADER_AT.saturating_add(offset), bytes)
    }

    /// The header of what is in the slot, if the first stage will take it.
    #[inline(never)]
    pub(crate) fn judge(&mut self) -> Result<ImageHeader, ImageFault> {
        let newest = newest(&mut self.versions);
        let (newest, _) = newest.map_err(|StorageError| ImageFault::Header)?;
        let least = newest.saturating_add(1);
        let header = judge(&mut self.slot, &mut self.key, self.board, least)?;
        if header.version == newest {
            return Err(ImageFault::Version {
                found: newest,
                least,
            });
        }
        Ok(header)
    }

    /// Whether another version can be noted.
    pub(crate) fn has_room(&mut self) -> bool {
        newest(&mut self.versions).is_ok_and(|(_, free)| free < end(&self.versions))
    }

    /// Lets the first stage take what is in the slot.
    pub(crate) fn release(&mut self) -> Result<(), StorageError> {
        write_padded(&mut self.slot, RELEASED_AT, &MARK)
    }
}

/// The header of what is in a slot, if it is a whole image that the maker has signed for this board, of that version or a
/// later one.
#[inline]
fn judge<F: NorFlash>(
    slot: &mut F,
    key: &mut F,
    board: &str,
    least: u32,
) -> Result<ImageHeader, ImageFault> {
    // A verdict that a fault has written elsewhere is not what lay here before.
    let mut header = Err(ImageFault::Header);
    judge_into(slot, key, board, least, black_box(&mut header));
    header
}

#[inline(never)]
fn judge_into<F: NorFlash>(
    slot: &mut F,
    key: &mut F,
    board: &str,
    least: u32,
    header: &mut Result<ImageHeader, ImageFault>,
) {
    *header = judged(slot, key, board, least);
}

fn judged<F: NorFlash>(
    slot: &mut F,
    key: &mut F,
    board: &str,
    least: u32,
) -> Result<ImageHeader, ImageFault> {
    let mut bytes = [0; HEADER_LEN];
    let read = slot.read(HEADER_AT, &mut bytes);
    let header = read.ok().and_then(|()| ImageHeader::from_bytes(&bytes));
    let header = header.ok_or(ImageFault::Header)?;
    if *header.board != *board {
        return Err(ImageFault::Board);
    }
    if header.version < least {
        return Err(ImageFault::Version {
            found: header.version,
            least,
        });
    }
    let max = end(slot).saturating_sub(IMAGE_AT);
    if header.len > max {
        return Err(ImageFault::Size { max });
    }
    let line = header.statement();
    let maker = maker(key).ok_or(ImageFault::Signature)?;
    if !is_signed(maker, line.as_bytes(), &header.signature) {
        return Err(ImageFault::Signature);
    }
    let digest = digest(slot, image_end(&header));
    if digest != Some(header.digest) {
        return Err(ImageFault::Digest);
    }
    Ok(header)
}

/// The key whose signature counts.
#[inline(never)]
fn maker<F: NorFlash>(flash: &mut F) -> Option<RsaPublicKey> {
    let (mut len, mut spki) = ([0; 4], [0; MAX_KEY]);
    flash.read(0, &mut len).ok()?;
    let len = usize::try_from(u32::from_le_bytes(len)).ok()?;
    let spki = spki.get_mut(..len)?;
    flash.read(4, spki).ok()?;
    RsaPublicKey::from_spki(spki).ok()
}

/// Whether the holder of a key has signed a line.
#[inline(never)]
pub(crate) fn is_signed(key: RsaPublicKey, line: &[u8], signature: &[u8]) -> bool {
    let digest = Digest::Sha256(Sha256::digest(line).into());
    VerifyingKey::new(key).is_ok_and(|key| key.verify(&digest, signature).is_ok())
}

/// SHA-256 of the image in a slot, behind which there must be nothing that it could run into.
#[inline(never)]
fn digest<F: NorFlash>(slot: &mut F, image_end: u32) -> Option<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut piece = [0; PIECE];
    for (at, len) in pieces(IMAGE_AT, end(slot)) {
        let piece = piece.get_mut(..len)?;
        slot.read(at, piece).ok()?;
        let signed = usize::try_from(image_end.saturating_sub(at)).ok()?;
        let (signed, behind) = piece.split_at_checked(signed.min(len))?;
        hash.update(signed);
        if behind.iter().any(|&byte| byte != 0xff) {
            return None;
        }
    }
    Some(hash.finalize().into())
}

fn image_end(header: &ImageHeader) -> u32 {
    IMAGE_AT.saturating_add(header.len)
}

/// Where each piece begins from one offset to another, and its length.
fn pieces(from: u32, to: u32) -> impl Iterator<Item = (u32, usize)> {
    (from..to).step_by(PIECE).map(move |at| {
        let left = usize::try_from(to.saturating_sub(at)).unwrap_or(PIECE);
        (at, left.min(PIECE))
    })
}
