//! The log: 62 entries, chained.

use std::collections::VecDeque;
use std::time::Instant;

use rsa::sha2::{Digest as _, Sha256};

/// Entries that fit.
pub(super) const CAPACITY: usize = 62;

const NONE: u16 = 0xffff;

/// The log of a device.
#[derive(Debug)]
pub(super) struct Log {
    /// Each 16 bytes and a digest of 16.
    entries: VecDeque<[u8; 32]>,
    /// The digest that the next entry continues.
    last: [u8; 16],
    next: u16,
    pub(super) force: bool,
    unlogged_logins: u16,
    start: Instant,
}

/// What an entry says, beside number, time and digest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) command: u8,
    pub(super) length: u16,
    pub(super) session_key: u16,
    pub(super) target: u16,
    pub(super) result: u8,
}

impl Event {
    /// With no key but the session's.
    pub(super) const fn plain(command: u8, length: u16, session_key: u16, result: u8) -> Self {
        Self {
            command,
            length,
            session_key,
            target: NONE,
            result,
        }
    }
}

impl Log {
    /// The first entry is all ones with a digest of the device's choice; then the device started.
    pub(super) fn new() -> Self {
        let mut first = [0xff; 32];
        first[..2].copy_from_slice(&1_u16.to_be_bytes());
        getrandom::fill(&mut first[16..]).expect("the system has entropy");
        let mut log = Self {
            last: *first.last_chunk().expect("32 bytes"),
            entries: VecDeque::from([first]),
            next: 2,
            force: false,
            unlogged_logins: 0,
            start: Instant::now(),
        };
        log.push(Event::plain(0, 0, NONE, 0));
        log
    }

    pub(super) fn used(&self) -> u8 {
        u8::try_from(self.entries.len()).expect("at most 62")
    }

    /// Whether commands must be refused now.
    pub(super) fn blocks(&self) -> bool {
        self.force && self.entries.len() >= CAPACITY
    }

    /// A login is possible with a full log, or nobody could drain it.
    pub(super) fn push_login(&mut self, event: Event) {
        if self.blocks() {
            self.unlogged_logins = self.unlogged_logins.saturating_add(1);
        } else {
            self.push(event);
        }
    }

    /// Without force-audit the oldest entry makes room.
    pub(super) fn push(&mut self, event: Event) {
        let mut entry = [0; 32];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            entry[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(&self.next.to_be_bytes());
        put(&[event.command]);
        put(&event.length.to_be_bytes());
        put(&event.session_key.to_be_bytes());
        put(&event.target.to_be_bytes());
        put(&NONE.to_be_bytes());
        put(&[event.result]);
        // Eight ticks a millisecond, near enough.
        let ticks = 8 * self.start.elapsed().as_millis() % (1 << 32);
        put(&u32::try_from(ticks).expect("below 2^32").to_be_bytes());
        let digest = Sha256::new_with_prefix(&entry[..16])
            .chain_update(self.last)
            .finalize();
        entry[16..].copy_from_slice(&digest[..16]);
        self.last.copy_from_slice(&digest[..16]);
        if self.entries.len() >= CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.next = self.next.wrapping_add(1);
    }

    /// The answer to `GetLogEntries`.
    pub(super) fn read(&self) -> Vec<u8> {
        let mut answer = vec![0, 0];
        answer.extend(self.unlogged_logins.to_be_bytes());
        answer.push(self.used());
        answer.extend(self.entries.iter().flatten());
        answer
    }

    /// `SetLogIndex`: everything up to this number may be forgotten. `false` if there is no such entry.
    pub(super) fn forget_to(&mut self, number: u16) -> bool {
        let wanted = number.to_be_bytes();
        let Some(at) = self.entries.iter().position(|entry| entry[..2] == wanted) else {
            return false;
        };
        self.entries.drain(..=at);
        self.unlogged_logins = 0;
        true
    }
}
