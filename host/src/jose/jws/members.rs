//! JSON objects of which no two readers can think differently.

use std::collections::BTreeSet;

use privyseal_check::json;
use serde::de::Error as _;
use serde_json::{Error, Map, Value};

/// The members of an object, each of which is there once; so it is for the objects within.
pub(crate) fn unique(text: &[u8]) -> serde_json::Result<Map<String, Value>> {
    let value = core::str::from_utf8(text).map(json::Value::parse);
    match value.map_err(Error::custom)?.map_err(Error::custom)? {
        value if is_unique(&value) => serde_json::from_slice(text),
        _ => Err(Error::custom("a member is there twice")),
    }
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
    use super::unique;

    #[test]
    fn a_member_is_there_once() {
        let object = unique(br#"{"iss":"a","n":{"iss":"b","l":[{"iss":"\\\":"}]}}"#).unwrap();
        assert_eq!(object["iss"], "a");
        for twice in [
            r#"{"iss":"a","iss":"b"}"#,
            r#"{"iss":"a","\u0069ss":"a"}"#,
            r#"{"iss":"a","n":{"a":1,"a":1}}"#,
            r#"{"iss":"\\","n":[[{"a":{},"b":0,"a":1}]]}"#,
            "[]",
            "{",
        ] {
            assert!(unique(twice.as_bytes()).is_err(), "{twice}");
        }
    }
}
