//! JSON objects of which no two readers can think differently.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The members of an object, each there once (RFC 7515 section 4; RFC 7519 section 4).
pub(crate) fn unique(text: &[u8]) -> serde_json::Result<Map<String, Value>> {
    serde_json::from_slice::<Members>(text).map(|members| members.0)
}

struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Each)
    }
}

struct Each;

impl<'de> Visitor<'de> for Each {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn a_member_is_there_once() {
        let object = unique(br#"{"iss":"a","n":{"iss":"b"}}"#).unwrap();
        assert_eq!(object["iss"], "a");
        for twice in [
            r#"{"iss":"a","iss":"b"}"#,
            r#"{"iss":"a","\u0069ss":"a"}"#,
            "[]",
            "{",
        ] {
            assert!(unique(twice.as_bytes()).is_err(), "{twice}");
        }
    }
}
