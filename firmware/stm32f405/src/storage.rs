//! The part's own flash (RM0090 section 3), in sectors of 128 KiB: 8 for what is provisioned, 9 for its key,
//! 10 and 11 for the journal.
//!
//! Nothing runs from flash while it is written or erased: the processor waits, interrupts and all. The host
//! is silent then, since it waits for the device's answer.
//!
//! QEMU has this flash as true ROM, without a controller: with the feature `qemu`,
//! [`privyseal_firmware_common::ram_flash`] is in its place.
#![expect(
    unsafe_code,
    reason = "writing flash is writing memory, and the pieces share one controller"
)]

use core::ptr;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use stm32f4::stm32f405::FLASH;

use privyseal_firmware_common::region::{Region, StorageError, Stretch, words_of};
use privyseal_protocol::crc::checksum;

use crate::watchdog;

const SECTOR: usize = 128 * 1024;
/// Where the first sector of that size would be, if all were: the smaller ones before are as large as one.
const FIRST: usize = 0x0800_0000;
/// Sectors before those of that size, less the one whose place they take.
const SMALLER: usize = 4;
const WORD: usize = 4;
/// The two keys of RM0090 section 3.6.1.
const KEYS: [u32; 2] = [0x4567_0123, 0xcdef_89ab];
/// Reads of the status before a wait is given up: longer than an erasure takes, 4 s.
const PATIENCE: u32 = 200_000_000;

/// The part's one-time memory (RM0090 section 3.6.5): blocks of 32 bytes, and a bit that is burnt stays so.
const ONE_TIME: Stretch = Stretch {
    address: 0x1fff_7800,
    len: 512,
};

/// A piece of the part's flash.
#[derive(Debug)]
pub struct Storage {
    region: Region,
    controller: FLASH,
}

/// The pieces: what is provisioned, its key, and the journal.
pub fn take(_controller: FLASH) -> [Storage; 3] {
    [Region::provision(), Region::secrets(), Region::journal()].map(|region| Storage {
        region,
        // SAFETY: all belong to the main loop, which uses one at a time, from its unlocking to its locking.
        controller: unsafe { FLASH::steal() },
    })
}

impl Storage {
    /// Unlocks the controller for one piece of work.
    fn unlocked(
        &mut self,
        work: impl FnOnce(&FLASH) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        wait(&self.controller)?;
        for key in KEYS {
            self.controller.keyr().write(|w| w.key().set(key));
        }
        clear_errors(&self.controller);
        let outcome = work(&self.controller).and_then(|()| wait(&self.controller));
        self.controller.cr().write(|w| w.lock().locked());
        self.forget_cached();
        outcome
    }

    /// The data cache may hold what was there before (RM0090 section 3.5.3).
    fn forget_cached(&self) {
        let acr = self.controller.acr();
        acr.modify(|_, w| w.dcen().disabled());
        acr.modify(|_, w| w.dcrst().reset());
        acr.modify(|_, w| w.dcrst().no_reset());
        acr.modify(|_, w| w.dcen().enabled());
    }
}

/// A secret in the part's one-time memory, which is none of its flash's sectors: 28 random bytes and their CRC-32, in
/// the first block where they are whole. A cut leaves a block that is not, and the next is taken.
impl Storage {
    /// The secret, if there is one.
    pub fn one_time_secret() -> Option<[u8; 32]> {
        Self::blocks().map(|(_, block)| block).find(is_whole)
    }

    /// Burns a secret of these random bytes, if there is none and there is a block left.
    pub fn burn_secret(&mut self, random: [u8; 28]) -> Result<(), StorageError> {
        let checksum = checksum(&[&random]).to_le_bytes();
        let mut secret = random.into_iter().chain(checksum);
        let block: [u8; 32] = core::array::from_fn(|_| secret.next().unwrap_or(0));
        let mut blank = Self::blocks().filter(|(_, block)| *block == [0xff; 32]);
        let (place, _) = blank.next().ok_or(StorageError::OutOfBounds)?;
        self.program_words(place, &block)
    }

    fn blocks() -> impl Iterator<Item = (Stretch, [u8; 32])> {
        (0..ONE_TIME.len).step_by(32).map(|at| {
            let address = ONE_TIME.address.saturating_add(at);
            let (place, mut block) = (Stretch { address, len: 32 }, [0; 32]);
            place.read(&mut block);
            (place, block)
        })
    }
}

fn is_whole(block: &[u8; 32]) -> bool {
    let (random, crc) = block.split_at(28);
    *crc == checksum(&[random]).to_le_bytes()
}

impl ErrorType for Storage {
    type Error = StorageError;
}

impl ReadNorFlash for Storage {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), StorageError> {
        self.region
            .stretch(offset, bytes.len(), Self::READ_SIZE)?
            .read(bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.region.size()
    }
}

impl NorFlash for Storage {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), StorageError> {
        let stretch = self.region.between(from, to, SECTOR)?.writable()?;
        let first = stretch.address.saturating_sub(FIRST) / SECTOR;
        for sector in (first..).take(stretch.len / SECTOR) {
            let number = sector.saturating_add(SMALLER);
            let number = u8::try_from(number).map_err(|_| StorageError::OutOfBounds)?;
            watchdog::feed();
            self.unlocked(|controller| erase_sector(controller, number))?;
        }
        if stretch.words().all(|word| holds(word, u32::MAX)) {
            Ok(())
        } else {
            Err(StorageError::Failed)
        }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), StorageError> {
        let stretch = self.region.stretch(offset, bytes.len(), WORD)?.writable()?;
        self.program_words(stretch, bytes)
    }
}

impl Storage {
    /// Writes whole words, and reads them back.
    fn program_words(&mut self, stretch: Stretch, bytes: &[u8]) -> Result<(), StorageError> {
        self.unlocked(|controller| {
            controller
                .cr()
                .write(|w| w.psize().psize32().pg().program());
            stretch
                .words()
                .zip(words_of(bytes))
                .try_for_each(|(word, value)| program(controller, word, value))
        })?;
        let mut written = stretch.words().zip(words_of(bytes));
        if written.all(|(word, value)| holds(word, value)) {
            Ok(())
        } else {
            Err(StorageError::Failed)
        }
    }
}

fn erase_sector(controller: &FLASH, sector: u8) -> Result<(), StorageError> {
    controller.cr().write(|w| {
        w.psize().psize32().ser().sector_erase();
        // SAFETY: one of the sectors of the storage: the caller has counted them.
        unsafe { w.snb().bits(sector) }
    });
    controller.cr().modify(|_, w| w.strt().start());
    wait(controller)
}

fn program(controller: &FLASH, word: *mut u32, value: u32) -> Result<(), StorageError> {
    // SAFETY: an aligned word inside the storage, with the controller set to program words.
    unsafe { ptr::write_volatile(word, value) };
    wait(controller)
}

fn holds(word: *mut u32, value: u32) -> bool {
    // SAFETY: an aligned word inside the storage.
    unsafe { ptr::read_volatile(word) == value }
}

/// Until the controller is idle; its errors are errors.
fn wait(controller: &FLASH) -> Result<(), StorageError> {
    let status = controller.sr();
    if !(0..PATIENCE).any(|_| status.read().bsy().bit_is_clear()) {
        return Err(StorageError::Failed);
    }
    let status = status.read();
    let failed = status.operr().bit_is_set()
        || status.wrperr().bit_is_set()
        || status.pgaerr().bit_is_set()
        || status.pgperr().bit_is_set()
        || status.pgserr().bit_is_set();
    if failed {
        clear_errors(controller);
        return Err(StorageError::Failed);
    }
    Ok(())
}

fn clear_errors(controller: &FLASH) {
    controller.sr().write(|w| {
        w.eop().clear_bit_by_one().operr().clear_bit_by_one();
        w.wrperr().clear_bit_by_one().pgaerr().clear_bit_by_one();
        w.pgperr().clear_bit_by_one().pgserr().clear_bit_by_one()
    });
}
