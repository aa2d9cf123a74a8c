//! What a monitoring system reads (OpenMetrics text).

use core::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The media type of the text.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds: from a SoftHSM's signature to a network HSM that is slow.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    profile: String,
    /// `ok`, or the kind of a problem.
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfProfile {
    profile: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KeyState {
    profile: String,
    state: &'static str,
}

/// How a key can be: `pin` where its PIN is wrong, missing or locked; `unusable` where the configuration must change.
pub(crate) const KEY_STATES: [&str; 4] = ["open", "away", "pin", "unusable"];

type Latency = Family<OfProfile, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    assertions: Family<Outcome, Counter>,
    tokens: Family<Outcome, Counter>,
    signing: Latency,
    ready: Family<OfProfile, Gauge>,
    key_state: Family<KeyState, Gauge>,
    in_use: Family<OfProfile, Gauge>,
    certificate_end: Family<OfProfile, Gauge>,
    pub(crate) connections: Gauge,
    pub(crate) refused: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("privyseal");
        let assertions = Family::default();
        let tokens = Family::default();
        let signing = Latency::new_with_constructor(|| Histogram::new(BUCKETS));
        let ready = Family::default();
        let (key_state, in_use) = (Family::default(), Family::default());
        let certificate_end = Family::default();
        let (connections, refused) = (Gauge::default(), Counter::default());
        registry.register("assertions", "Assertions by outcome", assertions.clone());
        registry.register(
            "tokens",
            "Requests for access tokens by outcome",
            tokens.clone(),
        );
        let help = "From a request to its assertion, with the audit line";
        registry.register_with_unit("assertion", help, Unit::Seconds, signing.clone());
        registry.register(
            "ready",
            "1 where the last self-test of the key passed",
            ready.clone(),
        );
        let help = "1 for how the key is: open, away, pin (wrong, missing or locked), unusable";
        registry.register("key_state", help, key_state.clone());
        let help = "Requests that use a session of the key, or wait for one or for the server";
        registry.register("in_use", help, in_use.clone());
        let help = "When the leaf certificate ends, seconds since 1970";
        registry.register_with_unit(
            "certificate_end",
            help,
            Unit::Seconds,
            certificate_end.clone(),
        );
        registry.register("connections", "Open connections", connections.clone());
        registry.register(
            "forbidden",
            "Requests of those who may not ask",
            refused.clone(),
        );
        Self {
            registry,
            assertions,
            tokens,
            signing,
            ready,
            key_state,
            in_use,
            certificate_end,
            connections,
            refused,
        }
    }
}

impl Metrics {
    pub(crate) fn assertion(&self, profile: &str, outcome: &'static str, took: Duration) {
        self.assertions.get_or_create(&of(profile, outcome)).inc();
        let profile = profile.to_owned();
        self.signing
            .get_or_create(&OfProfile { profile })
            .observe(took.as_secs_f64());
    }

    pub(crate) fn token(&self, profile: &str, outcome: &'static str) {
        self.tokens.get_or_create(&of(profile, outcome)).inc();
    }

    pub(crate) fn ready(&self, profile: &str, is_ready: bool) {
        let profile = profile.to_owned();
        self.ready
            .get_or_create(&OfProfile { profile })
            .set(is_ready.into());
    }

    pub(crate) fn key_state(&self, profile: &str, state: &'static str) {
        for known in KEY_STATES {
            let profile = profile.to_owned();
            let labels = KeyState {
                profile,
                state: known,
            };
            let gauge = self.key_state.get_or_create(&labels);
            gauge.set((known == state).into());
        }
    }

    /// The gauge of requests that use a profile's key.
    pub(crate) fn in_use(&self, profile: &str) -> Gauge {
        let profile = profile.to_owned();
        self.in_use.get_or_create_owned(&OfProfile { profile })
    }

    pub(crate) fn certificate_end(&self, profile: &str, end: i64) {
        let profile = profile.to_owned();
        self.certificate_end
            .get_or_create(&OfProfile { profile })
            .set(end);
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

fn of(profile: &str, outcome: &'static str) -> Outcome {
    let profile = profile.to_owned();
    Outcome { profile, outcome }
}
