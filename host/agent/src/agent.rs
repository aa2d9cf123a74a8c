//! The profiles that are served, by name.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustix::process::geteuid;
use tokio::time::sleep;

use crate::config::AgentConfig;
use crate::served::{Requester, Served, Shared};

/// What is served.
pub(crate) struct Agent {
    pub(crate) shared: Arc<Shared>,
    profiles: RwLock<Profiles>,
    /// Who may see the metrics, besides root and this user.
    watchers: RwLock<Vec<u32>>,
}

type Profiles = BTreeMap<String, Entry>;

/// How long what waits for its time is left alone at most: the clock may be set meanwhile.
const TIME_CHECK: Duration = Duration::from_secs(60);

/// One profile, who may ask for it, and what takes its place once it signs.
struct Entry {
    uids: Vec<u32>,
    served: Arc<Served>,
    next: Option<Arc<Served>>,
}

impl Agent {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            profiles: RwLock::default(),
            watchers: RwLock::default(),
        }
    }

    /// The profile of that name, if there is one for who asks.
    pub(crate) fn served(&self, name: &str, requester: Requester) -> Option<Arc<Served>> {
        let profiles = self.profiles();
        let entry = profiles.get(name).filter(|entry| match requester {
            Requester::User(uid) => entry.uids.contains(&uid),
            Requester::Bearer => true,
        });
        entry.map(|entry| Arc::clone(&entry.served))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Served>> {
        let profiles = self.profiles();
        let served = profiles.values().map(|entry| &entry.served);
        served.cloned().collect()
    }

    /// Whether the metrics, which name all profiles, are for this user.
    pub(crate) fn is_watcher(&self, uid: u32) -> bool {
        let watchers = self.watchers.read();
        let watchers = watchers.unwrap_or_else(PoisonError::into_inner);
        [0, geteuid().as_raw()].contains(&uid) || watchers.contains(&uid)
    }

    /// Whether there is anything for this user.
    pub(crate) fn knows(&self, uid: u32) -> bool {
        let is_allowed = |entry: &Entry| entry.uids.contains(&uid);
        self.profiles().values().any(is_allowed) || self.is_watcher(uid)
    }

    /// Serves these profiles. A key of which nothing changed stays open where it signs. Where something changed, the profile
    /// stays as it was, but for who may ask, until [`Agent::open_keys`] finds that the new one signs.
    pub(crate) fn serve(&self, config: AgentConfig) {
        self.shared.refused_pins.try_again();
        *self
            .watchers
            .write()
            .unwrap_or_else(PoisonError::into_inner) = config.metrics_uids;
        let mut profiles = self.profiles_mut();
        let mut before = core::mem::take(&mut *profiles);
        let strict = config.strict_pin_files;
        for profile in config.profiles {
            let uids = profile.allowed_uids().unwrap_or_default().to_vec();
            let name = profile.name().unwrap_or_default().to_owned();
            let (old, pending) = match before.remove(&name) {
                Some(entry) => (Some(entry.served), entry.next),
                None => (None, None),
            };
            let is_wanted = |it: &Arc<Served>| it.may_sign() && it.is_of(&profile, strict);
            let old = old.filter(|served| served.may_sign());
            let (served, next) = match old {
                Some(old) if old.is_of(&profile, strict) => {
                    old.try_again();
                    (old, None)
                }
                old => {
                    // One that is being opened since the last time goes on.
                    let new = pending.filter(is_wanted).unwrap_or_else(|| {
                        Arc::new(Served::new(profile.clone(), strict, &self.shared))
                    });
                    match old.filter(|_| new.can_be_opened_twice()) {
                        Some(old) => (old, Some(new)),
                        None => (new, None),
                    }
                }
            };
            let entry = Entry { uids, served, next };
            profiles.insert(name, entry);
        }
        for name in before.keys() {
            self.shared.metrics.forget(name);
        }
    }

    /// Opens what is not open, and has each key sign once.
    pub(crate) async fn open_keys(self: &Arc<Self>) {
        let tests = self.entries().into_iter().map(|(name, served, next)| {
            let agent = Arc::clone(self);
            tokio::spawn(async move {
                let next = match next {
                    None => served.renewed().await.map(Arc::new),
                    next => next,
                };
                match next {
                    Some(next) => agent.replace(&name, &served, next).await,
                    // What it finds is in the log.
                    None => drop(served.self_test().await),
                }
            })
        });
        for test in tests.collect::<Vec<_>>() {
            // One that panicked has said so.
            let _ = test.await;
        }
    }

    /// Has what waits for its certificates to be valid take its place then. It does not end.
    pub(crate) async fn take_in_time(&self) {
        loop {
            let mut wait = TIME_CHECK;
            for (name, served, next) in self.entries() {
                match next.map(|next| (next.begins_in(), next)) {
                    Some((Some(Duration::ZERO), next)) => self.replace(&name, &served, next).await,
                    Some((Some(left), _)) => wait = wait.min(left),
                    _ => {}
                }
            }
            sleep(wait).await;
        }
    }

    fn entries(&self) -> Vec<(String, Arc<Served>, Option<Arc<Served>>)> {
        let profiles = self.profiles();
        let entries = profiles.iter();
        entries
            .map(|(name, it)| (name.clone(), Arc::clone(&it.served), it.next.clone()))
            .collect()
    }

    /// Serves the new one, unless it does not sign and the old one does.
    async fn replace(&self, name: &str, old: &Arc<Served>, new: Arc<Served>) {
        let is_worse = new.self_test().await.is_err() && old.self_test().await.is_ok();
        let mut profiles = self.profiles_mut();
        let entry = profiles.get_mut(name);
        // The configuration may have been read again meanwhile.
        let entry = entry.filter(|it| {
            let is_wanted = |next| Arc::ptr_eq(next, &new);
            Arc::ptr_eq(&it.served, old) && it.next.as_ref().is_none_or(is_wanted)
        });
        let Some(entry) = entry else {
            return;
        };
        entry.next = None;
        if is_worse {
            match new.begins_in() {
                Some(left) if !left.is_zero() => {
                    let seconds = left.as_secs();
                    tracing::info!(
                        profile = name,
                        seconds,
                        "its certificates are not valid yet; until then it stays as it was"
                    );
                    entry.next = Some(new);
                }
                _ => tracing::error!(
                    profile = name,
                    "it signs as it was and not as it is now, and stays as it was"
                ),
            }
            old.stays();
        } else {
            entry.served = new;
        }
    }

    fn profiles(&self) -> RwLockReadGuard<'_, Profiles> {
        self.profiles.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn profiles_mut(&self) -> RwLockWriteGuard<'_, Profiles> {
        let profiles = self.profiles.write();
        profiles.unwrap_or_else(PoisonError::into_inner)
    }
}
