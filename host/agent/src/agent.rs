//! The profiles that are served, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::config::AgentConfig;
use crate::served::{Served, Shared};

/// What is served.
pub(crate) struct Agent {
    pub(crate) shared: Arc<Shared>,
    pub(crate) profiles: RwLock<BTreeMap<String, Arc<Served>>>,
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

    /// Serves these profiles; a key of which nothing changed stays open. One that could not be opened is tried again.
    pub(crate) fn serve(&self, config: AgentConfig) {
        let mut profiles = self
            .profiles
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = core::mem::take(&mut *profiles);
        let strict = config.strict_pin_files;
        for profile in config.profiles {
            let name = profile.name().unwrap_or_default();
            let kept = before.get(name);
            let kept = kept.filter(|served| served.is_of(&profile, strict) && served.may_open());
            let served = kept.map_or_else(
                || Arc::new(Served::new(profile.clone(), strict, &self.shared)),
                Arc::clone,
            );
            profiles.insert(served.name().to_owned(), served);
        }
    }

    /// Opens what is not open, and has each key sign once.
    pub(crate) async fn open_keys(&self) {
        let tests = self.all().into_iter().map(|served| {
            tokio::spawn(async move {
                if let Err(problem) = served.self_test().await {
                    let (profile, detail) = (served.name(), problem.detail);
                    tracing::warn!(profile, %detail, "the key does not sign");
                }
            })
        });
        for test in tests.collect::<Vec<_>>() {
            // One that panicked has said so.
            let _ = test.await;
        }
    }
}
