//! What a receiver is made of, and whether it fits together.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use privyseal::base::clock;
use privyseal::{Certificates, UnixTime};
use privyseal_core::Audience;
use privyseal_core::field::FieldError;
use privyseal_core::scheme::KeyReference;
use privyseal_core::scheme::SchemeRules;

use super::prove::MAX_KEPT;
use super::{Receiver, Settings};
use crate::cache::CachePolicy;
use crate::links::KnownLinks;
use crate::registry::{CachedRegistry, RegistrySource};
use crate::replay::{MemoryStore, ReplayStore};
use crate::shares::{Expiring, Rooms};
use crate::{RegisteredClients, Revocation};

/// Seconds by which the clocks of clients may differ, unless told otherwise: what receivers that exist allow.
pub(crate) const LEEWAY: u64 = 5;

/// The most seconds of leeway: more would be a life of its own.
const MAX_LEEWAY: u64 = 60;

/// How many assertions are remembered in memory, unless told otherwise: of one issuer at most 9,500 a second for the 35 s that
/// one counts.
const REMEMBERED: usize = 1_000_000;

/// Makes a [`Receiver`].
#[derive(Debug)]
pub struct ReceiverBuilder {
    scheme: &'static SchemeRules,
    audience: Option<String>,
    registry: Option<Arc<dyn RegistrySource>>,
    trust: Option<Certificates>,
    clients: RegisteredClients,
    replay: Option<Arc<dyn ReplayStore>>,
    revocation: Revocation,
    cache: CachePolicy,
    leeway: u64,
    reprove_after: Duration,
}

/// Why parts make no receiver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Nobody said whose assertions these are to be.
    #[error("a receiver needs its own audience: what aud must be in assertions for it")]
    NoAudience,
    /// The audience breaks a rule.
    #[error("the receiver's audience: {0}")]
    Audience(#[from] FieldError),
    /// The scheme of that title says that parties are looked up.
    #[error("{0} has parties looked up in a registry, and none was given")]
    NoRegistry(&'static str),
    /// The scheme has no registry, so clients must be known.
    #[error("{0} has no registry, and no client was registered")]
    NoClients(&'static str),
    /// The scheme has certificates and no registry, so somebody must be trusted.
    #[error("{0} sends certificates, and no certificate is trusted that they could lead to")]
    NoTrust(&'static str),
    /// More than any clock is wrong.
    #[error("a leeway of {0} s is more than the {MAX_LEEWAY} s that are allowed")]
    Leeway(u64),
}

impl ReceiverBuilder {
    pub(crate) fn new(scheme: &'static SchemeRules) -> Self {
        Self {
            scheme,
            audience: None,
            registry: None,
            trust: None,
            clients: RegisteredClients::default(),
            replay: None,
            revocation: Revocation::default(),
            cache: CachePolicy::default(),
            leeway: LEEWAY,
            reprove_after: Duration::from_secs(300),
        }
    }

    privyseal_hsm::setters! {
        /// What `aud` must be: the receiver's own party id, or the URL that the scheme says.
        audience: impl Into<String> = Some(audience.into());
        /// Who knows the trusted list and the parties, for schemes that have a registry.
        registry: impl RegistrySource + 'static = Some(Arc::new(registry));
        /// The certificates that chains must lead to, for schemes that have no registry.
        trust: Certificates = Some(trust);
        /// The clients that there are, for schemes that have no registry.
        clients: RegisteredClients = clients;
        /// Where it is remembered what was accepted; by default in the memory of this process, for 1,000,000 assertions, from
        /// [`ReceiverBuilder::build`] on: what was made before may have been presented to another process, and has to be made
        /// again.
        replay: Arc<dyn ReplayStore> = Some(replay);
        /// By what revocation is judged; by default it is not.
        revocation: Revocation = revocation;
        /// How long what the registry said is used.
        cache: CachePolicy = cache;
        /// Seconds by which the clocks of clients may differ, for `iat` and `exp`; by default 5.
        leeway: u64 = leeway;
        /// How long a proof of a chain is used, revocation included; by default 5 minutes, and never longer than its
        /// certificates are valid and the trusted list stays as it is.
        reprove_after: Duration = reprove_after;
    }

    /// The options of a store for receivers of the same scheme and audience. Others may share its server, and what they
    /// accepted for the same audience.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn share(&self, mut options: crate::replay::RedisOptions) -> crate::replay::RedisOptions {
        let audience = self.audience.as_deref().unwrap_or_default();
        options.prefix = format!("{}{}:{audience}:", options.prefix, self.scheme.name());
        options
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn build(self) -> Result<Receiver, BuildError> {
        let scheme = self.scheme.title();
        let audience = self.audience.ok_or(BuildError::NoAudience)?;
        self.scheme
            .choose_audience(Some(Audience::new(&audience)?))?;
        if self.leeway > MAX_LEEWAY {
            return Err(BuildError::Leeway(self.leeway));
        }
        let has_certificates = self.scheme.key_reference().value() == KeyReference::X5cWithRoot;
        let registry = match (self.scheme.registry(), self.registry) {
            (Some(_), None) => return Err(BuildError::NoRegistry(scheme)),
            (Some(_), Some(source)) => Some(CachedRegistry::new(self.scheme, source, self.cache)),
            (None, _) if self.clients.is_empty() => return Err(BuildError::NoClients(scheme)),
            (None, _) if has_certificates && self.trust.is_none() => {
                return Err(BuildError::NoTrust(scheme));
            }
            (None, _) => None,
        };
        // What was accepted before this process began is forgotten.
        let begins = clock::now().unwrap_or(UnixTime::MAX);
        let in_memory = || Arc::new(MemoryStore::new(REMEMBERED).beginning(begins)) as _;
        Ok(Receiver {
            scheme: self.scheme,
            audience,
            registry,
            trust: self.trust.unwrap_or_default(),
            replay: self.replay.unwrap_or_else(in_memory),
            settings: Mutex::new(Settings {
                generation: 1,
                revocation: Arc::new(self.revocation),
                clients: Arc::new(self.clients),
            }),
            leeway: self.leeway,
            reprove_after: self.reprove_after.as_secs(),
            proven: Mutex::new(Expiring::new(MAX_KEPT)),
            links: KnownLinks::default(),
            fetching: Rooms::new(self.cache.max_waiting),
            refused: Mutex::new(Expiring::new(MAX_KEPT)),
        })
    }
}
