//! What a browser came back with (RFC 6749 sections 4.1.2 and 4.1.2.1). Anybody can send a browser anywhere: nothing
//! of it counts before `state` was compared.

use form_urlencoded::parse;
use zeroize::Zeroizing;

use super::{AuthorizationRefusal, CallbackFault, LoginError, LoginState};
use crate::base::display::sanitize_for_display;

/// The parameters that count.
#[derive(Default)]
pub(super) struct Callback {
    code: Option<Zeroizing<String>>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    error_uri: Option<String>,
}

impl Callback {
    /// Of a whole address, or of its query. A code counts in the query only: where a fragment brings one, another
    /// flow was asked for than ours.
    pub(super) fn parse(text: &str) -> Result<Self, CallbackFault> {
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        // A `?` also may stand in a query; an address has none of `=` and `&` before its first one.
        let first = before.split(['=', '&']).next().unwrap_or_default();
        let query = match first.split_once('?') {
            Some((address, _)) => &before[address.len() + 1..],
            None if first.contains("://") => "",
            None => before,
        };
        let mut callback = Self::default();
        callback.read(query, false)?;
        callback.read(fragment, true)?;
        Ok(callback)
    }

    fn read(&mut self, text: &str, is_fragment: bool) -> Result<(), CallbackFault> {
        for (name, value) in parse(text.as_bytes()) {
            let (known, place) = match &*name {
                "code" if is_fragment => continue,
                "code" => {
                    let code = Zeroizing::new(value.into_owned());
                    match self.code.replace(code) {
                        Some(_) => return Err(CallbackFault::Twice("code")),
                        None => continue,
                    }
                }
                "state" => ("state", &mut self.state),
                "iss" => ("iss", &mut self.iss),
                "error" => ("error", &mut self.error),
                "error_description" => ("error_description", &mut self.error_description),
                "error_uri" => ("error_uri", &mut self.error_uri),
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(CallbackFault::Twice(known));
            }
        }
        Ok(())
    }

    /// `state`.
    pub(super) fn state(&self) -> &str {
        self.state.as_deref().unwrap_or_default()
    }

    /// The code, if this is the answer to that login.
    pub(super) fn code(
        self,
        login: &LoginState,
        iss_is_due: bool,
    ) -> Result<Zeroizing<String>, LoginError> {
        if !login.has_state(self.state()) {
            return Err(CallbackFault::State.into());
        }
        match self.iss {
            Some(iss) if iss != login.issuer() => return Err(CallbackFault::Issuer(iss).into()),
            None if iss_is_due => return Err(CallbackFault::NoIssuer.into()),
            _ => {}
        }
        if let Some(error) = self.error {
            let secrets = [login.state(), login.nonce()];
            let shown = |text: String| sanitize_for_display(&text, secrets);
            return Err(LoginError::Refused(Box::new(AuthorizationRefusal {
                code: shown(error),
                description: self.error_description.map(shown),
                uri: self.error_uri.map(shown),
            })));
        }
        let code = self.code.filter(|code| !code.is_empty());
        code.ok_or_else(|| CallbackFault::NoCode.into())
    }
}

impl LoginState {
    /// Whether what a browser came back with is the answer to this login, a no included: for one who waits for
    /// several.
    pub fn is_answered_by(&self, callback: &str) -> bool {
        Callback::parse(callback).is_ok_and(|callback| self.has_state(callback.state()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::login::LoginOptions;

    const ISSUER: &str = "https://idp.example/v2";

    fn login() -> LoginState {
        LoginState::new(ISSUER, &LoginOptions::new("https://app.example/cb")).unwrap()
    }

    fn code(callback: &str, login: &LoginState, iss_is_due: bool) -> Result<String, LoginError> {
        let code = Callback::parse(callback)?.code(login, iss_is_due)?;
        Ok(code.to_string())
    }

    #[test]
    fn a_code_in_an_address_or_a_query() {
        let login = login();
        let state = login.state();
        for (callback, due) in [
            (
                format!("https://app.example/cb?code=a%2Bb+c&state={state}"),
                false,
            ),
            (format!("code=a%2Bb+c&state={state}&session_state=x"), false),
            (
                format!("/cb?state={state}&code=a%2Bb+c&iss=https://idp.example/v2"),
                true,
            ),
            (
                format!("code=a%2Bb+c&iss=https%3A%2F%2Fidp.example%2Fv2&state={state}#"),
                true,
            ),
        ] {
            assert_eq!(code(&callback, &login, due).unwrap(), "a+b c", "{callback}");
        }
    }

    #[test]
    fn what_is_no_answer_to_this_login() {
        let login = login();
        let state = login.state();
        let other = self::login();
        for (callback, due, words) in [
            (String::new(), false, "state is not"),
            ("code=a".to_owned(), false, "state is not"),
            ("code=a&state=".to_owned(), false, "state is not"),
            (
                format!("code=a&state={}", other.state()),
                false,
                "state is not",
            ),
            (
                format!("code=a&state={}", &state[1..]),
                false,
                "state is not",
            ),
            ("error=access_denied".to_owned(), false, "state is not"),
            (
                format!("code=a&state={state}&state={state}"),
                false,
                "state is there twice",
            ),
            (
                format!("code=a&code=b&state={state}"),
                false,
                "code is there twice",
            ),
            (
                format!("code=a&state={state}#error=x&state={state}"),
                false,
                "state is there twice",
            ),
            (format!("code=a&state={state}"), true, "iss is missing"),
            (
                format!("code=a&state={state}&iss=https://idp.example"),
                false,
                "iss is https://idp.example, not",
            ),
            (
                format!("error=x&state={state}&iss=https://evil.example"),
                false,
                "iss is https://evil",
            ),
            (format!("state={state}"), false, "code is missing"),
            (format!("code=&state={state}"), false, "code is missing"),
            (
                format!("https://app.example/cb#code=a&state={state}"),
                false,
                "code is missing",
            ),
        ] {
            let error = code(&callback, &login, due).unwrap_err();
            assert!(
                matches!(error, LoginError::Callback(_)),
                "{callback}: {error}"
            );
            let error = error.to_string();
            assert!(error.contains(words), "{callback}: {error}");
            assert!(!error.contains(state), "{error}");
        }
    }

    /// Each row of eHealth's table (section 8.1), in the query and in the fragment.
    #[test]
    fn every_error_of_the_authorization_endpoint_is_explained() {
        let login = login();
        for (error, words) in [
            ("invalid_request", "the request lacks something"),
            (
                "unauthorized_client",
                "may not send persons there to log in",
            ),
            ("access_denied", "the person, or the server, said no"),
            ("unsupported_response_type", "does not give codes"),
            ("invalid_scope", "the scope is unknown"),
            ("server_error", "the server is in trouble"),
            ("temporarily_unavailable", "overloaded or in maintenance"),
            ("login_required", "the person is not logged in there"),
            ("weird_thing", "refused for a reason of its own"),
        ] {
            for mark in ["?", "#"] {
                let state = login.state();
                let callback = format!(
                    "https://app.example/cb{mark}error={error}&error_description=so+so%0a&state={state}"
                );
                let LoginError::Refused(refusal) = code(&callback, &login, false).unwrap_err()
                else {
                    panic!("{callback}");
                };
                assert_eq!(refusal.code(), error);
                assert_eq!(refusal.needs_person(), error == "login_required");
                let text = refusal.to_string();
                assert!(text.contains(words), "{text}");
                assert!(text.ends_with("the server says: so so\\n"), "{text}");
            }
        }
    }
}
