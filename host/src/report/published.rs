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
            let (verdict, text) = match found[..] {
                [] => (Verdict::Broken, format!("{shown} is not published")),
                [found] => judged(&shown, key, found),
                _ => (
                    Verdict::Broken,
                    format!("{shown} is the kid of several keys"),
                ),
            };
            report.add(verdict, text);
        }
        let expected: BTreeSet<_> = expected.iter().map(kid).collect();
        for key in self.keys.iter().filter(|key| !expected.contains(kid(key))) {
            let shown = sanitize_for_display(kid(key), None);
            let (verdict, more) = if gone(kid(key)) {
                (Verdict::Broken, "and should not be at this time")
            } else {
                (Verdict::Note, "too")
            };
            report.add(verdict, format!("{shown} is published, {more}"));
        }
        let has_both = self.keys.iter().any(|key| key["use"] == "enc");
        for key in self
            .keys
            .iter()
            .filter(|key| has_both && key["use"].is_null())
        {
            let shown = sanitize_for_display(kid(key), None);
            let text = format!(
                "{shown} has no use, which each key needs where others are for encryption (OpenID Connect Registration \
                 section 2)"
            );
            report.add(Verdict::Broken, text);
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
        let (verdict, more) = match (waited, longer(&CACHE)) {
            (Some(waited), _) if longer(&waited) => {
                let more = format!(", and the plan waits {waited} s only: plan again with it");
                (Verdict::Broken, more)
            }
            (None, true) => (
                Verdict::Note,
                ", longer than a day: plan with it".to_owned(),
            ),
            _ => (Verdict::Note, String::new()),
        };
        report.add(verdict, format!("{kept}{more}"));
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
        let (verdict, text) = match &self.validation {
            None => {
                let text = "a proxy hides the server's certificate, which was not looked at";
                (Verdict::NotChecked, text.to_owned())
            }
            Some(Err(error)) => (
                wrong,
                format!("the server's certificate cannot be read: it {error}"),
            ),
            Some(Ok(None)) => {
                let text = "the server's certificate does not say how its owner was identified";
                (wrong, format!("{text}: {VALIDATION}"))
            }
            Some(Ok(Some(level))) => {
                let text = format!("the server's certificate has {level}");
                if level.names_organization() {
                    (Verdict::Passed, text)
                } else {
                    (wrong, format!("{text}: {VALIDATION}"))
                }
            }
        };
        report.add(verdict, text);
    }
}

fn judged(kid: &str, expected: &Value, found: &Value) -> (Verdict, String) {
    let usage = |key: &Value| key["use"].as_str().unwrap_or("sig").to_owned();
    let is_usable = match usage(expected).as_str() {
        "enc" => KeySet::is_for_encryption(found),
        _ => KeySet::is_for_rs256(found),
    };
    let algorithms = [expected, found].map(|key| key["alg"].as_str());
    let is_other = matches!(algorithms, [Some(expected), Some(found)] if expected != found);
    let (verdict, more) = if !is_same_key(expected, found) {
        (Verdict::Broken, ", for another key".to_owned())
    } else if usage(expected) != usage(found) {
        (
            Verdict::Broken,
            format!(" with another use than {}", usage(expected)),
        )
    } else if !is_usable || is_other {
        (
            Verdict::Broken,
            ", with an alg or key_ops for something else".to_owned(),
        )
    } else {
        (Verdict::Passed, String::new())
    };
    (verdict, format!("{kid} is published{more}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_key_says_its_use_where_others_encrypt() {
        let key = |kid: &str| json!({"kty": "RSA", "kid": kid, "n": kid, "e": "AQAB"});
        let (plain, mut enc) = (key("s"), key("e"));
        enc["use"] = "enc".into();
        for (keys, expected) in [(vec![plain.clone()], 0), (vec![plain, enc], 1)] {
            let published = PublishedKeys {
                keys: keys.clone(),
                max_age: None,
                media_type: None,
                validation: None,
            };
            let report = published.report(&json!({ "keys": keys }), |_| false, None, false);
            assert_eq!(report.broken(), expected);
        }
    }
}
