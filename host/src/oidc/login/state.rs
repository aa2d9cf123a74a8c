//! What must be kept between the two halves of a login.

use privyseal_core::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{CLOCK_LEEWAY, ID_TOKEN, LIFETIME, LoginError, LoginOptions};
use crate::base::seal::SealKey;
use crate::base::{BaseError, clock, entropy};
use crate::jose::JoseError;
use crate::jose::jws::moment;

/// What a sealed one is for.
const PURPOSE: &str = "privyseal login 1";

/// One login that was started: for one browser, and for one answer. `Debug` shows none of its secrets.
pub struct LoginState(pub(super) Kept);

/// What is kept, in the shape in which it is sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) issuer: String,
    pub(super) state: Zeroizing<String>,
    pub(super) nonce: Zeroizing<String>,
    pub(super) verifier: Zeroizing<String>,
    pub(super) redirect_uri: String,
    started_at: u64,
    max_age: Option<u64>,
}

impl LoginState {
    pub(super) fn new(issuer: &str, options: &LoginOptions) -> Result<Self, BaseError> {
        Ok(Self(Kept {
            issuer: issuer.to_owned(),
            state: entropy::secret()?,
            nonce: entropy::secret()?,
            verifier: entropy::secret()?,
            redirect_uri: options.redirect_uri.clone(),
            started_at: clock::now()?.as_secs(),
            max_age: options.max_age,
        }))
    }

    /// Encrypted, for a cookie or a database. `binding` is what else must be the same when it is opened: the
    /// browser's session, where it is not stored there.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`] if there is no randomness.
    pub fn seal(&self, key: &SealKey, binding: &[u8]) -> Result<String, LoginError> {
        Ok(key.seal(PURPOSE, binding, &self.0)?)
    }

    /// Opens what [`LoginState::seal`] made. Then it should be removed where it was stored: it is for one answer.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`] around [`BaseError::Sealed`].
    pub fn open(sealed: &str, key: &SealKey, binding: &[u8]) -> Result<Self, LoginError> {
        Ok(Self(key.open(PURPOSE, binding, sealed)?))
    }

    pub(super) fn has_state(&self, state: &str) -> bool {
        self.0.state.as_bytes().ct_eq(state.as_bytes()).into()
    }

    /// It is of now.
    pub(super) fn judge_start(&self, now: UnixTime) -> Result<(), LoginError> {
        let seconds = now.as_secs().saturating_sub(self.0.started_at);
        if seconds > LIFETIME {
            return Err(LoginError::Expired { seconds });
        }
        Ok(())
    }

    /// OpenID Connect Core section 3.1.3.7, point 13.
    pub(super) fn judge_age(
        &self,
        claims: &Map<String, Value>,
        now: UnixTime,
    ) -> Result<(), JoseError> {
        let Some(max_age) = self.0.max_age else {
            return Ok(());
        };
        let now = now.as_secs();
        let fault = match moment(claims, "auth_time").map_err(|error| error.of(ID_TOKEN))? {
            None => {
                "is missing, and max_age was asked for (OpenID Connect Core section 2)".to_owned()
            }
            Some(at) if at > now.saturating_add(CLOCK_LEEWAY) => {
                format!("is {} s ahead of the clock here", at - now)
            }
            Some(at) => match now.saturating_sub(at) {
                age if age <= max_age.saturating_add(CLOCK_LEEWAY) => return Ok(()),
                age => format!(
                    "says that the person logged in {age} s ago, and {max_age} s was asked for"
                ),
            },
        };
        Err(JoseError::claim("auth_time", fault).of(ID_TOKEN))
    }
}

privyseal_core::opaque_debug! { [] LoginState; }

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ISSUER: &str = "https://idp.example/\"v2\"";

    fn state() -> LoginState {
        let mut options = LoginOptions::new("https://app.example/cb");
        options.max_age = Some(60);
        LoginState::new(ISSUER, &options).unwrap()
    }

    #[test]
    fn a_stored_login_goes_on_elsewhere() {
        let (state, key) = (state(), SealKey::generate().unwrap());
        let sealed = state.seal(&key, b"browser").unwrap();
        let opened = LoginState::open(&sealed, &key, b"browser").unwrap();
        assert_eq!(
            (&opened.0.state, &opened.0.nonce, &opened.0.verifier),
            (&state.0.state, &state.0.nonce, &state.0.verifier)
        );
        assert_eq!(opened.0.issuer, ISSUER);
        assert_eq!(opened.0.redirect_uri, "https://app.example/cb");
        assert!(opened.is_answered_by(&format!("error=x&state={}", *state.0.state)));
        assert!(sealed.len() < 1024, "{} bytes fit a cookie", sealed.len());
        for error in [
            LoginState::open(&sealed, &key, b"another"),
            LoginState::open(&sealed, &SealKey::generate().unwrap(), b"browser"),
            LoginState::open("", &key, b"browser"),
        ] {
            assert!(error.unwrap_err().to_string().contains("cannot be opened"));
        }
    }

    #[test]
    fn no_secret_in_debug_and_none_twice() {
        let state = state();
        let shown = format!("{state:?}");
        let secrets = [&state.0.state, &state.0.nonce, &state.0.verifier];
        assert!(
            secrets
                .iter()
                .all(|secret| !shown.contains(secret.as_str()))
        );
        assert!(secrets.iter().all(|secret| secret.len() == 43));
        let all: std::collections::HashSet<_> = secrets.map(|it| it.as_str()).into();
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn it_is_of_now() {
        let state = state();
        let at = |seconds| UnixTime::from_secs(state.0.started_at + seconds).unwrap();
        state.judge_start(at(LIFETIME)).unwrap();
        let late = state.judge_start(at(LIFETIME + 1)).unwrap_err();
        assert!(matches!(late, LoginError::Expired { seconds: 3601 }));
    }

    #[test]
    fn an_old_login_is_not_taken_for_a_new_one() {
        let state = state();
        let now = UnixTime::from_secs(state.0.started_at).unwrap();
        let judge = |claims: Value| {
            let claims = claims.as_object().unwrap().clone();
            let judged = state.judge_age(&claims, now);
            judged.map_err(|error| error.to_string())
        };
        let ago = |seconds: u64| json!({"auth_time": now.as_secs() - seconds});
        judge(ago(0)).unwrap();
        judge(ago(60 + CLOCK_LEEWAY)).unwrap();
        let error = judge(ago(61 + CLOCK_LEEWAY)).unwrap_err();
        assert!(error.contains("logged in 71 s ago, and 60 s"), "{error}");
        let seconds = now.as_secs();
        judge(json!({"auth_time": seconds + CLOCK_LEEWAY})).unwrap();
        let half = format!(r#"{{"auth_time":{}.5}}"#, seconds - 1);
        judge(serde_json::from_str(&half).unwrap()).unwrap();
        for (claims, words) in [
            (json!({}), "auth_time is missing"),
            (json!({"auth_time": "now"}), "auth_time is not a number"),
            (
                json!({"auth_time": seconds + CLOCK_LEEWAY + 1}),
                "auth_time is 11 s ahead",
            ),
        ] {
            let error = judge(claims).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
