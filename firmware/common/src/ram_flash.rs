//! RAM that behaves like NOR flash: writing clears bits, erasing sets all bits of a sector.
//!
//! An emulator has a board's flash as true ROM, so this is where the device's state lives there; it survives a
//! reset of the machine. What it cannot show: erase and write times, wear, a supply that fails midway.
//!
//! RAM comes up as zeros, flash as ones: a word of its own says whether it was made flash already.

#![expect(
    unsafe_code,
    reason = "memory that the linker lays out, and no Rust value owns"
)]

use core::ptr;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use crate::region::{Region, StorageError, words_of};

const SECTOR: usize = 8 * 1024;
const WORD: usize = 4;
/// What that word holds then.
const MADE_FLASH: u32 = 0x4e4f_5221;

unsafe extern "C" {
    static mut _flash_mark: u32;
}

/// A stretch of RAM that keeps its content over a reset of the machine.
#[derive(Debug)]
pub struct Storage(Region);

/// The pieces: what is provisioned, its key, and the journal.
pub fn take() -> [Storage; 3] {
    let pieces = [Region::provision(), Region::secrets(), Region::journal()];
    made(ptr::addr_of_mut!(_flash_mark) as usize, pieces)
}

/// Pieces, with their mark in a word elsewhere: both are RAM that the board sets aside for this, and nothing else uses.
pub fn made<const N: usize>(mark: usize, pieces: [Region; N]) -> [Storage; N] {
    let mark = mark as *mut u32;
    // SAFETY: as the caller says.
    unsafe {
        if ptr::read_volatile(mark) != MADE_FLASH {
            for piece in pieces {
                let all = piece.stretch(0, piece.size(), WORD);
                for word in all.iter().flat_map(|all| all.words()) {
                    ptr::write_volatile(word, u32::MAX);
                }
            }
            ptr::write_volatile(mark, MADE_FLASH);
        }
    }
    pieces.map(Storage)
}

impl Storage {
    /// A piece that is flash already.
    pub const fn of(region: Region) -> Self {
        Self(region)
    }
}

impl ErrorType for Storage {
    type Error = StorageError;
}

impl ReadNorFlash for Storage {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), StorageError> {
        self.0
            .stretch(offset, bytes.len(), Self::READ_SIZE)?
            .read(bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.size()
    }
}

impl NorFlash for Storage {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), StorageError> {
        for word in self.0.between(from, to, SECTOR)?.writable()?.words() {
            // SAFETY: an aligned word inside the storage.
            unsafe { ptr::write_volatile(word, u32::MAX) };
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), StorageError> {
        let stretch = self.0.stretch(offset, bytes.len(), WORD)?;
        let words = stretch.writable()?.words();
        for (word, value) in words.zip(words_of(bytes)) {
            // SAFETY: an aligned word inside the storage.
            let left = unsafe {
                let left = ptr::read_volatile(word) & value;
                ptr::write_volatile(word, left);
                left
            };
            if left != value {
                return Err(StorageError::Failed);
            }
        }
        Ok(())
    }
}
