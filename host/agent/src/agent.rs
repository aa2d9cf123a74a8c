//! The profiles that are served, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustix::process::geteuid;

use crate::config::AgentConfig;
use crate::served::{Requester, Served, Shared};

/// What is served.
pub(crate) struct Agent {
    pub(crate) shared: Arc<Shared>,
    pub(crate) profiles: RwLock<BTreeMap<String, Arc<Served>>>,
    /// Who may see the metrics, besides root and this user.
    pub(crate) watchers: RwLock<Vec<u32>>,
}

impl Agent {
    pub(crate) fn served(&self, name: &str) -> Option<Arc<Served>> {
        let profiles = self.profiles.read().unwrap_or_else(PoisonError::into_inner);
        profiles.get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Served>> {
        let profiles = self.profiles.read().unwrap_or_else(PoisonError::into_inner);
        profiles.values().cloned().collect()
    }

    /// Whether the metrics, which name all profiles, are for this user.
    pub(crate) fn is_watcher(&self, uid: u32) -> bool {
        let watchers = self.watchers.read();
        let watchers = watchers.unwrap_or_else(PoisonError::into_inner);
        [0, geteuid().as_raw()].contains(&uid) || watchers.contains(&uid)
    }

    /// Whether there is anything for this user.
    pub(crate) fn knows(&self, uid: u32) -> bool {
        let profiles = self.profiles.read().unwrap_or_else(PoisonError::into_inner);
        let is_allowed = |served: &Arc<Served>| served.allows(Requester::User(uid));
        profiles.values().any(is_allowed) || self.is_watcher(uid)
    }

    /// Serves these profiles; a key of which nothing changed stays open where it signs. Others are opened again.
    pub(crate) fn serve(&self, config: AgentConfig) {
        self.shared.refused_pins.try_again();
        *self
            .watchers
            .write()
            .unwrap_or_else(PoisonError::into_inner) = config.metrics_uids;
        let mut profiles = self
            .profiles
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = core::mem::take(&mut *profiles);
        let strict = config.strict_pin_files;
        for profile in config.profiles {
            let name = profile.name().unwrap_or_default();
            let kept = before.get(name);
            let kept = kept.filter(|served| served.is_of(&profile, strict) && served.may_sign());
            let served = kept.map_or_else(
                || Arc::new(Served::new(profile.clone(), strict, &self.shared)),
                |kept| {
                    kept.try_again();
                    Arc::clone(kept)
                },
            );
            profiles.insert(served.name().to_owned(), served);
        }
        for name in before.keys().filter(|name| !profiles.contains_key(*name)) {
            self.shared.metrics.forget(name);
        }
    }

    /// Opens what is not open, and has each key sign once.
    pub(crate) async fn open_keys(&self) {
        let tests = self.all().into_iter().map(|served| {
            // What it found is in the log.
            tokio::spawn(async move { served.self_test().await.is_ok() })
        });
        for test in tests.collect::<Vec<_>>() {
            // One that panicked has said so.
            let _ = test.await;
        }
    }
}
