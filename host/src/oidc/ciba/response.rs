//! What the provider's responses mean.

use core::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::jose::jws::unique_members;

/// The longest `auth_req_id`, in characters. CIBA Core names no bound; Keycloak's is a JWE around a JWS and
/// has about 1,400.
pub(super) const MAX_AUTH_REQ_ID: usize = 4096;

/// The longest that a request may wait for a person: a day, as `requested_expiry` may ask for.
const MAX_EXPIRES_IN: u64 = privyseal_core::limits::MAX_REQUESTED_EXPIRY_SECONDS;

/// A successful response of the backchannel authentication endpoint (CIBA Core section 7.3).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Acknowledgement {
    /// `auth_req_id`: names the request where its tokens are asked for. Not for logs.
    pub auth_req_id: Zeroizing<String>,
    /// `expires_in`: how long it may take.
    pub expires_in: Duration,
    /// `interval`: how often may be asked.
    pub interval: Option<Duration>,
}

impl Acknowledgement {
    /// Reads it. The error is a clause about it.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let answer: Value = unique_members(body).map_err(|fault| format!("the answer {fault}"))?;
        let id = answer["auth_req_id"]
            .as_str()
            .ok_or("auth_req_id is missing in the answer (CIBA Core section 7.3)")?;
        let fits = !id.is_empty()
            && id.len() <= MAX_AUTH_REQ_ID
            && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(format!(
                "auth_req_id has {} characters, and must be 1 to {MAX_AUTH_REQ_ID} of visible ASCII \
                 (CIBA Core section 7.3)",
                id.chars().count()
            ));
        }
        let expires_in = answer["expires_in"].as_u64().filter(|seconds| *seconds > 0);
        let expires_in = expires_in
            .ok_or("expires_in is not a positive integer in the answer (CIBA Core section 7.3)")?;
        Ok(Self {
            auth_req_id: Zeroizing::new(id.to_owned()),
            expires_in: Duration::from_secs(expires_in.min(MAX_EXPIRES_IN)),
            interval: interval_of(&answer),
        })
    }
}

/// `interval` of a response, in whole seconds.
pub(super) fn interval_of(answer: &Value) -> Option<Duration> {
    answer["interval"].as_u64().map(Duration::from_secs)
}

privyseal_core::opaque_debug! { [] Acknowledgement: expires_in, interval; }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn itsmes_acknowledgement() {
        let body = br#"{"auth_req_id":"1c266114-a1be-4252","expires_in":120,"interval":2}"#;
        let read = Acknowledgement::read(body).unwrap();
        assert_eq!(read.auth_req_id.as_str(), "1c266114-a1be-4252");
        assert_eq!(read.expires_in, Duration::from_secs(120));
        assert_eq!(read.interval, Some(Duration::from_secs(2)));
        assert!(!format!("{read:?}").contains("1c266114"));
        let body = br#"{"auth_req_id":"a","expires_in":99999999999}"#;
        let read = Acknowledgement::read(body).unwrap();
        assert_eq!(read.expires_in, Duration::from_secs(MAX_EXPIRES_IN));
        assert_eq!(read.interval, None);
    }

    #[test]
    fn the_longest_auth_req_id_and_one_more() {
        let read = |len| {
            let id = "x".repeat(len);
            let body = format!(r#"{{"auth_req_id":"{id}","expires_in":1}}"#);
            Acknowledgement::read(body.as_bytes())
        };
        assert!(read(MAX_AUTH_REQ_ID).is_ok());
        let error = read(MAX_AUTH_REQ_ID + 1).unwrap_err();
        assert!(error.contains("has 4097 characters"), "{error}");
    }

    #[test]
    fn what_is_no_acknowledgement() {
        for (body, words) in [
            ("[", "not JSON"),
            (
                r#"{"auth_req_id":"a","auth_req_id":"b","expires_in":1}"#,
                "has a member twice",
            ),
            (r#"{"expires_in":1}"#, "auth_req_id is missing"),
            (
                r#"{"auth_req_id":"a b","expires_in":1}"#,
                "auth_req_id has 3 characters",
            ),
            (r#"{"auth_req_id":"a"}"#, "expires_in"),
            (r#"{"auth_req_id":"a","expires_in":0}"#, "expires_in"),
            (r#"{"auth_req_id":"a","expires_in":"120"}"#, "expires_in"),
        ] {
            let error = Acknowledgement::read(body.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
