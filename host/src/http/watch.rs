//! What an HTTP client is doing, for somebody who waits: where to, and for how long. Never what is sent.

use core::time::Duration;

use privyseal_core::UnixTime;

use super::{Http, Url};
use crate::base::pace::{Pace, SystemPace};
use crate::error::Error;

/// Is told what a client does, in whatever thread does it.
pub trait HttpWatcher: Send + Sync {
    /// A request begins, and is over within that time.
    fn asking(&self, url: &Url, within: Duration);

    /// It is over.
    fn answered(&self);

    /// The server is given that time before it is asked again.
    fn pausing(&self, pause: Duration);
}

/// This machine's pace, whose pauses a client's watcher is told of.
#[derive(Clone, Copy, Debug)]
pub struct WatchedPace<'a> {
    http: &'a Http,
    system: SystemPace,
}

impl<'a> WatchedPace<'a> {
    pub(super) fn new(http: &'a Http) -> Self {
        Self {
            http,
            system: SystemPace::default(),
        }
    }
}

impl Pace for WatchedPace<'_> {
    fn now(&mut self) -> Result<UnixTime, Error> {
        self.system.now()
    }

    fn elapsed(&mut self) -> Duration {
        self.system.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        if let Some(watcher) = &self.http.watcher {
            watcher.pausing(duration);
        }
        self.system.pause(duration);
    }

    fn random(&mut self) -> Result<u64, Error> {
        self.system.random()
    }
}
