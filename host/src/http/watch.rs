//! What an HTTP client is doing, for somebody who waits: where to, and for how long. Never what is sent.

use core::time::Duration;

use privyseal_core::UnixTime;

use super::{Http, Url};
use crate::base::BaseError;
use crate::base::runtime::{Runtime, SystemRuntime};

/// Is told what a client does, in whatever thread does it.
pub trait HttpWatcher: Send + Sync {
    /// A request begins, and is over within that time.
    fn asking(&self, url: &Url, within: Duration);

    /// It is over.
    fn answered(&self);

    /// The server is given that time before it is asked again.
    fn pausing(&self, pause: Duration);
}

/// This machine's runtime, whose pauses a client's watcher is told of.
#[derive(Clone, Copy, Debug)]
pub struct WatchedRuntime<'a> {
    http: &'a Http,
    system: SystemRuntime,
}

impl<'a> WatchedRuntime<'a> {
    pub(super) fn new(http: &'a Http) -> Self {
        Self {
            http,
            system: SystemRuntime::default(),
        }
    }
}

impl Runtime for WatchedRuntime<'_> {
    fn now(&mut self) -> Result<UnixTime, BaseError> {
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

    fn random(&mut self) -> Result<u64, BaseError> {
        self.system.random()
    }
}
