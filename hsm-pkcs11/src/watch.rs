//! Calls of modules that are under way: one may not end, and one may end the process.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use privyseal_hsm::lock;

use crate::limits::{CALL_SLOW_AFTER, SLOW_POLL};

/// What a program may want to say of a module that does not do as it should.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ModuleTrouble<'m> {
    /// It is not loaded and initialized after a second.
    #[non_exhaustive]
    SlowStart {
        /// The module.
        path: &'m Path,
        /// For how long it is still waited for, at most.
        left: Duration,
    },
    /// It has not answered a call for a while. Told again each time that is twice as long, by a thread of its own.
    #[non_exhaustive]
    SlowCall {
        /// The module.
        path: &'m Path,
        /// The function that was called.
        function: &'static str,
        /// How long ago.
        waited: Duration,
    },
    /// It ended the process that tried it ([`try_modules_by`](crate::try_modules_by)), so it is left out.
    #[non_exhaustive]
    Crash {
        /// The module.
        path: &'m Path,
        /// How that process ended.
        reason: &'m str,
    },
    /// It ends the process in the midst of a call, with `exit`. Told by the thread of that call: when it returns, the
    /// process ends as the module wants it to.
    #[non_exhaustive]
    Exit {
        /// The module.
        path: &'m Path,
        /// The function that was called.
        function: &'static str,
    },
}

type Tell = fn(&ModuleTrouble<'_>);

static TELL: OnceLock<Tell> = OnceLock::new();

/// What each thread calls.
static THREADS: Mutex<Vec<Weak<Slot>>> = Mutex::new(Vec::new());

type Slot = Mutex<Option<Call>>;

#[derive(Clone)]
struct Call {
    path: Arc<Path>,
    function: &'static str,
    begun: Instant,
    /// After how long it is told next.
    told_after: Duration,
}

/// From now on `tell` is told of modules that do not do as they should. The first caller in a process is heard.
pub fn on_module_trouble(tell: fn(&ModuleTrouble<'_>)) {
    if TELL.set(tell).is_ok() {
        let watch = move || loop {
            thread::sleep(SLOW_POLL);
            for call in slow() {
                tell(&ModuleTrouble::SlowCall {
                    path: &call.path,
                    function: call.function,
                    waited: call.begun.elapsed(),
                });
            }
        };
        // Without it nothing is said, and all else is as it is.
        let _ = thread::Builder::new()
            .name("pkcs11-watch".into())
            .spawn(watch);
    }
}

/// Whether a thread is in a call of a module: if one hangs, the usual end of a process may wait for it for ever.
pub fn is_module_called() -> bool {
    slots().iter().any(|slot| lock(slot).is_some())
}

pub(crate) fn tell(trouble: &ModuleTrouble<'_>) {
    if let Some(tell) = TELL.get() {
        tell(trouble);
    }
}

/// A call is under way while it lives.
pub(crate) struct UnderWay;

impl UnderWay {
    pub(crate) fn begin(path: &Arc<Path>, function: &'static str) -> Self {
        set(Some(Call {
            path: Arc::clone(path),
            function,
            begun: Instant::now(),
            told_after: CALL_SLOW_AFTER,
        }));
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        set(None);
    }
}

/// What this thread calls. `exit` drops it on the thread that calls it, in the midst of a call then.
struct OfThread(Arc<Slot>);

thread_local! {
    static OF_THREAD: RefCell<Option<OfThread>> = const { RefCell::new(None) };
}

fn set(now: Option<Call>) {
    // A thread that ends has none any more.
    let _ = OF_THREAD.try_with(|of_thread| {
        let mut of_thread = of_thread.borrow_mut();
        let OfThread(slot) = of_thread.get_or_insert_with(|| {
            let slot = Arc::default();
            let mut threads = lock(&THREADS);
            threads.retain(|slot| slot.strong_count() > 0);
            threads.push(Arc::downgrade(&slot));
            OfThread(slot)
        });
        *lock(slot) = now;
    });
}

impl Drop for OfThread {
    fn drop(&mut self) {
        let left = lock(&self.0).take();
        if let Some(Call { path, function, .. }) = &left {
            tell(&ModuleTrouble::Exit { path, function });
        }
    }
}

/// Those of which it is to be told now.
fn slow() -> Vec<Call> {
    let is_due = |slot: &Arc<Slot>| {
        let mut call = lock(slot);
        let due = call.as_mut()?;
        if due.begun.elapsed() < due.told_after {
            return None;
        }
        due.told_after *= 2;
        // Who loads and initializes says so.
        (!matches!(due.function, LOADING | "C_Initialize")).then(|| due.clone())
    };
    slots().iter().filter_map(is_due).collect()
}

/// What stands in the place of a function while a library is loaded.
pub(crate) const LOADING: &str = "its loading";

fn slots() -> Vec<Arc<Slot>> {
    lock(&THREADS).iter().filter_map(Weak::upgrade).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_of_each_time_that_it_took_twice_as_long() {
        let path = Arc::from(Path::new("/m.so"));
        let told = || {
            let all = slow().into_iter();
            all.filter(|call| call.function == "C_Test").count()
        };
        let under_way = UnderWay::begin(&path, "C_Test");
        assert!(is_module_called());
        let back = |factor| {
            OF_THREAD.with_borrow_mut(|of_thread| {
                let mut call = lock(&of_thread.as_ref().unwrap().0);
                let call = call.as_mut().unwrap();
                call.begun = Instant::now()
                    .checked_sub(CALL_SLOW_AFTER * factor)
                    .unwrap();
            });
        };
        back(1);
        assert_eq!((told(), told()), (1, 0));
        back(2);
        assert_eq!((told(), told()), (1, 0));
        drop(under_way);
        assert_eq!(told(), 0);
    }
}
