//! Whether the keys that should be published are, the way they are.

use std::collections::BTreeSet;

use privyseal_core::cert::CertificateError;
use serde_json::Value;

use super::{Report, Verdict};
use crate::base::display::sanitize_for_display;
use crate::http::{Http, Url};
use crate::jose::jwk::KeySet;
use crate::oauth::{self, OAuthError};
use crate::oidc::provider_keys::MAX_KEY_SET;
use crate::oidc::rotation::{CACHE, is_same_key, kid};
use crate::pki::validation::IdentityValidation;

/// itsme, certificates and website security.
const VALIDATION: &str = "itsme takes OV and EV only (certificates and website security)";

/// What stands behind a `jwks_uri`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PublishedKeys {
    /// The keys, as they stand there.
    pub keys: Vec<Value>,
    /// For how many seconds it may be kept, where it says so (`max-age`, RFC 9111 section 5.2.2.1).
    pub max_age: Option<u64>,
    /// The media type.
    pub media_type: Option<String>,
    /// What the server's certificate says of who runs it; an error if it cannot be read, nothing if a proxy hides it.
    pub validation: Option<Result<Option<IdentityValidation>, CertificateError>>,
}

impl PublishedKeys {
    /// Reads the set, and looks at the server's certificate.
    ///
    /// # Errors
    ///
    /// [`OAuthError`]: the server does not answer, refuses, or what it has is no set of public keys.
    pub fn fetch(http: &Http, url: &Url) -> Result<Self, OAuthError> {
        let response = oauth::get_public(http, url, MAX_KEY_SET)?;
        let keys = KeySet::members(&response.body);
        let certificate = http.server_certificate(url)?;
        Ok(Self {
            keys: keys.map_err(|error| OAuthError::response(url, error))?,
            max_age: response.max_age,
            media_type: response.media_type.clone(),
            validation: certificate.map(|der| IdentityValidation::of(&der)),
        })
    }

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
        let unsaid = self.keys.iter().filter(|key| key["use"].is_null());
        for key in unsaid.filter(|_| has_both) {
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
        let broken = waited.filter(longer);
        let more = match (waited, broken) {
            (_, Some(waited)) => {
                format!(", and the plan waits {waited} s only: plan again with it")
            }
            (None, _) if longer(&CACHE) => ", longer than a day: plan with it".to_owned(),
            _ => String::new(),
        };
        let verdict = broken.map_or(Verdict::Note, |_| Verdict::Broken);
        report.add(verdict, format!("{kept}{more}"));
    }

    fn add_server(&self, report: &mut Report, validated: bool) {
        let types = ["application/json", "application/jwk-set+json"];
        let media_type = self.media_type.as_deref();
        if media_type.is_none_or(|it| !types.contains(&it)) {
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
                return report.add(Verdict::NotChecked, text);
            }
            Some(Err(error)) => (wrong, format!("cannot be read: it {error}")),
            Some(Ok(Some(level))) if level.names_organization() => {
                (Verdict::Passed, format!("has {level}"))
            }
            Some(Ok(Some(level))) => (wrong, format!("has {level}: {VALIDATION}")),
            Some(Ok(None)) => {
                let text = format!("does not say how its owner was identified: {VALIDATION}");
                (wrong, text)
            }
        };
        report.add(verdict, format!("the server's certificate {text}"));
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
    let fault = if !is_same_key(expected, found) {
        ", for another key".to_owned()
    } else if usage(expected) != usage(found) {
        format!(" with another use than {}", usage(expected))
    } else if !is_usable || is_other {
        ", with an alg or key_ops for something else".to_owned()
    } else {
        return (Verdict::Passed, format!("{kid} is published"));
    };
    (Verdict::Broken, format!("{kid} is published{fault}"))
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
