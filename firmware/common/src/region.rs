//! The pieces of memory that hold the device's state: what is provisioned, its key, and the journal.
#![expect(
    unsafe_code,
    reason = "the linker says where the storage is, and flash is read as memory"
)]

use core::sync::atomic::{AtomicUsize, Ordering};
use core::{ptr, slice};

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};
use privyseal_core::credential::StableBytes;

unsafe extern "C" {
    static _provision_start: u8;
    static _provision_end: u8;
    static _secrets_start: u8;
    static _secrets_end: u8;
    static _journal_start: u8;
    static _journal_end: u8;
}

/// A piece of the storage: where it begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// Its first address.
    pub start: usize,
    /// The address after its last.
    pub end: usize,
}

impl Region {
    /// For policy and chain.
    pub fn provision() -> Self {
        Self {
            start: ptr::addr_of!(_provision_start) as usize,
            end: ptr::addr_of!(_provision_end) as usize,
        }
    }

    /// For the key.
    pub fn secrets() -> Self {
        Self {
            start: ptr::addr_of!(_secrets_start) as usize,
            end: ptr::addr_of!(_secrets_end) as usize,
        }
    }

    /// For counter, time floor and log.
    pub fn journal() -> Self {
        Self {
            start: ptr::addr_of!(_journal_start) as usize,
            end: ptr::addr_of!(_journal_end) as usize,
        }
    }

    /// Bytes.
    pub const fn size(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// From `offset`, `len` bytes, both multiples of `unit`.
    pub fn stretch(self, offset: u32, len: usize, unit: usize) -> Result<Stretch, StorageError> {
        let offset = usize::try_from(offset).map_err(|_| StorageError::OutOfBounds)?;
        let end = offset.checked_add(len).ok_or(StorageError::OutOfBounds)?;
        if end > self.size() {
            return Err(StorageError::OutOfBounds);
        }
        if !offset.is_multiple_of(unit) || !len.is_multiple_of(unit) {
            return Err(StorageError::NotAligned);
        }
        Ok(Stretch {
            address: self.start.saturating_add(offset),
            len,
        })
    }

    /// As [`Region::stretch`], from one offset to another.
    pub fn between(self, from: u32, to: u32, unit: usize) -> Result<Stretch, StorageError> {
        let len = to.checked_sub(from).ok_or(StorageError::OutOfBounds)?;
        let len = usize::try_from(len).map_err(|_| StorageError::OutOfBounds)?;
        self.stretch(from, len, unit)
    }
}

/// How many pieces are mapped, and the stretch from the first of them to the end of the last. One thread maps and
/// writes, and interrupts do neither.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static FROM: AtomicUsize = AtomicUsize::new(usize::MAX);
static TO: AtomicUsize = AtomicUsize::new(0);

/// A piece of what is provisioned, where it lies. As long as there is one, nothing is written or erased there.
#[derive(Debug)]
pub struct Mapped(&'static [u8]);

/// Maps a piece of a region. `None` if it is not all within.
pub fn mapped(region: Region, offset: u32, len: u32) -> Option<Mapped> {
    let len = usize::try_from(len).ok()?;
    let Stretch { address, .. } = region.stretch(offset, len, 1).ok()?;
    COUNT.fetch_add(1, Ordering::Relaxed);
    FROM.fetch_min(address, Ordering::Relaxed);
    TO.fetch_max(address.saturating_add(len), Ordering::Relaxed);
    // SAFETY: within the storage, which does not change there before this is dropped: see `Stretch::writable`.
    Some(Mapped(unsafe {
        slice::from_raw_parts(address as *const u8, len)
    }))
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

// SAFETY: as long as there is one, nothing is written or erased where it lies: see `Stretch::writable`.
unsafe impl StableBytes for Mapped {}

impl Drop for Mapped {
    fn drop(&mut self) {
        if COUNT.fetch_sub(1, Ordering::Relaxed) == 1 {
            FROM.store(usize::MAX, Ordering::Relaxed);
            TO.store(0, Ordering::Relaxed);
        }
    }
}

/// What storage answers when it does not do as told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// Outside of the storage.
    OutOfBounds,
    /// Not on the boundaries of words or sectors.
    NotAligned,
    /// Where a piece is mapped.
    Mapped,
    /// The controller reports an error, does not come to an end, or the flash holds something else than
    /// what was written.
    Failed,
}

impl NorFlashError for StorageError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::Mapped | Self::Failed => NorFlashErrorKind::Other,
        }
    }
}

/// A stretch of the storage, checked to be one.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Its first address.
    pub address: usize,
    /// Bytes.
    pub len: usize,
}

impl Stretch {
    /// The same, to be written or erased: not where a piece is mapped.
    pub fn writable(self) -> Result<Self, StorageError> {
        let end = self.address.saturating_add(self.len);
        if self.address < TO.load(Ordering::Relaxed) && FROM.load(Ordering::Relaxed) < end {
            return Err(StorageError::Mapped);
        }
        Ok(self)
    }

    /// Copies it out.
    pub fn read(self, to: &mut [u8]) {
        for (byte, address) in to.iter_mut().zip(self.address..) {
            // SAFETY: inside the storage. Volatile, because what is there changes behind the compiler's back.
            *byte = unsafe { ptr::read_volatile(address as *const u8) };
        }
    }

    /// Its words' addresses.
    pub fn words(self) -> impl Iterator<Item = *mut u32> {
        (0..self.len / 4).map(move |word| (self.address as *mut u32).wrapping_add(word))
    }
}

/// The words to write, from bytes.
pub fn words_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| u32::from_le_bytes(*word))
}

/// What every board has of its three pieces of flash, fields of these names, and of its image: for its `impl Board`.
#[macro_export]
macro_rules! pieces_of_flash {
    ($storage:ty) => {
        type Provision = $storage;
        type Mapped = $crate::region::Mapped;
        type Journal = $storage;

        fn provision(&mut self) -> &mut $storage {
            &mut self.provision
        }

        fn secrets(&mut self) -> &mut $storage {
            &mut self.secrets
        }

        fn mapped(&self, offset: u32, len: u32) -> Option<Self::Mapped> {
            $crate::region::mapped($crate::region::Region::provision(), offset, len)
        }

        fn mapped_secret(&self, offset: u32, len: u32) -> Option<Self::Mapped> {
            $crate::region::mapped($crate::region::Region::secrets(), offset, len)
        }

        fn journal(&mut self) -> &mut $storage {
            &mut self.journal
        }

        fn protect(&mut self, memory: core::ops::Range<usize>) {
            $crate::mpu::protect(memory);
        }

        fn unprotect(&mut self) {
            $crate::mpu::unprotect();
        }

        fn image_hash(&self) -> [u8; 32] {
            self.image_hash
        }
    };
}
