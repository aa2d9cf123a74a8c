//! Writing to flash in the units that it takes: bytes, marks, and heads with a CRC.

use embedded_storage::nor_flash::NorFlash;
use privyseal_core::encoding::sink::{Sink, SliceSink};
use privyseal_protocol::crc::checksum;
use zeroize::Zeroize;

use crate::MAX_WRITE;
use crate::journal::StorageError;

/// What [`MAX_WRITE`] is in an offset.
const STEP: u32 = 32;

/// Bytes that [`FlashSink`] writes at once: some units.
const PIECE: usize = 8 * MAX_WRITE;
/// The same in an offset.
const PIECE_STEP: u32 = 8 * STEP;

/// The next offset at which anything may be written.
pub(crate) const fn aligned(offset: u32) -> u32 {
    offset.div_ceil(STEP).saturating_mul(STEP)
}

/// Writes bytes of any number at an aligned offset; what the last unit lacks is left erased.
pub(crate) fn write_padded<F: NorFlash>(
    flash: &mut F,
    offset: u32,
    bytes: &[u8],
) -> Result<(), StorageError> {
    const { assert!(F::WRITE_SIZE <= MAX_WRITE && MAX_WRITE.is_multiple_of(F::WRITE_SIZE)) }
    let rest_len = bytes.len() % MAX_WRITE;
    let whole_len = bytes.len().saturating_sub(rest_len);
    let (whole, rest) = bytes.split_at_checked(whole_len).ok_or(StorageError)?;
    if !whole.is_empty() {
        flash.write(offset, whole).map_err(|_| StorageError)?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    let mut last = [0xff; MAX_WRITE];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let end = offset.saturating_add(u32::try_from(whole_len).map_err(|_| StorageError)?);
    let outcome = flash.write(end, &last).map_err(|_| StorageError);
    last.zeroize();
    outcome
}

/// Whether nothing is written from here to there.
pub(crate) fn is_blank<F: NorFlash>(
    flash: &mut F,
    from: u32,
    to: u32,
) -> Result<bool, StorageError> {
    let mut piece = [0; 64];
    let mut at = from;
    let mut blank = true;
    while at < to {
        flash.read(at, &mut piece).map_err(|_| StorageError)?;
        blank &= piece.iter().all(|&byte| byte == 0xff);
        piece.zeroize();
        at = at.saturating_add(64);
    }
    Ok(blank)
}

/// What says something by being there.
pub(crate) const MARK: [u8; 32] = [0; 32];
/// From one mark to what may come next.
const MARK_STEP: u32 = 64;

/// Whether there is such a mark, or what a cut has left of one.
pub(crate) fn is_marked<F: NorFlash>(flash: &mut F, at: u32) -> Result<bool, StorageError> {
    Ok(!is_blank(flash, at, at.saturating_add(MARK_STEP))?)
}

/// Erases a piece, if there is something in it, once there is the mark that it does not count any more.
pub(crate) fn give_up<F: NorFlash>(flash: &mut F, mark: u32) -> Result<(), StorageError> {
    if is_blank(flash, 0, end(flash))? {
        return Ok(());
    }
    if !is_marked(flash, mark)? {
        write_padded(flash, mark, &MARK)?;
    }
    erase_piece(flash)
}

/// Bytes of a piece.
pub(crate) fn end<F: NorFlash>(flash: &F) -> u32 {
    u32::try_from(flash.capacity()).unwrap_or(u32::MAX)
}

/// Erases a piece, the sector with its head and its marks last, and looks that nothing is left.
pub(crate) fn erase_piece<F: NorFlash>(flash: &mut F) -> Result<(), StorageError> {
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

const CRC_LEN: usize = 4;

/// Number by number, and the digest at the end.
pub(crate) struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    pub(crate) fn number(&mut self) -> Option<u32> {
        let (bytes, behind) = self.0.split_first_chunk::<4>()?;
        self.0 = behind;
        Some(u32::from_le_bytes(*bytes))
    }

    pub(crate) fn digest(&mut self) -> Option<[u8; 32]> {
        let (digest, behind) = self.0.split_first_chunk()?;
        self.0 = behind;
        Some(*digest)
    }
}

/// Magic, numbers, digests, zeros, CRC.
pub(crate) fn head<const LEN: usize>(
    magic: &[u8],
    numbers: impl IntoIterator<Item = u32>,
    digests: &[&[u8; 32]],
) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    let mut sink = SliceSink::new(&mut bytes);
    // There is room for all of it.
    let _ = sink.write(magic);
    for number in numbers {
        let _ = sink.write(&number.to_le_bytes());
    }
    for digest in digests {
        let _ = sink.write(*digest);
    }
    if let Some((content, crc)) = bytes.split_last_chunk_mut::<CRC_LEN>() {
        *crc = checksum(&[content]).to_le_bytes();
    }
    bytes
}

/// What stands behind the magic, if the CRC is right.
pub(crate) fn fields<'a>(bytes: &'a [u8], magic: &[u8]) -> Option<Fields<'a>> {
    let (content, crc) = bytes.split_last_chunk::<CRC_LEN>()?;
    if *crc != checksum(&[content]).to_le_bytes() {
        return None;
    }
    content.strip_prefix(magic).map(Fields)
}

/// Writes what comes in pieces, up to a limit.
pub(crate) struct FlashSink<'f, F> {
    flash: &'f mut F,
    at: u32,
    end: u32,
    pending: [u8; PIECE],
    len: usize,
}

impl<'f, F: NorFlash> FlashSink<'f, F> {
    /// From one aligned offset to another.
    pub(crate) fn new(flash: &'f mut F, from: u32, to: u32) -> Self {
        Self {
            flash,
            at: from,
            end: to,
            pending: [0; PIECE],
            len: 0,
        }
    }

    /// Writes what is left over.
    pub(crate) fn finish(mut self) -> Result<(), StorageError> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        if self.len == 0 {
            return Ok(());
        }
        let next = self.at.saturating_add(PIECE_STEP);
        if next > self.end {
            return Err(StorageError);
        }
        let bytes = self.pending.get(..self.len).unwrap_or(&[]);
        write_padded(self.flash, self.at, bytes)?;
        self.at = next;
        self.len = 0;
        Ok(())
    }
}

impl<F: NorFlash> Sink for FlashSink<'_, F> {
    type Error = StorageError;

    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        for &byte in bytes {
            if let Some(place) = self.pending.get_mut(self.len) {
                *place = byte;
                self.len = self.len.saturating_add(1);
            }
            if self.len == PIECE {
                self.flush()?;
            }
        }
        Ok(())
    }
}
