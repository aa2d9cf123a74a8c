//! NOR flash: writing clears bits, erasing sets those of whole sectors, nothing is written twice; and the
//! power goes at the operation that a test names.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::vec::Vec;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Bytes that are written at once: a word.
const WORD: usize = 4;

/// When in an operation the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before anything has changed.
    Before,
    /// With a part done, and one word or one sector left in between.
    Halfway,
    /// In the last word or the last sector.
    AtTheLast,
    /// When all is done, before the device knows.
    After,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Before, Self::Halfway, Self::AtTheLast, Self::After];
}

/// A power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// In which write or erase from now on, from 0.
    pub operation: u64,
    /// When in it.
    pub moment: Moment,
}

/// The power supply of a board: counts the writes and erases of its flash, and fails in one of them.
#[derive(Debug, Default)]
pub struct Power {
    operations: AtomicU64,
    cut_at: AtomicU64,
    moment: AtomicU64,
    armed: AtomicBool,
    off: AtomicBool,
}

impl Power {
    /// Writes and erases so far.
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::SeqCst)
    }

    /// Goes off so many operations from now.
    pub fn cut(&self, cut: Cut) {
        let at = self.operations() + cut.operation;
        self.cut_at.store(at, Ordering::SeqCst);
        let moment = match cut.moment {
            Moment::Before => 0,
            Moment::Halfway => 1,
            Moment::AtTheLast => 2,
            Moment::After => 3,
        };
        self.moment.store(moment, Ordering::SeqCst);
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Whether it has gone off.
    pub fn is_off(&self) -> bool {
        self.off.load(Ordering::SeqCst)
    }

    /// What becomes of the next operation.
    fn next(&self) -> Result<Option<Moment>, NorFlashErrorKind> {
        if self.is_off() {
            return Err(NorFlashErrorKind::Other);
        }
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        if !self.armed.load(Ordering::SeqCst) || number != self.cut_at.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.off.store(true, Ordering::SeqCst);
        Ok(Some(match self.moment.load(Ordering::SeqCst) {
            0 => Moment::Before,
            1 => Moment::Halfway,
            2 => Moment::AtTheLast,
            _ => Moment::After,
        }))
    }
}

/// What a region of flash holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    bytes: Vec<u8>,
    /// Bits of a byte that a cut left in between: they read as set at one time and not at another, until they are erased.
    unstable: Vec<(usize, u8)>,
}

impl Cells {
    /// The bits that a cut left in between come to rest as they were to be written.
    #[cfg(test)]
    pub(crate) fn settle(&mut self) {
        for (at, bits) in self.unstable.drain(..) {
            self.bytes[at] ^= bits;
        }
    }

    pub(crate) fn blank(len: usize) -> Self {
        Self {
            bytes: std::vec![0xff; len],
            unstable: Vec::new(),
        }
    }
}

impl Deref for Cells {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Cells {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// A region of flash with sectors of one size.
#[derive(Debug)]
pub struct Flash {
    cells: Cells,
    reads: AtomicU64,
    sector: usize,
    power: Arc<Power>,
}

impl Flash {
    pub(super) fn new(cells: Cells, sector: usize, power: Arc<Power>) -> Self {
        assert!(sector.is_multiple_of(SECTOR_UNIT) && cells.len().is_multiple_of(sector));
        Self {
            cells,
            reads: AtomicU64::new(0),
            sector,
            power,
        }
    }

    pub(super) const fn cells(&self) -> &Cells {
        &self.cells
    }

    pub(super) fn piece(&self, offset: u32, len: u32) -> Option<Vec<u8>> {
        let offset = usize::try_from(offset).ok()?;
        let end = offset.checked_add(usize::try_from(len).ok()?)?;
        let mut piece = Vec::from(self.cells.get(offset..end)?);
        self.waver(offset, &mut piece);
        Some(piece)
    }

    /// What is unstable reads one way at one time and the other way at the next.
    fn waver(&self, offset: usize, bytes: &mut [u8]) {
        if self.reads.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            return;
        }
        for &(at, bits) in &self.cells.unstable {
            if let Some(byte) = at.checked_sub(offset).and_then(|at| bytes.get_mut(at)) {
                *byte ^= bits;
            }
        }
    }

    pub(super) const fn sector(&self) -> usize {
        self.sector
    }
}

/// The trait wants a constant; real sectors are multiples of it, and erase works on those.
const SECTOR_UNIT: usize = 512;

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let offset = usize::try_from(offset).expect("an offset");
        bytes.copy_from_slice(&self.cells[offset..offset + bytes.len()]);
        self.waver(offset, bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.cells.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR_UNIT;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        let range = usize::try_from(from).expect("an offset")..usize::try_from(to).expect("an end");
        let done = match self.power.next()? {
            Some(Moment::Before) => return Err(NorFlashErrorKind::Other),
            Some(Moment::Halfway) => range.len() / 2,
            Some(Moment::AtTheLast) => range.len().saturating_sub(self.sector),
            Some(Moment::After) | None => range.len(),
        };
        let Cells { bytes, unstable } = &mut self.cells;
        unstable.retain(|(at, _)| !(range.start..range.start + done).contains(at));
        let (erased, between) = bytes[range.clone()].split_at_mut(done);
        erased.fill(0xff);
        // Bits rise one by one, each in its own time.
        let halfway = between.len().min(self.sector);
        for (position, byte) in between[..halfway].iter_mut().enumerate() {
            unstable.push((range.start + done + position, !*byte & 0x5a));
            *byte |= u8::try_from(position % 251).expect("a byte");
        }
        if self.power.is_off() {
            return Err(NorFlashErrorKind::Other);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let offset = usize::try_from(offset).expect("an offset");
        let place = &mut self.cells.bytes[offset..offset + bytes.len()];
        assert!(
            place.iter().all(|&byte| byte == 0xff),
            "byte {offset} of the flash or one behind it is written a second time"
        );
        let words = bytes.len() / WORD;
        let done = match self.power.next()? {
            Some(Moment::Before) => return Err(NorFlashErrorKind::Other),
            Some(Moment::Halfway) => words / 2,
            Some(Moment::AtTheLast) => words.saturating_sub(1),
            Some(Moment::After) | None => words,
        } * WORD;
        place[..done].copy_from_slice(&bytes[..done]);
        // The word at which the power went has some of its bits.
        for (at, from) in bytes.iter().enumerate().skip(done).take(WORD) {
            place[at] = from | 0xa5;
            self.cells.unstable.push((offset + at, place[at] ^ from));
        }
        if self.power.is_off() {
            return Err(NorFlashErrorKind::Other);
        }
        Ok(())
    }
}
