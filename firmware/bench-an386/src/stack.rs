//! The stack below the caller, painted before a call and looked at after it: how deep the call went, and
//! what it left there.
#![expect(
    unsafe_code,
    reason = "reads and writes the memory below the stack pointer, which no Rust value owns"
)]

use core::{ptr, slice};

use cortex_m::register::msp;

/// What untouched words hold.
const PAINT: u32 = 0x5afe_c0de;
/// Painted words: 16 KiB, far more than a signature may take.
const WORDS: usize = 4096;
/// Room for the frames of the functions here.
const GAP: usize = 256;
/// Values that also occur by chance, such as counters and lengths.
const ORDINARY: u32 = 1 << 16;

/// A painted stretch of stack.
pub(crate) struct Painted {
    bottom: *mut u32,
}

/// Paints the stack below the caller.
#[inline(never)]
pub(crate) fn paint() -> Painted {
    let bottom = (msp::read() as usize - GAP - WORDS * 4) as *mut u32;
    for word in 0..WORDS {
        // SAFETY: below the stack pointer and inside the RAM, 4 MiB of it; no interrupt is enabled.
        unsafe { ptr::write_volatile(bottom.add(word), PAINT) };
    }
    Painted { bottom }
}

impl Painted {
    /// The depth of the deepest call since, in bytes, counted from where the stretch was painted.
    #[inline(never)]
    pub(crate) fn used(&self) -> usize {
        let untouched = (0..WORDS).find(|&word| self.word(word) != PAINT);
        GAP + (WORDS - untouched.unwrap_or(WORDS)) * 4
    }

    /// How many words in the stretch are also words of the value: traces of it.
    #[inline(never)]
    pub(crate) fn words_of<T>(&self, value: &T) -> usize {
        // SAFETY: the value lives and is made of words throughout, without padding.
        let words = unsafe {
            slice::from_raw_parts(ptr::from_ref(value).cast::<u32>(), size_of::<T>() / 4)
        };
        (0..WORDS)
            .map(|word| self.word(word))
            .filter(|found| *found != PAINT && *found > ORDINARY && words.contains(found))
            .count()
    }

    fn word(&self, word: usize) -> u32 {
        // SAFETY: as in `paint`.
        unsafe { ptr::read_volatile(self.bottom.add(word)) }
    }
}
