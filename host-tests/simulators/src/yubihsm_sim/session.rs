//! The 16 sessions of a device.

use std::time::{Duration, Instant};

use super::scp03::Channel;

/// An open session, or one that waits for the host's half of the login.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) channel: Channel,
    pub(super) auth_key: u16,
    pub(super) authenticated: bool,
    last_used: Instant,
}

/// All sessions, by number.
#[derive(Debug)]
pub(super) struct Sessions {
    places: [Option<Session>; 16],
    idle: Duration,
    pub(super) opened: u64,
}

impl Sessions {
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            places: [const { None }; 16],
            idle,
            opened: 0,
        }
    }

    /// Takes a free place; `None` if there is none.
    pub(super) fn open(&mut self, channel: Channel, auth_key: u16) -> Option<u8> {
        self.expire();
        let (id, place) = (0..)
            .zip(&mut self.places)
            .find(|(_, place)| place.is_none())?;
        *place = Some(Session {
            channel,
            auth_key,
            authenticated: false,
            last_used: Instant::now(),
        });
        self.opened += 1;
        Some(id)
    }

    pub(super) fn get(&mut self, id: u8) -> Option<&mut Session> {
        self.expire();
        let session = self.places.get_mut(usize::from(id))?.as_mut()?;
        session.last_used = Instant::now();
        Some(session)
    }

    pub(super) fn close(&mut self, id: u8) {
        if let Some(place) = self.places.get_mut(usize::from(id)) {
            *place = None;
        }
    }

    pub(super) fn close_all(&mut self) {
        self.places.fill_with(|| None);
    }

    pub(super) fn count(&mut self) -> usize {
        self.expire();
        self.places.iter().flatten().count()
    }

    fn expire(&mut self) {
        for place in &mut self.places {
            if place
                .as_ref()
                .is_some_and(|session| session.last_used.elapsed() >= self.idle)
            {
                *place = None;
            }
        }
    }
}
