//! The stack below the caller, painted before a call and looked at after it: how deep the call went, and
//! what it left there.

use core::{ptr, slice};

use cortex_m::register::msp;

/// What untouched words hold.
const PAINT: u32 = 0x5afe_c0de;
/// Room for the frames of the functions here, in bytes.
const GAP: usize = 256;
/// Values that also occur by chance, such as counters and lengths.
const ORDINARY: u32 = 1 << 16;

unsafe extern "C" {
    static mut _stack_end: u32;
}

/// A painted stack.
#[derive(Clone, Copy, Debug)]
pub struct Painted {
    top: usize,
}

/// Paints the stack below the caller.
#[inline(never)]
pub fn paint() -> Painted {
    let top = msp::read() as usize;
    for word in words(top.saturating_sub(GAP)) {
        // SAFETY: between the end of the stack and its pointer.
        unsafe { ptr::write_volatile(word, PAINT) };
    }
    Painted { top }
}

impl Painted {
    /// The depth of the deepest call since, in bytes, counted from where the stack was painted first.
    #[inline(never)]
    pub fn used(&self) -> usize {
        let lowest = words(self.top).find(|&word| read(word) != PAINT);
        lowest.map_or(0, |word| self.top.saturating_sub(word as usize))
    }

    /// How many words in the stack are also words of the value: traces of it.
    #[inline(never)]
    pub fn words_of<T>(&self, value: &T) -> usize {
        let start = ptr::from_ref(value).cast::<u32>();
        // SAFETY: the value lives and is made of words throughout, without padding.
        let parts = unsafe { slice::from_raw_parts(start, size_of::<T>() / 4) };
        words(self.top.saturating_sub(GAP))
            .map(read)
            .filter(|found| *found != PAINT && *found > ORDINARY && parts.contains(found))
            .count()
    }
}

/// Those of the stack, from its end to an address.
fn words(top: usize) -> impl Iterator<Item = *mut u32> {
    let end = ptr::addr_of_mut!(_stack_end);
    let count = top.saturating_sub(end as usize) / size_of::<u32>();
    (0..count).map(move |word| end.wrapping_add(word))
}

fn read(word: *mut u32) -> u32 {
    // SAFETY: a word of the stack.
    unsafe { ptr::read_volatile(word) }
}
