//! Text in pages of its own that the system neither swaps out nor dumps, where it allows that; wiped when dropped.
//!
//! The unsafe code asks the system about memory by its address: the pages lie inside a buffer of the text's own, so no
//! other value lies in them, and what is asked changes no byte.

#![allow(unsafe_code)]

use zeroize::{Zeroize as _, Zeroizing};

/// A text that never moves.
pub(crate) struct LockedText {
    /// The pages, and as much around them as makes them whole.
    room: Zeroizing<Vec<u8>>,
    start: usize,
    len: usize,
}

impl LockedText {
    pub(crate) fn new(text: &str) -> Self {
        let pages = page_size().saturating_mul(text.len().div_ceil(page_size()).max(1));
        let room = Zeroizing::new(vec![0; pages.saturating_add(page_size())]);
        let start = room.as_ptr().align_offset(page_size());
        let len = text.len();
        let mut locked = Self { room, start, len };
        // Where the limit for locked memory is reached the text is kept all the same.
        #[cfg(unix)]
        locked.protect();
        if let Some(place) = locked.room.get_mut(start..start.saturating_add(len)) {
            place.copy_from_slice(text.as_bytes());
        }
        locked
    }

    pub(crate) fn as_str(&self) -> &str {
        let end = self.start.saturating_add(self.len);
        let bytes = self.room.get(self.start..end).unwrap_or_default();
        // It was a `str`.
        str::from_utf8(bytes).unwrap_or_default()
    }

    #[cfg(unix)]
    fn pages(&self) -> &[u8] {
        let len = self.room.len().saturating_sub(page_size());
        let end = self.start.saturating_add(len);
        self.room.get(self.start..end).unwrap_or_default()
    }

    #[cfg(unix)]
    fn protect(&mut self) {
        let pages = self.pages();
        let (address, len) = (pages.as_ptr().cast_mut().cast(), pages.len());
        #[cfg(target_os = "linux")]
        // SAFETY: whole pages of this value's own; leaving them out of dumps changes no byte.
        unsafe {
            libc::madvise(address, len, libc::MADV_DONTDUMP);
        }
        // SAFETY: whole pages of this value's own.
        unsafe {
            libc::mlock(address, len);
        }
    }
}

impl Drop for LockedText {
    fn drop(&mut self) {
        self.room.as_mut_slice().zeroize();
        #[cfg(unix)]
        {
            let pages = self.pages();
            let (address, len) = (pages.as_ptr().cast_mut().cast(), pages.len());
            // SAFETY: whole pages of this value's own, which no other lock is about.
            unsafe {
                libc::munlock(address, len);
            }
            #[cfg(target_os = "linux")]
            // SAFETY: as before; the allocator's next user may be dumped again.
            unsafe {
                libc::madvise(address, len, libc::MADV_DODUMP);
            }
        }
    }
}

/// The largest pages that processors of this kind have: smaller ones are whole in them, too.
const fn page_size() -> usize {
    if cfg!(not(unix)) {
        1
    } else if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
        4096
    } else {
        65536
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The flags of the mapping that `address` lies in.
    fn flags(address: usize) -> Vec<String> {
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("Linux");
        let mut is_inside = false;
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some((start, end)) = first.split_once('-') {
                let number = |text| usize::from_str_radix(text, 16).unwrap_or_default();
                is_inside = (number(start)..number(end)).contains(&address);
            } else if is_inside && first == "VmFlags:" {
                return words.map(str::to_owned).collect();
            }
        }
        panic!("no mapping has it");
    }

    #[test]
    fn a_secret_is_neither_swapped_out_nor_dumped() {
        let texts = ["471147", "x"].map(LockedText::new);
        let [first, second] = texts.each_ref().map(LockedText::as_str);
        assert_eq!((first, second), ("471147", "x"));
        let address = first.as_ptr().addr();
        for flag in ["lo", "dd"] {
            assert!(flags(address).iter().any(|it| it == flag), "{flag}");
        }
        // The end of one unlocks no other.
        let [first, second] = texts;
        let (address, kept) = (
            first.as_str().as_ptr().addr(),
            second.as_str().as_ptr().addr(),
        );
        drop(first);
        assert!(flags(kept).iter().any(|it| it == "lo"));
        assert!(!flags(address).iter().any(|it| it == "lo"));
    }
}
