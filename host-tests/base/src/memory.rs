//! A secret, looked for in the memory of this process.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use zeroize::Zeroizing;

/// What the secret is hidden with, so that it is not found where it is kept to be looked for.
const MASK: u8 = 0x80;

const PAGE: usize = 4096;

/// A secret that is not in memory as such.
#[derive(Debug)]
pub struct Hidden(Vec<u8>);

impl Hidden {
    /// Hides it.
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.iter().map(|byte| byte ^ MASK).collect())
    }

    /// How often the secret is in memory that this process can write to. A page that cannot be read (one beyond the end of a
    /// mapped file, say) hides no other of its region.
    ///
    /// # Panics
    /// If the system does not show the memory: Linux does.
    pub fn found(&self) -> usize {
        let maps = fs::read_to_string("/proc/self/maps").expect("Linux");
        let mut memory = File::open("/proc/self/mem").expect("Linux");
        let mut count = 0;
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let range = words.next().and_then(|range| range.split_once('-'));
            let (start, end) = range.expect("a range of addresses");
            if !words.next().is_some_and(|rights| rights.starts_with("rw")) {
                continue;
            }
            let [start, end] =
                [start, end].map(|it| u64::from_str_radix(it, 16).expect("hexadecimal"));
            let len = usize::try_from(end - start).expect("an address");
            let mut bytes = Zeroizing::new(vec![0; len]);
            for (page, place) in bytes.chunks_mut(PAGE).zip((start..).step_by(PAGE)) {
                memory.seek(SeekFrom::Start(place)).expect("a place");
                // Zeros stay where it cannot be read.
                let _ = memory.read_exact(page);
            }
            count += bytes.windows(self.0.len()).filter(|it| self.is(it)).count();
        }
        count
    }

    fn is(&self, place: &[u8]) -> bool {
        place
            .iter()
            .zip(&self.0)
            .all(|(is, hidden)| is ^ MASK == *hidden)
    }
}
