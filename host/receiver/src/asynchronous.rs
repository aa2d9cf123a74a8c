//! A receiver for callers on tokio.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task;

use crate::{Receiver, Rejection, TokenForm, VerifiedParty};

/// A [`Receiver`] whose work is done on tokio's threads for blocking work: a registry that is slow stops no other task.
#[derive(Clone, Debug)]
pub struct AsyncReceiver {
    pub(crate) receiver: Arc<Receiver>,
    /// How many more may wait.
    room: Arc<Semaphore>,
}

impl AsyncReceiver {
    /// Works on at most `max_waiting` requests at once; one more is refused, as something that may be tried again. Each
    /// takes a thread, of which tokio's runtime has 512. Of these [`CachePolicy::max_waiting`](crate::CachePolicy::max_waiting)
    /// may wait for a registry, which is to be fewer: the others are for parties that are known.
    pub fn new(receiver: Arc<Receiver>, max_waiting: usize) -> Self {
        let room = Arc::new(Semaphore::new(max_waiting));
        Self { receiver, room }
    }

    /// The receiver.
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// [`Receiver::accept`]. Where the future is dropped, what was begun is done all the same.
    ///
    /// # Errors
    ///
    /// As [`Receiver::accept`]; [`Rejection::is_temporary`] where too many wait.
    pub async fn accept(&self, form: TokenForm) -> Result<VerifiedParty, Rejection> {
        let room = Arc::clone(&self.room).try_acquire_owned();
        let place = room.map_err(|_| Rejection::unavailable("the receiver", "too many wait"))?;
        let receiver = Arc::clone(&self.receiver);
        let accepted = task::spawn_blocking(move || {
            let _place = place;
            receiver.accept(&form)
        });
        let accepted = accepted.await;
        accepted.unwrap_or_else(|error| Err(Rejection::unavailable("the receiver", error)))
    }
}
