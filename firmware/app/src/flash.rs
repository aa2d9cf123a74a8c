//! Writing to flash in the units that it takes.

use embedded_storage::nor_flash::NorFlash;
use privyseal_core::encoding::sink::Sink;
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
