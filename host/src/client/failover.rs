//! One of several references hangs: nobody can end its call, and nobody else need wait for it.

use core::time::Duration;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use privyseal_core::cert::Validity;
use privyseal_core::{Credential, SignerErrorKind, UnixTime};
use privyseal_hsm::lock;

use crate::keys::SignerFailure;
use crate::oauth::{Assertion, AssertionOptions, AssertionSource, OAuthError, SignedRequest};

/// A client with several references to its key. Who asks it waits for one of them no longer than for a limit, and then
/// for another.
pub(super) struct Failover<C> {
    pub(super) client: Arc<C>,
    pub(super) references: usize,
    pub(super) limit: Duration,
}

impl<C: AssertionSource + 'static> AssertionSource for Failover<C> {
    fn credential(&self) -> &Credential<Vec<u8>> {
        self.client.credential()
    }

    fn validity(&self, now: UnixTime) -> Option<&Validity> {
        self.client.validity(now)
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        let (client, options) = (Arc::clone(&self.client), options.clone());
        in_turn(self.references, self.limit, move || {
            client.assertion(&options)
        })
    }

    fn signed_request(
        &self,
        options: &AssertionOptions,
        asked: SignedRequest<'_>,
    ) -> Result<Assertion, OAuthError> {
        self.client.signed_request(options, asked)
    }
}

/// Does `work`, and again where that does not end in time, as often as there are references.
pub(super) fn in_turn<T: Send + 'static>(
    references: usize,
    limit: Duration,
    work: impl Fn() -> Result<T, OAuthError> + Clone + Send + 'static,
) -> Result<T, OAuthError> {
    // A little longer than a call may take, so that the next one knows which reference hangs.
    let patience = limit + limit / 10;
    let mut tries = (0..references).map(|_| within(patience, work.clone()));
    let outcome = tries.find_map(|outcome| outcome);
    outcome.unwrap_or_else(|| Err(hangs().into()))
}

/// Does `work` on a thread of its own, and waits for it no longer than that.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, hear) = mpsc::channel();
    let thread = thread::Builder::new().name("privyseal-key".to_owned());
    // Nobody may listen any more when it ends.
    let begun = thread.spawn(move || _ = tell.send(work()));
    begun.ok().and_then(|_| hear.recv_timeout(limit).ok())
}

pub(super) fn hangs() -> SignerFailure {
    let reason = "no reference to the key answers in time";
    SignerFailure::because(SignerErrorKind::Timeout, reason)
}

/// What is under way with one reference, by when it began.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Mutex<Vec<Instant>>>);

/// Under way while it lives.
pub(super) struct Call<'c>(&'c Calls, Instant);

impl Calls {
    pub(super) fn begin(&self) -> Call<'_> {
        let now = Instant::now();
        lock(&self.0).push(now);
        Call(self, now)
    }

    pub(super) fn count(&self) -> usize {
        lock(&self.0).len()
    }

    /// Whether one is under way for longer than that.
    pub(super) fn hang(&self, limit: Duration) -> bool {
        lock(&self.0).iter().any(|begun| begun.elapsed() >= limit)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut begun = lock(&self.0.0);
        if let Some(place) = begun.iter().position(|begun| *begun == self.1) {
            begun.swap_remove(place);
        }
    }
}
