//! A queue of bytes with one writer (the interrupt) and one reader (the main loop), without locks.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// A whole frame of the line protocol fits. A power of two, so that counts may wrap.
const SIZE: usize = 2048;

/// The queue. Only the writer changes `written`, only the reader changes `taken`.
#[derive(Debug)]
pub struct Ring {
    bytes: [AtomicU8; SIZE],
    written: AtomicUsize,
    taken: AtomicUsize,
}

impl Ring {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "made in statics only")]
    pub const fn new() -> Self {
        Self {
            bytes: [const { AtomicU8::new(0) }; SIZE],
            written: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        }
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.written.load(Ordering::Acquire) == self.taken.load(Ordering::Relaxed)
    }

    /// Adds a byte, or drops it when the queue is full.
    pub fn put(&self, byte: u8) {
        let written = self.written.load(Ordering::Relaxed);
        if written.wrapping_sub(self.taken.load(Ordering::Acquire)) == SIZE {
            return;
        }
        if let Some(place) = self.bytes.get(written % SIZE) {
            place.store(byte, Ordering::Relaxed);
        }
        self.written
            .store(written.wrapping_add(1), Ordering::Release);
    }

    /// Takes the oldest byte, and leaves a zero in its place: it may be one of a key.
    pub fn take(&self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let taken = self.taken.load(Ordering::Relaxed);
        let byte = self.bytes.get(taken % SIZE)?.swap(0, Ordering::Relaxed);
        self.taken.store(taken.wrapping_add(1), Ordering::Release);
        Some(byte)
    }
}
