//! JSON of others, of which no two readers can think differently.

use std::collections::BTreeSet;

use privyseal_check::json;
use serde::de::DeserializeOwned;

/// JSON in which each member of an object is there once, also within. The error is a clause about it.
pub(crate) fn unique<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let text = core::str::from_utf8(text).map_err(|_| "is not JSON: it is not UTF-8")?;
    let value = json::Value::parse(text).map_err(|error| error.to_string())?;
    if !is_unique(&value) {
        return Err("has a member twice (RFC 8259 section 4)".to_owned());
    }
    serde_json::from_str(text).map_err(|_| "is not a JSON object".to_owned())
}

fn is_unique(value: &json::Value<'_>) -> bool {
    match value {
        json::Value::Array(array) => array.items().all(|item| is_unique(&item)),
        json::Value::Object(object) => {
            let mut names = BTreeSet::new();
            let mut members = object.members();
            members.all(|(name, value)| {
                names.insert(name.chars().flatten().collect::<String>()) && is_unique(&value)
            })
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::unique;

    #[test]
    fn a_member_is_there_once() {
        let object: Map<String, Value> =
            unique(br#"{"iss":"a","n":{"iss":"b","l":[{"iss":"\\\":"}]}}"#).unwrap();
        assert_eq!(object["iss"], "a");
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        for (text, words) in [
            (r#"{"iss":"a","iss":"b"}"#, "has a member twice"),
            (r#"{"iss":"a","\u0069ss":"a"}"#, "has a member twice"),
            (r#"{"iss":"a","n":{"a":1,"a":1}}"#, "has a member twice"),
            (r#"{"iss":"\\","n":[[{"a":{},"b":0,"a":1}]]}"#, "twice"),
            ("[]", "is not a JSON object"),
            ("{", "byte 1 should be"),
            (&deep, "should be less deeply nested"),
        ] {
            let error = unique::<Map<String, Value>>(text.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
