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

/// Whether it is such an object, in which these members are texts where they are there. Nothing of them is copied.
pub(crate) fn is_unique_with(text: &[u8], texts: &[&str]) -> bool {
    let value = core::str::from_utf8(text).map(json::Value::parse);
    let Ok(Ok(value)) = value else {
        return false;
    };
    let json::Value::Object(object) = value else {
        return false;
    };
    let is_text = |name: &&str| {
        let member = object.get(name);
        member.is_none_or(|it| matches!(it, json::Value::String(_) | json::Value::Null))
    };
    is_unique(&json::Value::Object(object)) && texts.iter().all(is_text)
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
