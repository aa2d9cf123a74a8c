//! A bounded number of places that many share: nobody can take all of them.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use privyseal_core::UnixTime;
use privyseal_hsm::lock;
use sha2::{Digest as _, Sha256};

/// How many places are left for each one that somebody holds: the first gets a third of all, the next a third of what is
/// left, and so on.
const LEFT_PER_PLACE: usize = 2;

/// Who holds how many places.
#[derive(Debug)]
pub(crate) struct Shares {
    left: usize,
    held: HashMap<Holder, usize>,
}

impl Shares {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            left: places,
            held: HashMap::new(),
        }
    }

    /// One more place for `holder`, who gets none where few are left beside those that it has.
    pub(crate) fn take(&mut self, holder: Holder) -> bool {
        let has = self.held.get(&holder).copied().unwrap_or_default();
        if has.saturating_mul(LEFT_PER_PLACE) >= self.left {
            return false;
        }
        self.left = self.left.saturating_sub(1);
        self.held.insert(holder, has.saturating_add(1));
        true
    }

    /// `holder` has one place less.
    pub(crate) fn give_back(&mut self, holder: &Holder) {
        let Some(has) = self.held.get_mut(holder) else {
            return;
        };
        *has = has.saturating_sub(1);
        if *has == 0 {
            self.held.remove(holder);
        }
        self.left = self.left.saturating_add(1);
    }
}

/// Who holds a place: a SHA-256 of what tells it from others.
pub(crate) type Holder = [u8; 32];

/// What is kept until its end, by a SHA-256, and never more than so many.
#[derive(Debug)]
pub(crate) struct Expiring<V> {
    kept: HashMap<[u8; 32], (Holder, UnixTime, V)>,
    shares: Shares,
    by_end: BTreeSet<(UnixTime, [u8; 32])>,
    /// The latest moment up to which something was forgotten.
    forgotten: Option<UnixTime>,
}

impl<V> Expiring<V> {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            kept: HashMap::new(),
            shares: Shares::new(places),
            by_end: BTreeSet::new(),
            forgotten: None,
        }
    }

    pub(crate) fn get(&self, key: &[u8; 32]) -> Option<&V> {
        self.kept.get(key).map(|(.., value)| value)
    }

    /// Forgets what has ended at `now`; up to when something was forgotten so far.
    pub(crate) fn forget(&mut self, now: UnixTime) -> Option<UnixTime> {
        while let Some((end, key)) = self.by_end.first().copied().filter(|(end, _)| *end <= now) {
            self.forgotten = self.forgotten.max(Some(end));
            self.remove(&key);
        }
        self.forgotten
    }

    /// Forgets it.
    pub(crate) fn remove(&mut self, key: &[u8; 32]) {
        if let Some((holder, end, _)) = self.kept.remove(key) {
            self.shares.give_back(&holder);
            self.by_end.remove(&(end, *key));
        }
    }

    /// Keeps what is not there yet, if there is a place for `holder`.
    pub(crate) fn keep(&mut self, key: [u8; 32], value: V, holder: Holder, end: UnixTime) -> bool {
        let has_place = self.shares.take(holder);
        if has_place {
            self.kept.insert(key, (holder, end, value));
            self.by_end.insert((end, key));
        }
        has_place
    }
}

/// Places for those who wait for one server.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Mutex<Shares>>);

/// A place in it, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    holder: Holder,
}

impl Room {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(Shares::new(places))))
    }

    /// The same for holders who cannot be told from each other, and so are one, which gets a third: all are there for any of
    /// them.
    pub(crate) fn for_anybody(places: usize) -> Self {
        Self::new(places.saturating_mul(LEFT_PER_PLACE.saturating_add(1)))
    }

    pub(crate) fn place(&self, holder: &Holder) -> Option<Place> {
        let taken = lock(&self.0).take(*holder);
        taken.then(|| Place {
            room: self.clone(),
            holder: *holder,
        })
    }
}

/// Places for those who wait for one of many servers: no server takes all of them, and nobody all of a server's.
#[derive(Debug)]
pub(crate) struct Rooms {
    all: Room,
    places: usize,
    of_each: Mutex<HashMap<Holder, Room>>,
}

impl Rooms {
    /// How many servers are told apart; beyond, it starts over.
    const MAX_SERVERS: usize = 1024;

    pub(crate) fn new(places: usize) -> Self {
        Self {
            all: Room::new(places),
            places,
            of_each: Mutex::default(),
        }
    }

    pub(crate) fn place(&self, server: &str, holder: &Holder) -> Option<(Place, Place)> {
        let server: Holder = Sha256::digest(server).into();
        let mut rooms = lock(&self.of_each);
        if rooms.len() >= Self::MAX_SERVERS {
            rooms.clear();
        }
        let most = self.places.div_ceil(LEFT_PER_PLACE.saturating_add(1));
        let room = rooms
            .entry(server)
            .or_insert_with(|| Room::new(most))
            .clone();
        drop(rooms);
        Some((room.place(holder)?, self.all.place(&server)?))
    }
}

/// How often something happened to a holder lately.
#[derive(Debug)]
pub(crate) struct Counts {
    max: u32,
    window: Duration,
    of_each: Mutex<HashMap<Holder, (Instant, u32)>>,
}

impl Counts {
    /// From how many on what has ended is left out.
    const MAX_KEPT: usize = 10_000;

    /// `max` in a `window` are too many.
    pub(crate) fn new(max: u32, window: Duration) -> Self {
        Self {
            max,
            window,
            of_each: Mutex::default(),
        }
    }

    pub(crate) fn are_too_many(&self, holder: &Holder) -> bool {
        let counts = lock(&self.of_each);
        let count = counts.get(holder);
        count.is_some_and(|(since, count)| since.elapsed() < self.window && *count >= self.max)
    }

    pub(crate) fn note(&self, holder: &Holder) {
        let mut counts = lock(&self.of_each);
        if counts.len() >= Self::MAX_KEPT {
            counts.retain(|_, (since, _)| since.elapsed() < self.window);
        }
        let entry = counts.entry(*holder).or_insert((Instant::now(), 0));
        if entry.0.elapsed() >= self.window {
            *entry = (Instant::now(), 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.room.0).give_back(&self.holder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_all_it_gets_leaves_places_for_others() {
        let mut shares = Shares::new(64);
        let mut takes = |who: u8| (0..64).filter(|_| shares.take([who; 32])).count();
        assert_eq!([takes(1), takes(1), takes(2), takes(3)], [22, 0, 14, 10]);
        // Some who take all they get leave one for who comes after them.
        assert!((4..10).all(|who| takes(who) > 0));
        // Who gives back one of many has many still.
        shares.give_back(&[1; 32]);
        assert!(!shares.take([1; 32]));
    }

    #[test]
    fn nothing_stays_of_what_was_removed_or_kept_again() {
        let at = |seconds| UnixTime::from_secs(seconds).unwrap();
        let mut kept = Expiring::new(64);
        for end in 100..150 {
            kept.remove(&[1; 32]);
            assert!(kept.keep([1; 32], end, [0; 32], at(end)));
        }
        assert!(kept.keep([2; 32], 2, [0; 32], at(200)));
        assert_eq!((kept.kept.len(), kept.by_end.len()), (2, 2));
        assert_eq!(kept.forget(at(120)), None);
        assert_eq!(kept.get(&[1; 32]), Some(&149));
        assert_eq!(kept.forget(at(149)), Some(at(149)));
        assert_eq!((kept.kept.len(), kept.by_end.len()), (1, 1));
        kept.remove(&[2; 32]);
        assert!(kept.by_end.is_empty());
    }

    #[test]
    fn who_keeps_much_in_many_ways_takes_no_room_of_others() {
        let at = |seconds| UnixTime::from_secs(seconds).unwrap();
        let mut kept = Expiring::new(30);
        let of_one = (0..30).filter(|key| kept.keep([*key; 32], (), [1; 32], at(10)));
        assert_eq!(of_one.count(), 10);
        assert!(kept.keep([30; 32], (), [2; 32], at(10)));
        // There is room again once they have ended, or are forgotten.
        assert!(!kept.keep([31; 32], (), [1; 32], at(20)));
        kept.forget(at(11));
        assert!(kept.keep([31; 32], (), [1; 32], at(20)));
        assert!(kept.get(&[31; 32]).is_some() && kept.get(&[0; 32]).is_none());
        kept.remove(&[31; 32]);
        assert!(kept.get(&[31; 32]).is_none());
    }

    #[test]
    fn a_place_is_free_again_once_nobody_holds_it() {
        let room = Room::new(1);
        let place = room.place(&[1; 32]);
        assert!(place.is_some() && room.place(&[2; 32]).is_none());
        drop(place);
        assert!(room.place(&[2; 32]).is_some());
        let room = Room::for_anybody(9);
        let places: Vec<_> = (0..12).filter_map(|_| room.place(&[0; 32])).collect();
        assert_eq!(places.len(), 9);
    }

    #[test]
    fn many_holders_of_whom_something_is_counted_are_bounded_by_the_window() {
        let (none, ever) = (Duration::ZERO, Duration::MAX);
        let too_many = Counts::MAX_KEPT + 1;
        for (window, noted, kept) in [
            (none, 2, 2),
            (none, too_many, 1),
            (ever, too_many, too_many),
        ] {
            let counts = Counts::new(1, window);
            for number in 0..noted {
                counts.note(&Sha256::digest(number.to_be_bytes()).into());
            }
            assert_eq!(lock(&counts.of_each).len(), kept);
        }
    }

    #[test]
    fn so_many_in_a_window_are_too_many_of_that_holder() {
        for (window, expected) in [(Duration::MAX, [false, true]), (Duration::ZERO, [false; 2])] {
            let counts = Counts::new(2, window);
            let are_too_many = [(); 2].map(|()| {
                counts.note(&[1; 32]);
                counts.are_too_many(&[1; 32])
            });
            assert_eq!(are_too_many, expected);
            assert!(!counts.are_too_many(&[2; 32]));
        }
    }

    #[test]
    fn a_server_that_hangs_takes_no_places_of_who_waits_for_others() {
        let rooms = Rooms::new(96);
        let flood = |server: &str, who: u8| -> Vec<_> {
            let places = (0..96).filter_map(|_| rooms.place(server, &[who; 32]));
            places.collect()
        };
        let strangers: Vec<_> = (0..100).map(|who| flood("hung", who)).collect();
        let counts: Vec<_> = strangers.iter().map(Vec::len).collect();
        assert_eq!(counts[..4], [11, 7, 5, 3]);
        assert!(counts.iter().sum::<usize>() <= 32, "{counts:?}");
        assert_eq!(flood("another", 0).len(), 11);
        drop(strangers);
        assert!(rooms.place("hung", &[200; 32]).is_some());
    }
}
