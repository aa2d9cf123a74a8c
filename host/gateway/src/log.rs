//! A device's log on the host: read, its chain verified, shown.

use core::fmt;
use core::fmt::Write as _;
use core::iter;

use privyseal_protocol::log::{LINK_LEN, first_link, link_after};
use privyseal_protocol::{DeviceId, Entry, Event};
use serde_json::{Value, json};

use crate::error::{DeviceError, untrue};
use crate::hex;
use crate::moment::moment;

/// The entries of a log from one on to the newest, linked without a gap and ending in the head that the
/// device names.
///
/// That shows that nothing was changed, left out or put in between since the head was made. A caller who kept
/// an older head can see with [`DeviceLog::since`] that the log still goes on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceLog {
    /// Whose log.
    pub device: DeviceId,
    /// The number of the oldest entry that the device still has.
    pub first: u32,
    /// Whether the oldest of [`DeviceLog::entries`] was proved as well: its link says which entry came
    /// before, and that is known of the first entry of all, and of the one behind a head that was kept.
    pub is_rooted: bool,
    /// The entries, each with its link.
    pub entries: Vec<(Entry, [u8; LINK_LEN])>,
    /// The link of the newest entry.
    pub head: [u8; LINK_LEN],
}

/// Puts a log together, entry by entry.
pub(crate) struct LogBuilder {
    from: u32,
    log: DeviceLog,
}

impl LogBuilder {
    pub(crate) const fn new(device: DeviceId, from: u32) -> Self {
        let log = DeviceLog {
            device,
            first: 0,
            is_rooted: false,
            entries: Vec::new(),
            head: [0; LINK_LEN],
        };
        Self { from, log }
    }

    pub(crate) const fn len(&self) -> usize {
        self.log.entries.len()
    }

    /// The number of the next entry.
    pub(crate) fn next_wanted(&self) -> u32 {
        match self.log.entries.last() {
            Some((entry, _)) => entry.sequence.wrapping_add(1),
            None => self.from,
        }
    }

    pub(crate) fn add(&mut self, record: &[u8]) -> Result<(), DeviceError> {
        let (entry, link) = Entry::from_record(record)
            .ok_or_else(|| DeviceError::untrue("an entry of its log cannot be read"))?;
        let number = entry.sequence;
        match self.log.entries.last() {
            Some((before, _)) if Some(number) != before.sequence.checked_add(1) => {
                return untrue(format!(
                    "entry {number} of its log stands behind entry {}",
                    before.sequence
                ));
            }
            Some((_, before)) => prove(&entry, before, &link)?,
            None if number < self.from => {
                return untrue(format!(
                    "its log was asked for from entry {} on and begins with {number}",
                    self.from
                ));
            }
            None if number == 0 => {
                prove(&entry, &first_link(&self.log.device), &link)?;
                self.log.is_rooted = true;
            }
            None => {}
        }
        self.log.entries.push((entry, link));
        Ok(())
    }

    /// The whole log, if it ends where the device says.
    pub(crate) fn finish(
        mut self,
        first: u32,
        next: u32,
        head: [u8; LINK_LEN],
    ) -> Result<DeviceLog, DeviceError> {
        if self.from > next {
            return untrue(format!(
                "its log was asked for from entry {} on, and its next one will be {next}",
                self.from
            ));
        }
        if next == 0 && head != first_link(&self.log.device) {
            return untrue("the head of its empty log is not the one of this device");
        }
        let begins_too_late = match self.log.entries.first() {
            Some((entry, _)) => entry.sequence > self.from.max(first),
            None => self.from.max(first) < next,
        };
        if begins_too_late {
            return untrue("the beginning of its log is left out");
        }
        if let Some((newest, link)) = self.log.entries.last() {
            if newest.sequence.checked_add(1) != Some(next) {
                return untrue("the newest entries of its log are left out");
            }
            if *link != head {
                return untrue("the head of its log is not the link of its newest entry");
            }
        }
        (self.log.first, self.log.head) = (first, head);
        Ok(self.log)
    }
}

fn prove(entry: &Entry, before: &[u8; LINK_LEN], link: &[u8; LINK_LEN]) -> Result<(), DeviceError> {
    if link_after(before, &entry.to_bytes()) == *link {
        return Ok(());
    }
    untrue(format!(
        "entry {} of its log is not linked to the one before it: the log was changed",
        entry.sequence
    ))
}

impl DeviceLog {
    /// What is new since a head that was kept, and proved from there on; `None` if the log does not go on from it.
    #[must_use]
    pub fn since(mut self, head: &[u8; LINK_LEN]) -> Option<Self> {
        let known = self.entries.iter().position(|(_, link)| link == head);
        let follows = |(entry, link): &(Entry, _)| link_after(head, &entry.to_bytes()) == *link;
        if let Some(place) = known {
            self.entries.drain(..=place);
        } else if self
            .entries
            .first()
            .map_or(self.head != *head, |one| !follows(one))
        {
            return None;
        }
        self.is_rooted = true;
        Some(self)
    }

    /// Each with the floor before it, where the authority has set that back.
    fn with_floors(&self) -> impl Iterator<Item = (&(Entry, [u8; LINK_LEN]), Option<u64>)> {
        let before = self.entries.iter().map(|(entry, _)| entry.time_floor);
        let both = self.entries.iter().zip(iter::once(0).chain(before));
        both.map(|(one, floor)| {
            let is_lower = one.0.event == Event::TimeSet && one.0.time_floor < floor;
            (one, is_lower.then_some(floor))
        })
    }

    /// As JSON: `device`, `first`, `rooted`, `head`, `entries`.
    pub fn to_json(&self) -> Value {
        json!({
            "device": hex::encode(&self.device),
            "first": self.first,
            "rooted": self.is_rooted,
            "head": hex::encode(&self.head),
            "entries": self.with_floors().map(entry_json).collect::<Value>(),
        })
    }
}

fn entry_json(((entry, link), set_back_from): (&(Entry, [u8; LINK_LEN]), Option<u64>)) -> Value {
    json!({
        "sequence": entry.sequence,
        "event": entry.event.name(),
        "reason": entry.reason(),
        "scheme": entry.scheme.map(|scheme| scheme.rules().name()),
        "audience": entry.audience,
        "faulted": entry.faulted,
        "boots": entry.boots,
        "counter": entry.counter,
        "time_floor": entry.time_floor,
        "set_back_from": set_back_from,
        "now": entry.now,
        "debt_ms": entry.debt,
        "unlogged": entry.unlogged,
        "digest": has_digest(entry).then(|| hex::encode(&entry.digest)),
        "link": hex::encode(link),
    })
}

fn has_digest(entry: &Entry) -> bool {
    let is_other = matches!(
        entry.event,
        Event::Imported
            | Event::Generated
            | Event::Requested
            | Event::Installed
            | Event::RenewalBegun
    );
    is_other || entry.event.is_signature()
}

/// A line for each entry, and the head.
impl fmt::Display for DeviceLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((entry, _), set_back_from) in self.with_floors() {
            write!(f, "{}", line(entry))?;
            if let Some(floor) = set_back_from {
                write!(f, "  back from {}, a clock was ahead", moment(floor))?;
            }
            writeln!(f)?;
        }
        let proved = match (self.entries.first(), self.is_rooted) {
            (None, true) => "no entries since the known head".to_owned(),
            (None, false) => "no entries, and so nothing that proves the head".to_owned(),
            (Some(_), true) => format!(
                "{} entries, chain proved from the first",
                self.entries.len()
            ),
            (Some((first, _)), false) => format!(
                "{} entries, chain proved behind entry {}",
                self.entries.len(),
                first.sequence
            ),
        };
        write!(f, "{proved}\nhead {}", hex::encode(&self.head))
    }
}

fn line(entry: &Entry) -> String {
    let mut line = format!("{:>6}  {:<18}", entry.sequence, entry.event.name());
    // Writing into a String cannot fail.
    let _ = write!(line, "  {:<20}", moment(entry.now));
    if let Some(scheme) = entry.scheme {
        let _ = write!(line, "  {}", scheme.rules().name());
    }
    if let Some(audience) = entry.audience {
        let _ = write!(line, "  audience {audience}");
    }
    match (entry.event, entry.reason()) {
        (event, _) if event.is_signature() => {
            let _ = write!(line, "  no. {}", entry.counter);
        }
        (_, Some(reason)) => {
            let _ = write!(line, "  {reason}");
        }
        _ => {}
    }
    if entry.unlogged > 0 {
        let _ = write!(line, "  ({} refusals before it not logged)", entry.unlogged);
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
