//! Whether the keys that should be published are, the way they are.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Report, Verdict};
use crate::base::display::sanitize_for_display;
use crate::jose::jwk::KeySet;
use crate::oidc::published::PublishedKeys;
use crate::oidc::rotation::{CACHE, is_same_key, kid};

/// itsme, certificates and website security.
const VALIDATION: &str = "itsme takes OV and EV only (certificates and website security)";

impl PublishedKeys {
    /// Compares them with the set that should be there. Of keys that should not, those that `gone` knows are an
    /// error, and others are mentioned. With `waited`, the set may be kept no longer than so many seconds. With
    /// `validated`, the server's certificate must say which organization runs it.
    pub fn report(
        &self,
        expected: &Value,
        gone: impl Fn(&str) -> bool,
        waited: Option<u64>,
        validated: bool,
    ) -> Report {
        let mut report = Report::default();
        let expected = expected["keys"].as_array().map_or(&[][..], Vec::as_slice);
        for key in expected {
            let shown = sanitize_for_display(kid(key), None);
            let named = self.keys.iter().filter(|it| kid(it) == kid(key));
            let found: Vec<_> = named.collect();
            match found[..] {
                [] => report.add(Verdict::Broken, format!("{shown} is not published")),
                [found] => report.add_key(&shown, key, found),
                _ => report.add(
                    Verdict::Broken,
                    format!("{shown} is the kid of several keys"),
                ),
            }
        }
        let expected: BTreeSet<_> = expected.iter().map(kid).collect();
        for key in self.keys.iter().filter(|key| !expected.contains(kid(key))) {
            let shown = sanitize_for_display(kid(key), None);
            if gone(kid(key)) {
                let text = format!("{shown} is published, and should not be at this time");
                report.add(Verdict::Broken, text);
            } else {
                report.add(Verdict::Note, format!("{shown} is published, too"));
            }
        }
        self.add_cache(&mut report, waited);
        self.add_server(&mut report, validated);
        report
    }

    fn add_cache(&self, report: &mut Report, waited: Option<u64>) {
        let kept = match self.max_age {
            Some(age) => format!("the set may be kept for {age} s, as its server says"),
            None => "the set does not say for how long it may be kept: providers keep it for up to a day".to_owned(),
        };
        let longer = |than: &u64| self.max_age.unwrap_or(CACHE) > *than;
        match (waited, longer(&CACHE)) {
            (Some(waited), _) if longer(&waited) => {
                let text =
                    format!("{kept}, and the plan waits {waited} s only: plan again with it");
                report.add(Verdict::Broken, text);
            }
            (None, true) => {
                let text = format!("{kept}, longer than a day: plan with it");
                report.add(Verdict::Note, text);
            }
            _ => report.add(Verdict::Note, kept),
        }
    }

    fn add_server(&self, report: &mut Report, validated: bool) {
        let types = ["application/json", "application/jwk-set+json"];
        if !self
            .media_type
            .as_deref()
            .is_some_and(|it| types.contains(&it))
        {
            let text = "the set is not served as application/jwk-set+json or application/json";
            report.add(Verdict::Note, text);
        }
        let wrong = if validated {
            Verdict::Broken
        } else {
            Verdict::Note
        };
        match &self.validation {
            None => {
                let text = "a proxy hides the server's certificate, which was not looked at";
                report.add(Verdict::NotChecked, text);
            }
            Some(Err(error)) => {
                let text = format!("the server's certificate cannot be read: it {error}");
                report.add(wrong, text);
            }
            Some(Ok(None)) => {
                let text = "the server's certificate does not say how its owner was identified";
                report.add(wrong, format!("{text}: {VALIDATION}"));
            }
            Some(Ok(Some(level))) if level.names_organization() => {
                let text = format!("the server's certificate has {level}");
                report.add(Verdict::Passed, text);
            }
            Some(Ok(Some(level))) => {
                let text = format!("the server's certificate has {level}: {VALIDATION}");
                report.add(wrong, text);
            }
        }
    }
}

impl Report {
    fn add_key(&mut self, kid: &str, expected: &Value, found: &Value) {
        let usage = |key: &Value| key["use"].as_str().unwrap_or("sig").to_owned();
        let is_usable = match usage(expected).as_str() {
            "enc" => KeySet::is_for_encryption(found),
            _ => KeySet::is_for_rs256(found),
        };
        let algorithms = [expected, found].map(|key| key["alg"].as_str());
        let is_other = matches!(algorithms, [Some(expected), Some(found)] if expected != found);
        if !is_same_key(expected, found) {
            self.add(
                Verdict::Broken,
                format!("{kid} is published, for another key"),
            );
        } else if usage(expected) != usage(found) {
            let text = format!(
                "{kid} is published with another use than {}",
                usage(expected)
            );
            self.add(Verdict::Broken, text);
        } else if !is_usable || is_other {
            let text = format!("{kid} is published, with an alg or key_ops for something else");
            self.add(Verdict::Broken, text);
        } else {
            self.add(Verdict::Passed, format!("{kid} is published"));
        }
    }
}
