//! JSON objects of which no two readers can think differently.

use serde::de::Error as _;
use serde_json::{Error, Map, Value};

/// The members of an object, each there once, also in objects within (RFC 7515 section 4; RFC 7519 section 4).
pub(crate) fn unique(text: &[u8]) -> serde_json::Result<Map<String, Value>> {
    let members: Map<String, Value> = serde_json::from_slice(text)?;
    // Of members of one name one is left; in the text, each has a colon outside of strings.
    let (mut colons, mut is_string, mut is_escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_string = !is_string,
            b':' if !is_string => colons = colons.saturating_add(1),
            _ => {}
        }
    }
    let left = members.values().map(count).sum::<usize>();
    if colons > left.saturating_add(members.len()) {
        return Err(Error::custom("a member is there twice"));
    }
    Ok(members)
}

/// The members of all objects in it.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => {
            let within = members.values().map(count).sum::<usize>();
            within.saturating_add(members.len())
        }
        _ => 0,
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
