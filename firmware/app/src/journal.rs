//! The device's memory of what it did: counter, time floor, rate limit and log, in one record per event.
//!
//! The flash is two areas. Records are appended in one of them; when it is full the other is erased and
//! goes on. A record is 128 bytes: an [`Entry`], its link in the hash chain, and a CRC-32. Each holds the
//! whole state after its event, so the newest whole record is the state, and one write, which is complete
//! or not, makes an event happen. A cut leaves at most one torn record, which its CRC shows and which is
//! skipped, also where it reads as whole later; or a half-erased area, which is not the one with the newest
//! record and is erased again before use. Nothing is ever written twice in one place.
//!
//! # How long the log is, and how long the flash lasts
//! With areas of `n` records the log holds the newest `n` to `2 n` events, and each area is erased once in
//! `2 n` events. An STM32F405 promises 10,000 erasures of a sector:
//!
//! | areas | `n` | events in the flash's life | one token a minute |
//! |---|---:|---:|---:|
//! | one sector of 16 KiB each | 128 | 2.5 million | 4.9 years |
//! | one sector of 128 KiB each | 1,024 | 20 million | 39 years |
//!
//! Refusals count against the rate limit, so that no host can wear the flash faster than the policy lets it
//! sign; starts, and uploads to a device without a key, count without a limit.

use embedded_storage::nor_flash::NorFlash;
use privyseal_protocol::DeviceId;
use privyseal_protocol::crc::checksum;
use privyseal_protocol::log::{ENTRY_LEN, Entry, LINK_LEN, RECORD_LEN, first_link, link_after};

/// Bytes of a record in the flash.
pub(crate) const SLOT: usize = 128;
/// Where the CRC stands in it.
const CRC_AT: usize = SLOT - 4;

/// A record in the flash takes as much as so many bytes in an offset.
const SLOT_STEP: u32 = 128;

/// The flash failed, or did not keep what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StorageError;

/// The journal: where it ends, and what its newest record says.
pub(crate) struct Journal {
    latest: Option<Entry>,
    link: [u8; LINK_LEN],
    /// 0 or 1.
    area: u32,
    /// The first slot of that area that was never written since it was erased.
    free: u32,
    /// The flash failed: nothing more is written before the next start has looked what is there.
    failed: bool,
}

/// What a slot holds.
enum Slot {
    Blank,
    Torn,
    Record(Entry, [u8; LINK_LEN]),
}

/// Slots of one area.
fn area_slots<F: NorFlash>(flash: &F) -> u32 {
    let sector = F::ERASE_SIZE.max(1);
    let area = flash
        .capacity()
        .checked_div(sector)
        .unwrap_or(0)
        .saturating_div(2)
        .saturating_mul(sector);
    u32::try_from(area).unwrap_or(0) / SLOT_STEP
}

fn offset(slots: u32, area: u32, slot: u32) -> u32 {
    area.saturating_mul(slots)
        .saturating_add(slot)
        .saturating_mul(SLOT_STEP)
}

/// What is in a slot. Torn also if it reads differently the second time: the bits of a word at which the power went may
/// do so.
fn read_slot<F: NorFlash>(
    flash: &mut F,
    at: u32,
    bytes: &mut [u8; SLOT],
) -> Result<Slot, StorageError> {
    let mut again = [0; SLOT];
    flash.read(at, bytes).map_err(|_| StorageError)?;
    flash.read(at, &mut again).map_err(|_| StorageError)?;
    if again != *bytes {
        return Ok(Slot::Torn);
    }
    if bytes.iter().all(|&byte| byte == 0xff) {
        return Ok(Slot::Blank);
    }
    Ok(whole(bytes).map_or(Slot::Torn, |(entry, link)| Slot::Record(entry, link)))
}

/// The entry of a record whose CRC is right.
fn whole(bytes: &[u8; SLOT]) -> Option<(Entry, [u8; LINK_LEN])> {
    let (content, crc) = bytes.split_at_checked(CRC_AT)?;
    if crc != checksum(&[content]).to_le_bytes() {
        return None;
    }
    Entry::from_record(content.get(..RECORD_LEN)?)
}

impl Journal {
    /// Finds the newest record and the end.
    pub(crate) fn open<F: NorFlash>(
        flash: &mut F,
        device: &DeviceId,
    ) -> Result<Self, StorageError> {
        let slots = area_slots(flash);
        if slots == 0 {
            return Err(StorageError);
        }
        let mut journal = Self {
            latest: None,
            link: first_link(device),
            area: 0,
            free: 0,
            failed: false,
        };
        let mut ends = [0, 0];
        let mut bytes = [0; SLOT];
        for (area, end) in (0..).zip(&mut ends) {
            for slot in 0..slots {
                match read_slot(flash, offset(slots, area, slot), &mut bytes)? {
                    Slot::Blank => continue,
                    Slot::Torn => {}
                    Slot::Record(entry, link) => journal.remember(entry, link, (area, slot)),
                }
                *end = slot.saturating_add(1);
            }
        }
        let [first, second] = ends;
        journal.free = if journal.area == 0 { first } else { second };
        Ok(journal)
    }

    /// Of two records with one number the first was torn when the second was written: in the place behind it, or, behind the
    /// last of an area, in the first of the other.
    fn remember(&mut self, entry: Entry, link: [u8; LINK_LEN], (area, slot): (u32, u32)) {
        let is_newer = self.latest.is_none_or(|latest| {
            entry.sequence > latest.sequence
                || entry.sequence == latest.sequence && (area == self.area || slot == 0)
        });
        if is_newer {
            (self.latest, self.link, self.area) = (Some(entry), link, area);
        }
    }

    /// The state: the newest entry; [`Entry::BEFORE_THE_FIRST`] for a new device.
    pub(crate) fn state(&self) -> Entry {
        self.latest.unwrap_or(Entry::BEFORE_THE_FIRST)
    }

    /// The link of the newest entry.
    pub(crate) const fn head(&self) -> &[u8; LINK_LEN] {
        &self.link
    }

    /// The number of the next entry.
    pub(crate) fn next_sequence(&self) -> u32 {
        self.latest
            .map_or(0, |latest| latest.sequence.saturating_add(1))
    }

    /// Writes an entry, whose number is set here. Once it has returned, the entry is the state whatever
    /// happens. After an error nothing is written any more; at the next start the state is this entry's
    /// or the one before.
    pub(crate) fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        entry: Entry,
    ) -> Result<(), StorageError> {
        if self.failed {
            return Err(StorageError);
        }
        let outcome = self.write(flash, entry);
        self.failed = outcome.is_err();
        outcome
    }

    fn write<F: NorFlash>(&mut self, flash: &mut F, entry: Entry) -> Result<(), StorageError> {
        let slots = area_slots(flash);
        // The last number is never given: after it the order would be lost.
        let sequence = self.next_sequence();
        if sequence == u32::MAX {
            return Err(StorageError);
        }
        let entry = Entry { sequence, ..entry };
        let bytes = entry.to_bytes();
        let link = link_after(&self.link, &bytes);
        let record = record(&bytes, &link);
        if self.free >= slots {
            self.turn(flash, slots)?;
        }
        let at = offset(slots, self.area, self.free);
        // Used up, whatever becomes of the write.
        self.free = self.free.saturating_add(1);
        flash.write(at, &record).map_err(|_| StorageError)?;
        let mut back = [0; SLOT];
        flash.read(at, &mut back).map_err(|_| StorageError)?;
        // By words, which a comparison of bytes is not.
        if !words(&back).eq(words(&record)) {
            return Err(StorageError);
        }
        (self.latest, self.link) = (Some(entry), link);
        Ok(())
    }

    /// Goes on in the other area.
    fn turn<F: NorFlash>(&mut self, flash: &mut F, slots: u32) -> Result<(), StorageError> {
        let other = self.area ^ 1;
        let from = offset(slots, other, 0);
        let to = offset(slots, other, slots);
        flash.erase(from, to).map_err(|_| StorageError)?;
        (self.area, self.free) = (other, 0);
        Ok(())
    }

    /// Places that may hold a record, in the order of their age: for [`Journal::at`].
    pub(crate) fn places<F: NorFlash>(flash: &F) -> u32 {
        area_slots(flash).saturating_mul(2)
    }

    /// The record in a place, if there is a whole one: the other area, which is the older, comes first. None if it was torn
    /// once, so that the next has its number.
    pub(crate) fn at<F: NorFlash>(
        &self,
        flash: &mut F,
        place: u32,
    ) -> Result<Option<(Entry, [u8; RECORD_LEN])>, StorageError> {
        let mut bytes = [0; SLOT];
        let Slot::Record(entry, _) = self.slot_at(flash, place, &mut bytes)? else {
            return Ok(None);
        };
        let record = bytes.first_chunk::<RECORD_LEN>().copied();
        for next in place.saturating_add(1)..Self::places(flash) {
            match self.slot_at(flash, next, &mut bytes)? {
                Slot::Torn => {}
                Slot::Record(next, _) if next.sequence == entry.sequence => return Ok(None),
                Slot::Record(..) | Slot::Blank => break,
            }
        }
        Ok(record.map(|record| (entry, record)))
    }

    fn slot_at<F: NorFlash>(
        &self,
        flash: &mut F,
        place: u32,
        bytes: &mut [u8; SLOT],
    ) -> Result<Slot, StorageError> {
        let slots = area_slots(flash);
        let (area, slot) = match place.checked_sub(slots) {
            None => (self.area ^ 1, place),
            Some(slot) => (self.area, slot),
        };
        if slot >= slots {
            return Ok(Slot::Blank);
        }
        read_slot(flash, offset(slots, area, slot), bytes)
    }

    /// The number of the oldest record from which on none is missing: what is older has lost its
    /// connection, half erased.
    pub(crate) fn oldest<F: NorFlash>(&self, flash: &mut F) -> Result<u32, StorageError> {
        let (mut oldest, mut expected) = (self.next_sequence(), None);
        for place in 0..Self::places(flash) {
            if let Some((entry, _)) = self.at(flash, place)? {
                if expected != Some(entry.sequence) {
                    oldest = entry.sequence;
                }
                expected = entry.sequence.checked_add(1);
            }
        }
        Ok(oldest)
    }
}

fn words(record: &[u8; SLOT]) -> impl Iterator<Item = u32> {
    let (words, _) = record.as_chunks();
    words.iter().map(|word| u32::from_le_bytes(*word))
}

/// Entry, link, nothing, CRC.
fn record(entry: &[u8; ENTRY_LEN], link: &[u8; LINK_LEN]) -> [u8; SLOT] {
    const NOTHING: &[u8] = &[0; CRC_AT - RECORD_LEN];
    let crc = checksum(&[entry, link, NOTHING]).to_le_bytes();
    let mut record = [0; SLOT];
    let mut places = &mut record[..];
    for part in [&entry[..], link, NOTHING, &crc] {
        let (place, behind) = places.split_at_mut_checked(part.len()).unwrap_or_default();
        for (to, from) in place.iter_mut().zip(part) {
            *to = *from;
        }
        places = behind;
    }
    record
}

#[cfg(test)]
mod tests;
