//! itsme's user discovery: which person is meant, before they are asked anything.
//!
//! `POST /user_discovery_sessions` gives a session and a QR code; `POST /user_discovery_sessions/{id}` asks
//! whether somebody has scanned it, and may give another QR code to show instead.

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use privyseal_core::UnixTime;
use privyseal_core::limits::MAX_USER_IDENTIFIER_TOKEN;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::base::display::sanitize_for_display;
use crate::jose::jws::unique_members;
use crate::oauth::form_body;
use crate::oidc::ciba::response::interval_of;
use crate::oidc::provider::MAX_AHEAD;

/// Where sessions are made, below the issuer.
pub(super) const PATH: &str = "/user_discovery_sessions";

/// How long a session is asked for. itsme: "Stop polling after 10 min"; it answers HTTP 400 after 15.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);

/// The longest id of a session, in bytes. It becomes part of a URL, each byte as three characters at most.
const MAX_SESSION_ID: usize = 512;

/// The image of a QR code as the server gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct QrImage {
    image: Vec<u8>,
    expires_at: Option<UnixTime>,
}

/// What a session says of itself.
#[derive(PartialEq, Eq)]
pub(super) enum Session {
    /// Nobody has scanned the code.
    Pending {
        /// The session's id; fit for a path.
        id: String,
        /// The code to show from now on; none means that the last one is still good.
        qr: Option<QrImage>,
        /// When to ask again.
        interval: Option<Duration>,
    },
    /// Somebody has: the `user_identifier_token`, which stands for one person in one authentication.
    Discovered(Zeroizing<String>),
}

impl Session {
    /// Reads a response, of the session `known` where one was asked. The error is a clause about it.
    pub(super) fn read(body: &[u8], known: Option<&str>) -> Result<Self, String> {
        let answer: Value = unique_members(body).map_err(|fault| format!("the answer {fault}"))?;
        let text = |name: &str| answer[name].as_str();
        let id = text("user_discovery_session_id");
        if id.is_some() && known.is_some_and(|known| id != Some(known)) {
            return Err("user_discovery_session_id is not the one that was asked".to_owned());
        }
        match text("status") {
            Some("PENDING_USER_DISCOVERY") => Ok(Self::Pending {
                id: session_id(id)?,
                qr: qr_code(&answer)?,
                interval: interval_of(&answer),
            }),
            Some("USER_DISCOVERED") => {
                let token = text("user_identifier_token")
                    .ok_or("user_identifier_token is missing in the answer")?;
                if token.is_empty() || token.len() > MAX_USER_IDENTIFIER_TOKEN {
                    return Err(format!(
                        "user_identifier_token has {} characters, and may have 1 to \
                         {MAX_USER_IDENTIFIER_TOKEN}",
                        token.len()
                    ));
                }
                Ok(Self::Discovered(Zeroizing::new(token.to_owned())))
            }
            Some(other) => Err(format!(
                "status is {}, and is PENDING_USER_DISCOVERY or USER_DISCOVERED in itsme's document",
                sanitize_for_display(other, None)
            )),
            None => Err("status is missing in the answer".to_owned()),
        }
    }
}

/// It goes into a path, so it must not be able to leave it, encoded or not.
fn session_id(id: Option<&str>) -> Result<String, String> {
    let id = id.ok_or("user_discovery_session_id is missing in the answer")?;
    let only_dots = id.bytes().all(|byte| byte == b'.');
    if only_dots || id.len() > MAX_SESSION_ID {
        return Err(format!(
            "user_discovery_session_id is not 1 to {MAX_SESSION_ID} bytes of which one is no dot"
        ));
    }
    Ok(id.to_owned())
}

/// Where the session of that id is, below the issuer.
pub(super) fn path_of(id: &str) -> String {
    let encoded = form_body([("", id)].into_iter());
    let encoded = String::from_utf8_lossy(&encoded);
    format!("{PATH}/{}", encoded.trim_start_matches('='))
}

/// In `user_discovery_token` as in itsme's example, or beside `status` as in its table.
fn qr_code(answer: &Value) -> Result<Option<QrImage>, String> {
    let inner = &answer["user_discovery_token"];
    let member = |name: &str| inner.get(name).or_else(|| answer.get(name));
    let Some(text) = member("qr_code") else {
        return Ok(None);
    };
    let expires_at = member("expires_at").and_then(|at| moment(at.as_str()?));
    let bad = || "qr_code is not a JPEG or PNG image in base64 (RFC 4648 section 4)".to_owned();
    let text = text.as_str().ok_or_else(bad)?;
    let image = Base64::decode_vec(text).map_err(|_| bad())?;
    if !(image.starts_with(b"\xff\xd8\xff") || image.starts_with(b"\x89PNG")) {
        return Err(bad());
    }
    Ok(Some(QrImage { image, expires_at }))
}

/// `YYYY-MM-DDThh:mm:ssZ`; anything else says nothing.
fn moment(text: &str) -> Option<UnixTime> {
    let moment: der::DateTime = text.parse().ok()?;
    UnixTime::from_secs(moment.unix_duration().as_secs()).ok()
}

impl QrImage {
    /// The file: JPEG in itsme's example.
    pub fn as_bytes(&self) -> &[u8] {
        &self.image
    }

    /// Whether it is worth nothing at `now`, by clocks that differ.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        let end = self.expires_at.map(|end| end.saturating_add(MAX_AHEAD));
        end.is_some_and(|end| end < now)
    }

    /// From when on it is worth nothing, where the provider says so. Another one comes before, mostly.
    pub const fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }
}

privyseal_core::opaque_debug! {
    [] QrImage: expires_at;
    [] Session;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Session, String> {
        Session::read(body.as_bytes(), None)
    }

    #[test]
    fn itsmes_examples() {
        let pending = read(
            r#"{"user_discovery_session_id":"abcdef","status":"PENDING_USER_DISCOVERY",
            "user_discovery_token":{"qr_code":"/9j/4AAQ","expires_at":"2025-01-01T00:00:00Z"}}"#,
        );
        let Ok(Session::Pending { id, qr, interval }) = pending else {
            panic!("{pending:?}");
        };
        assert_eq!((id.as_str(), interval), ("abcdef", None));
        let qr = qr.unwrap();
        assert_eq!(qr.as_bytes()[..2], [0xff, 0xd8], "a JPEG");
        let until = qr.expires_at().unwrap();
        assert_eq!(until.to_string(), "2025-01-01T00:00:00Z");
        for (later, is_over) in [(MAX_AHEAD, false), (MAX_AHEAD + 1, true)] {
            assert_eq!(qr.is_over(until.saturating_add(later)), is_over);
        }
        for (text, expected) in [
            ("1970-01-01T00:00:09Z", Some(9)),
            ("soon", None),
            ("2025-01-01", None),
        ] {
            assert_eq!(moment(text).map(UnixTime::as_secs), expected, "{text}");
        }
        let discovered = read(
            r#"{"user_discovery_session_id":"abcdef","status":"USER_DISCOVERED",
            "user_identifier_token":"s3cret"}"#,
        );
        assert!(!format!("{discovered:?}").contains("s3cret"));
        let token = Zeroizing::new("s3cret".to_owned());
        assert_eq!(discovered, Ok(Session::Discovered(token)));
    }

    #[test]
    fn the_code_may_stand_beside_the_status_or_be_the_last_one() {
        let start = r#"{"user_discovery_session_id":"a","status":"PENDING_USER_DISCOVERY""#;
        for (more, has_qr) in [(r#","qr_code":"/9j/","interval":2}"#, true), ("}", false)] {
            let Ok(Session::Pending { qr, .. }) = read(&format!("{start}{more}")) else {
                panic!("{more}");
            };
            assert_eq!(qr.is_some(), has_qr);
        }
    }

    /// Ids are opaque: none leads elsewhere.
    #[test]
    fn an_id_is_one_part_of_a_path() {
        for (id, path) in [
            ("abc-_~9", "/user_discovery_sessions/abc-_%7E9"),
            ("a+b/c=", "/user_discovery_sessions/a%2Bb%2Fc%3D"),
            ("urn:x:1", "/user_discovery_sessions/urn%3Ax%3A1"),
            (
                "../token?x#y",
                "/user_discovery_sessions/..%2Ftoken%3Fx%23y",
            ),
            ("=a", "/user_discovery_sessions/%3Da"),
        ] {
            assert_eq!(path_of(session_id(Some(id)).unwrap().as_str()), path);
        }
        assert!(session_id(Some(&"x".repeat(512))).is_ok());
    }

    #[test]
    fn what_is_no_session() {
        let found = br#"{"status":"USER_DISCOVERED","user_discovery_session_id":"b","user_identifier_token":"t"}"#;
        let error = Session::read(found, Some("a")).unwrap_err();
        assert!(error.contains("not the one that was asked"), "{error}");
        assert!(Session::read(found, Some("b")).is_ok());
        let pending = r#""status":"PENDING_USER_DISCOVERY""#;
        for (body, words) in [
            ("<html>".to_owned(), "not JSON"),
            (
                r#"{"user_identifier_token":"a","user_identifier_token":"b"}"#.to_owned(),
                "has a member twice",
            ),
            ("{}".to_owned(), "status is missing"),
            (r#"{"status":"GONE"}"#.to_owned(), "status is GONE"),
            (format!("{{{pending}}}"), "session_id is missing"),
            (
                format!(r#"{{{pending},"user_discovery_session_id":".."}}"#),
                "of which one is no dot",
            ),
            (
                format!(r#"{{{pending},"user_discovery_session_id":""}}"#),
                "of which one is no dot",
            ),
            (
                format!(
                    r#"{{{pending},"user_discovery_session_id":"{}"}}"#,
                    "x".repeat(513)
                ),
                "not 1 to 512 bytes",
            ),
            (
                format!(r#"{{{pending},"user_discovery_session_id":"a","qr_code":"?"}}"#),
                "not a JPEG or PNG image",
            ),
            (
                format!(r#"{{{pending},"user_discovery_session_id":"a","qr_code":"PHN2Zz4="}}"#),
                "not a JPEG or PNG image",
            ),
            (
                r#"{"status":"USER_DISCOVERED"}"#.to_owned(),
                "user_identifier_token is missing",
            ),
            (
                format!(
                    r#"{{"status":"USER_DISCOVERED","user_identifier_token":"{}"}}"#,
                    "t".repeat(MAX_USER_IDENTIFIER_TOKEN + 1)
                ),
                "1025 characters",
            ),
        ] {
            let error = read(&body).unwrap_err();
            assert!(error.contains(words), "{body}: {error}");
        }
    }
}
