//! Whether a token is good, and what it allows, in the words of the server that issued it (RFC 7662).

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::jose::jws::unique_members;

/// The response to an introspection request. `Debug` does not show what the token says.
#[derive(Clone, PartialEq)]
pub struct Introspection {
    members: Map<String, Value>,
    response: Zeroizing<Vec<u8>>,
}

impl Introspection {
    /// Reads the body of an introspection response.
    ///
    /// # Errors
    ///
    /// What the answer lacks, as a clause about it.
    pub fn from_response(body: Zeroizing<Vec<u8>>) -> Result<Self, &'static str> {
        let members: Map<String, Value> = unique_members(&body)
            .map_err(|_| "the answer is not a JSON object whose members are there once")?;
        members
            .get("active")
            .and_then(Value::as_bool)
            .ok_or("active is missing in the answer (RFC 7662 section 2.2)")?;
        Ok(Self {
            members,
            response: body,
        })
    }

    /// Whether the token is good now.
    pub fn is_active(&self) -> bool {
        self.members.get("active") == Some(&Value::Bool(true))
    }

    /// What the server says about the token; of one that is not good, nothing.
    pub const fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The whole response, as the server wrote it.
    pub fn response(&self) -> &[u8] {
        &self.response
    }
}

privyseal_core::opaque_debug! { [] Introspection as it: active = it.is_active(); }

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Introspection, &'static str> {
        Introspection::from_response(Zeroizing::new(body.as_bytes().to_vec()))
    }

    #[test]
    fn good_bad_and_neither() {
        let good = read(r#"{"active":true,"scope":"email","sub":"s"}"#).unwrap();
        assert!(good.is_active());
        assert_eq!(good.members().get("scope"), Some(&"email".into()));
        assert_eq!(format!("{good:?}"), "Introspection { active: true, .. }");
        assert!(!read(r#"{"active":false}"#).unwrap().is_active());
        for body in [
            "{}",
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":null}"#,
        ] {
            assert!(read(body).unwrap_err().contains("RFC 7662"), "{body}");
        }
        let twice = r#"{"active":false,"active":true}"#;
        for body in ["", "[]", "true", "<html>", twice] {
            assert!(
                read(body).unwrap_err().contains("not a JSON object"),
                "{body}"
            );
        }
    }
}
