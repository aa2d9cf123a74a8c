//! One set of keys replaced by another without a login that fails.
//!
//! A provider keeps what a client publishes for up to a day. So a new signing key is published that long before anything
//! is signed with it, and an old decryption key decrypts that long after it was replaced (itsme, key rotation procedure;
//! eHealth section 5.4.1).

use privyseal_core::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::display::escape_for_display;
use crate::jose::jwk::KeySet;

/// For how long a provider may keep an old set, in seconds: a day.
pub const CACHE: u64 = 24 * 60 * 60;

/// After what time nothing is under way any more that was signed with, or encrypted to, a key that is not used any
/// more, in seconds: more than discovery, authentication and fetching the claims may take.
const UNDER_WAY: u64 = 60 * 60;

const PUBLISH: &str = "publish the new set";
const PUBLISH_BOTH: &str = "decrypt with old and new keys, then publish the new set";
const SWITCH: &str = "sign with the new key";
const GO_ON: &str = "go on: a provider may encrypt to the old key up to now";
const RETIRE: &str = "once a login went well: publish without the old keys, and use them no more";

/// What is done when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    steps: Vec<RotationStep>,
}

/// What holds from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RotationStep {
    /// From when on, in seconds since 1970.
    pub from: u64,
    /// What is done then.
    pub action: String,
    /// The JWK Set that is published.
    pub publish: Value,
    /// The `kid` of each key that signs.
    pub sign_with: Vec<String>,
    /// The `kid` of each key that decrypts.
    pub decrypt_with: Vec<String>,
}

/// Why there is no plan: a sentence about the set, and the key where it is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RotationError(String);

fn refused(reason: impl Into<String>) -> RotationError {
    RotationError(reason.into())
}

fn same_kid(key: &Value) -> RotationError {
    let kid = escape_for_display(kid(key));
    refused(format!(
        "{kid} is the kid of two keys: each key needs a kid of its own"
    ))
}

impl Rotation {
    /// From the set `old` to the set `new`, each whole and as it is published, beginning at `begin`. `cache` is for how
    /// many seconds the provider may keep a set: [`CACHE`], or the set's own `max-age` where that is more.
    ///
    /// # Errors
    ///
    /// [`RotationError`].
    pub fn plan(
        old: &[u8],
        new: &[u8],
        begin: UnixTime,
        cache: u64,
    ) -> Result<Self, RotationError> {
        let (old, new) = (read(old)?, read(new)?);
        for key in &old {
            let is_other = |new: &Value| kid(new) == kid(key) && !is_same_key(key, new);
            if new.iter().any(is_other) {
                return Err(same_kid(key));
            }
        }
        for encryption in [false, true] {
            if kids(&new, encryption).is_empty() && !kids(&old, encryption).is_empty() {
                let name = if encryption { "enc" } else { "sig" };
                let reason = format!("the new set has no key with use {name}, and the old one has");
                return Err(refused(reason));
            }
        }
        let all = joined(&old, &new);
        if all.len() == old.len() && all.len() == new.len() {
            let reason = "the new set has the keys of the old one: there is nothing to replace";
            return Err(refused(reason));
        }
        let mut both = old.clone();
        both.retain(|key| !encrypts(key));
        let both = joined(&both, &new);
        let switch = begin.saturating_add(cache);
        let retire = switch.saturating_add(UNDER_WAY);
        let [begin, switch, retire] = [begin, switch, retire].map(UnixTime::as_secs);
        let step = |from, action: &str, [publish, sign, decrypt]: [&[Value]; 3]| RotationStep {
            from,
            action: action.to_owned(),
            publish: json!({ "keys": publish }),
            sign_with: kids(sign, false),
            decrypt_with: kids(decrypt, true),
        };
        let changes = |encryption| kids(&new, encryption) != kids(&old, encryption);
        let publish = if changes(true) { PUBLISH_BOTH } else { PUBLISH };
        let then = if changes(false) { SWITCH } else { GO_ON };
        let steps = vec![
            step(0, "as before", [&old, &old, &old]),
            step(begin, publish, [&both, &old, &all]),
            step(switch, then, [&both, &new, &all]),
            step(retire, RETIRE, [&new, &new, &new]),
        ];
        Ok(Self { steps })
    }

    /// Whether `set` is one that a plan can be made of.
    ///
    /// # Errors
    ///
    /// [`RotationError`].
    pub fn judge_set(set: &[u8]) -> Result<(), RotationError> {
        read(set).map(drop)
    }

    /// Reads the JSON of a plan.
    ///
    /// # Errors
    ///
    /// [`RotationError`].
    pub fn from_json(text: &[u8]) -> Result<Self, RotationError> {
        let no_plan = || refused("the text is no rotation plan");
        let plan: Self = serde_json::from_slice(text).map_err(|_| no_plan())?;
        let is_first = plan.steps.first().is_some_and(|step| step.from == 0);
        let is_sorted = plan.steps.is_sorted_by_key(|step| step.from);
        let publishes = |step: &RotationStep| read(step.publish.to_string().as_bytes()).is_ok();
        let is_plan = is_first && is_sorted && plan.steps.iter().all(publishes);
        is_plan.then_some(plan).ok_or_else(no_plan)
    }

    /// The steps, in their order; the first is what holds before.
    pub fn steps(&self) -> &[RotationStep] {
        &self.steps
    }

    /// For how many seconds the plan lets a provider keep the old set, before it signs with a new key.
    pub fn waits(&self) -> u64 {
        let from = |at: usize| self.steps.get(at).map_or(0, |step| step.from);
        from(2).saturating_sub(from(1))
    }

    /// What holds at `now`, and what comes next.
    ///
    /// # Panics
    ///
    /// Never: the first step is from the beginning of time.
    pub fn at(&self, now: UnixTime) -> (&RotationStep, Option<&RotationStep>) {
        let next = self
            .steps
            .partition_point(|step| step.from <= now.as_secs());
        let current = &self.steps[next.saturating_sub(1)];
        (current, self.steps.get(next))
    }

    /// Whether a key of that `kid` is one of the plan.
    pub fn knows(&self, kid: &str) -> bool {
        self.steps.iter().any(|step| step.publishes(kid))
    }
}

impl RotationStep {
    /// Whether a key of that `kid` is published.
    pub fn publishes(&self, kid: &str) -> bool {
        let keys = self.publish["keys"].as_array();
        keys.is_some_and(|keys| keys.iter().any(|key| self::kid(key) == kid))
    }
}

/// The keys of a set, each of them usable, and with a name of its own.
fn read(set: &[u8]) -> Result<Vec<Value>, RotationError> {
    let keys = KeySet::members(set).map_err(|error| refused(error.to_string()))?;
    if keys.is_empty() {
        return Err(refused("the set has no key"));
    }
    if keys.iter().any(|key| kid(key).is_empty()) {
        let reason = "a key of the set has no kid, by which a provider could tell it from others";
        return Err(refused(reason));
    }
    if let Some(key) = keys.iter().find(|key| !KeySet::is_usable(key)) {
        let kid = escape_for_display(kid(key));
        return Err(refused(format!(
            "the key {kid} is no RSA key of 2048, 3072 or 4096 bits for RS256 signatures or RSA-OAEP, by its numbers \
             or as its use, alg or key_ops say"
        )));
    }
    let named = |key: &Value| keys.iter().filter(|other| kid(other) == kid(key)).count();
    keys.iter()
        .find(|key| named(key) > 1)
        .map_or(Ok(()), |key| Err(same_kid(key)))?;
    Ok(keys)
}

/// The keys of both, each once.
fn joined(old: &[Value], new: &[Value]) -> Vec<Value> {
    let mut all = old.to_vec();
    let is_there = |key: &&Value| !old.iter().any(|other| other["kid"] == key["kid"]);
    all.extend(new.iter().filter(is_there).cloned());
    all
}

/// Its name; nothing if it has none.
pub(crate) fn kid(key: &Value) -> &str {
    key["kid"].as_str().unwrap_or_default()
}

/// Whether both are the same RSA key, whatever they are called and for.
pub(crate) fn is_same_key(one: &Value, other: &Value) -> bool {
    ["kty", "n", "e"]
        .iter()
        .all(|name| one[name] == other[name])
}

fn encrypts(key: &Value) -> bool {
    key["use"] == "enc"
}

/// Of those that encrypt, or of the others; sorted.
fn kids(keys: &[Value], encryption: bool) -> Vec<String> {
    let keys = keys.iter().filter(|key| encrypts(key) == encryption);
    let mut kids: Vec<_> = keys.map(|key| kid(key).to_owned()).collect();
    kids.sort_unstable();
    kids
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding as _};

    use super::*;

    const BEGIN: u64 = 1_800_000_000;

    fn set(keys: &[(&str, &str, u8)]) -> String {
        let keys = keys.iter().map(|(kid, usage, number)| {
            // Odd, and of 2048 bits.
            let n = Base64UrlUnpadded::encode_string(&[(number << 1) | 0x81; 256]);
            json!({"kty": "RSA", "kid": kid, "use": usage, "n": n, "e": "AQAB"})
        });
        json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
    }

    fn plan(old: &str, new: &str) -> Result<Rotation, RotationError> {
        let begin = UnixTime::from_secs(BEGIN).unwrap();
        Rotation::plan(old.as_bytes(), new.as_bytes(), begin, CACHE)
    }

    fn published(step: &RotationStep) -> Vec<String> {
        let keys = step.publish["keys"].as_array().unwrap();
        let mut kids: Vec<_> = keys.iter().map(|key| kid(key).to_owned()).collect();
        kids.sort_unstable();
        kids
    }

    #[test]
    fn both_keys_are_replaced_in_three_steps() {
        let old = set(&[("s1", "sig", b'B'), ("e1", "enc", b'C')]);
        let new = set(&[("s2", "sig", b'D'), ("e2", "enc", b'E')]);
        let plan = plan(&old, &new).unwrap();
        let day = 24 * 60 * 60;
        for (at, published_, sign, decrypt) in [
            (BEGIN - 1, vec!["e1", "s1"], "s1", vec!["e1"]),
            (BEGIN, vec!["e2", "s1", "s2"], "s1", vec!["e1", "e2"]),
            (
                BEGIN + day - 1,
                vec!["e2", "s1", "s2"],
                "s1",
                vec!["e1", "e2"],
            ),
            (BEGIN + day, vec!["e2", "s1", "s2"], "s2", vec!["e1", "e2"]),
            (BEGIN + day + 3600, vec!["e2", "s2"], "s2", vec!["e2"]),
        ] {
            let (step, _) = plan.at(UnixTime::from_secs(at).unwrap());
            assert_eq!(published(step), published_, "{at}");
            assert_eq!(step.sign_with, [sign], "{at}");
            assert_eq!(step.decrypt_with, decrypt, "{at}");
        }
        let text = serde_json::to_vec(&plan).unwrap();
        assert_eq!(Rotation::from_json(&text), Ok(plan));
    }

    #[test]
    fn one_key_stays_where_it_is() {
        let old = set(&[("s1", "sig", b'B'), ("e1", "enc", b'C')]);
        let new = set(&[("s2", "sig", b'D'), ("e1", "enc", b'C')]);
        let plan = plan(&old, &new).unwrap();
        for step in plan.steps() {
            assert_eq!(step.decrypt_with, ["e1"]);
            assert!(published(step).contains(&"e1".to_owned()));
        }
    }

    #[test]
    fn each_step_says_what_changes() {
        let set = |sig, enc| set(&[(sig, "sig", b'B'), (enc, "enc", b'C')]);
        let old = set("s1", "e1");
        for (new, publish, then) in [
            (set("s2", "e2"), PUBLISH_BOTH, SWITCH),
            (set("s2", "e1"), PUBLISH, SWITCH),
            (set("s1", "e2"), PUBLISH_BOTH, GO_ON),
        ] {
            let plan = plan(&old, &new).unwrap();
            let actions = [1, 2].map(|at: usize| plan.steps()[at].action.as_str());
            assert_eq!(actions, [publish, then]);
        }
    }

    #[test]
    fn what_is_no_rotation() {
        let old = set(&[("s1", "sig", b'B'), ("e1", "enc", b'C')]);
        for (new, expected) in [
            (old.clone(), "nothing to replace"),
            (
                set(&[("s1", "sig", b'D'), ("e1", "enc", b'C')]),
                "s1 is the kid of two keys",
            ),
            (set(&[("s2", "sig", b'D')]), "no key with use enc"),
            (set(&[("e2", "enc", b'D')]), "no key with use sig"),
            (set(&[("", "sig", b'D')]), "has no kid"),
            (
                set(&[("s2", "sig", b'D'), ("s2", "enc", b'E')]),
                "s2 is the kid of two keys",
            ),
            ("x".to_owned(), "the key set "),
            (set(&[]), "the set has no key"),
            (
                set(&[("s2", "sig", b'D'), ("e2", "enc", b'E')]).replacen(
                    "\"kty\"",
                    "\"alg\":\"PS256\",\"kty\"",
                    1,
                ),
                "the key s2 is no RSA key",
            ),
            (
                set(&[("s2\n", "sig", b'D'), ("e2", "enc", b'E')]).replacen("RSA", "EC", 1),
                "the key s2\\n is no RSA key",
            ),
            (
                json!({"keys": [{"kty": "RSA", "kid": "s2", "use": "sig", "n": "AQAB", "e": "AQAB"}]})
                    .to_string(),
                "the key s2 is no RSA key",
            ),
            (
                old.replacen("\"kty\"", "\"d\":\"AQ\",\"kty\"", 1),
                "private or secret key",
            ),
        ] {
            let error = plan(&old, &new).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        plan(&set(&[]), &old).unwrap_err();
        // A plan that would have nothing published, and so could not be missed.
        let empty =
            r#"{"steps":[{"from":0,"action":"","publish":null,"sign_with":[],"decrypt_with":[]}]}"#;
        for text in [
            "",
            "{}",
            r#"{"steps":[]}"#,
            r#"{"steps":[],"more":1}"#,
            empty,
        ] {
            let error = Rotation::from_json(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), "the text is no rotation plan");
        }
    }
}
