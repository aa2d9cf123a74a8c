//! What a monitoring system reads (OpenMetrics text).

use core::time::Duration;

use privyseal_core::UnixTime;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

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
    sessions: Family<OfProfile, Gauge>,
    certificate_end: Family<OfProfile, Gauge>,
    certificate_days: Family<OfProfile, Gauge>,
    pub(crate) connections: Gauge,
    pub(crate) refused: Counter,
    pub(crate) turned_away: Counter,
}

/// What `/metrics` says: the names, with the labels that they have besides `profile`, and what each is.
pub const METRICS: &[(&str, &str)] = &[
    (
        "privyseal_assertions_total{outcome}",
        "assertions by outcome: ok, or the kind of the failure",
    ),
    (
        "privyseal_tokens_total{outcome}",
        "requests for access tokens by outcome",
    ),
    (
        "privyseal_assertion_seconds",
        "from a request to its assertion, with the audit line (histogram)",
    ),
    (
        "privyseal_ready",
        "1 where the last assertion or self-test found that the key signs, and its certificates are valid now",
    ),
    (
        "privyseal_key_state{state}",
        "1 for how the key is: open, away, pin (wrong, missing or locked), unusable",
    ),
    (
        "privyseal_in_use",
        "requests that use a session of the key, or wait for one or for the server",
    ),
    (
        "privyseal_sessions",
        "sessions with the token that are open for the key, the one that keeps the login included",
    ),
    (
        "privyseal_certificate_end_seconds",
        "when the first certificate of the chain ends, seconds since 1970",
    ),
    (
        "privyseal_certificate_days",
        "whole days until then; negative when it has ended",
    ),
    ("privyseal_connections", "open connections, of all profiles"),
    (
        "privyseal_turned_away_total",
        "connections beyond the share of a user, or of those who may ask for nothing",
    ),
    (
        "privyseal_forbidden_total",
        "requests of those who may not ask",
    ),
];

/// Registers what stands in [`METRICS`] under that name.
fn register<M: Clone + Metric>(registry: &mut Registry, name: &'static str, metric: &M) {
    let is_it = |full: &str| {
        let rest = full.strip_prefix("privyseal_");
        let rest = rest.and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['{', '_']))
    };
    let known = METRICS.iter().find(|(full, _)| is_it(full));
    let help = known.map_or("", |(_, help)| help);
    match known {
        Some((full, _)) if full.ends_with("_seconds") => {
            registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
        }
        _ => registry.register(name, help, metric.clone()),
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("privyseal");
        let to = &mut registry;
        let (assertions, tokens) = (Family::default(), Family::default());
        let signing = Latency::new_with_constructor(|| Histogram::new(BUCKETS));
        let ready = Family::default();
        let (key_state, in_use) = (Family::default(), Family::default());
        let sessions = Family::default();
        let (certificate_end, certificate_days) = (Family::default(), Family::default());
        let (connections, turned_away, refused) =
            (Gauge::default(), Counter::default(), Counter::default());
        register(to, "assertions", &assertions);
        register(to, "tokens", &tokens);
        register(to, "assertion", &signing);
        register(to, "ready", &ready);
        register(to, "key_state", &key_state);
        register(to, "in_use", &in_use);
        register(to, "sessions", &sessions);
        register(to, "certificate_end", &certificate_end);
        register(to, "certificate_days", &certificate_days);
        register(to, "connections", &connections);
        register(to, "turned_away", &turned_away);
        register(to, "forbidden", &refused);
        Self {
            registry,
            assertions,
            tokens,
            signing,
            ready,
            key_state,
            in_use,
            sessions,
            certificate_end,
            certificate_days,
            connections,
            refused,
            turned_away,
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

    pub(crate) fn sessions(&self, profile: &str, open: usize) {
        let profile = profile.to_owned();
        let gauge = self.sessions.get_or_create_owned(&OfProfile { profile });
        gauge.set(open.try_into().unwrap_or(i64::MAX));
    }

    pub(crate) fn certificate_end(&self, profile: &str, end: UnixTime, now: UnixTime) {
        let profile = OfProfile {
            profile: profile.to_owned(),
        };
        let end = i64::try_from(end.as_secs()).unwrap_or(i64::MAX);
        let left = end.saturating_sub_unsigned(now.as_secs());
        self.certificate_end.get_or_create(&profile).set(end);
        let days = self.certificate_days.get_or_create(&profile);
        days.set(left.div_euclid(24 * 60 * 60));
    }

    /// A profile that is not served any more has no state.
    pub(crate) fn forget(&self, profile: &str) {
        let of_profile = OfProfile {
            profile: profile.to_owned(),
        };
        let gauges = [
            &self.ready,
            &self.in_use,
            &self.sessions,
            &self.certificate_end,
            &self.certificate_days,
        ];
        for gauge in gauges {
            gauge.remove(&of_profile);
        }
        for state in KEY_STATES {
            let profile = profile.to_owned();
            self.key_state.remove(&KeyState { profile, state });
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_what_is_said() {
        let metrics = Metrics::default();
        metrics.assertion("a", "ok", Duration::ZERO);
        metrics.token("a", "ok");
        metrics.ready("a", true);
        metrics.key_state("a", "open");
        metrics.in_use("a");
        metrics.sessions("a", 2);
        let at = |seconds| UnixTime::from_secs(seconds).unwrap();
        metrics.certificate_end("a", at(3 * 86_400 + 9), at(10));
        let text = metrics.text();
        for (name, help) in METRICS {
            let name = name.split('{').next().unwrap();
            let series = format!("\n{name}");
            assert!(text.contains(&series), "no {name} in:\n{text}");
            assert!(text.contains(help), "no {help:?} in:\n{text}");
        }
        let days = "privyseal_certificate_days{profile=\"a\"} 2\n";
        assert!(text.contains(days), "{text}");
        assert_eq!(text.matches("# HELP ").count(), METRICS.len());
        metrics.forget("a");
        let left = metrics.text();
        for line in left.lines().filter(|line| line.contains("{profile=\"a\"")) {
            let is_counted = ["_total{", "_bucket{", "_sum{", "_count{"];
            assert!(is_counted.iter().any(|it| line.contains(it)), "{line}");
        }
    }
}
