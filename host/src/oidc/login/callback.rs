//! What a browser came back with (RFC 6749 sections 4.1.2 and 4.1.2.1). Anybody can send a browser anywhere: nothing
//! of it counts before `state` was compared.

use std::borrow::Cow;
use std::collections::BTreeMap;

use form_urlencoded::parse;
use zeroize::Zeroizing;

use super::{LoginError, LoginState};
use crate::base::display::sanitize_for_display;
use crate::http::Url;
use crate::oauth::{OAuthError, Refusal};

/// The parameters that came, each once.
#[derive(Default)]
pub(super) struct Callback(BTreeMap<String, Zeroizing<String>>);

impl Callback {
    /// Of a whole address, or of its query.
    pub(super) fn parse(text: &str) -> Result<Self, LoginError> {
        let mut callback = Self::default();
        for (name, value) in parameters(text) {
            let value = Zeroizing::new(value.into_owned());
            if callback.0.insert(name.to_string(), value).is_some() {
                let name = sanitize_for_display(&name, None);
                let fault = format!("{name} is there twice (RFC 6749 section 3.1)");
                return Err(LoginError::Callback(fault));
            }
        }
        Ok(callback)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    /// The code that came from `endpoint`, if this is the answer to that login.
    pub(super) fn code(
        &self,
        login: &LoginState,
        iss_is_due: bool,
        endpoint: &Url,
    ) -> Result<&str, LoginError> {
        let fault = |what: &str| Err(LoginError::Callback(what.to_owned()));
        if !login.has_state(self.get("state").unwrap_or_default()) {
            return fault("state is not the one that was sent (RFC 6749 section 10.12)");
        }
        match self.get("iss") {
            Some(iss) if iss != login.0.issuer => {
                let iss = sanitize_for_display(iss, None);
                return fault(&format!(
                    "iss is {iss}, not the provider that was asked (RFC 9207 section 2.4)"
                ));
            }
            None if iss_is_due => {
                return fault(
                    "iss is missing, and the provider's metadata say that it is there (RFC 9207 section 2.4)",
                );
            }
            _ => {}
        }
        if let Some(error) = self.get("error") {
            let words = [self.get("error_description"), self.get("error_uri")];
            let secrets = [login.0.state.as_str(), &login.0.nonce];
            let refusal = Refusal::by_browser(endpoint, error, words, secrets);
            return Err(OAuthError::from(refusal).into());
        }
        match self.get("code") {
            Some(code) if !code.is_empty() => Ok(code),
            _ => fault("code is missing in the query (OpenID Connect Core section 3.1.2.5)"),
        }
    }
}

/// Of a whole address, or of its query. A code counts in the query only: where a fragment brings one, another flow was
/// asked for than ours.
fn parameters(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    // A `?` also may stand in a query; an address has none of `=` and `&` before its first one.
    let first = before.split(['=', '&']).next().unwrap_or_default();
    let query = match first.split_once('?') {
        Some((address, _)) => &before[address.len() + 1..],
        None if first.contains("://") => "",
        None => before,
    };
    let fragment = parse(fragment.as_bytes()).filter(|(name, _)| name != "code");
    parse(query.as_bytes()).chain(fragment)
}

impl LoginState {
    /// Whether what a browser came back with is the answer to this login, a no included, or one that cannot be used: for
    /// one who waits for several. Nobody else knows its state.
    pub fn is_answered_by(&self, callback: &str) -> bool {
        parameters(callback).any(|(name, value)| name == "state" && self.has_state(&value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::http::BaseUrl;
    use crate::oauth::Diagnosis;
    use crate::oidc::login::LoginOptions;

    const ISSUER: &str = "https://idp.example/v2";

    fn login() -> LoginState {
        LoginState::new(ISSUER, &LoginOptions::new("https://app.example/cb")).unwrap()
    }

    fn code(callback: &str, login: &LoginState, iss_is_due: bool) -> Result<String, LoginError> {
        let base: BaseUrl = "https://idp.example".parse().unwrap();
        let endpoint = base.join("/authorize").unwrap();
        let callback = Callback::parse(callback)?;
        Ok(callback.code(login, iss_is_due, &endpoint)?.to_owned())
    }

    #[test]
    fn a_code_in_an_address_or_a_query() {
        let login = login();
        let state = login.0.state.as_str();
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
        let state = login.0.state.as_str();
        let other = self::login();
        for (callback, due, words) in [
            (String::new(), false, "state is not"),
            ("code=a".to_owned(), false, "state is not"),
            ("code=a&state=".to_owned(), false, "state is not"),
            (
                format!("code=a&state={}", *other.0.state),
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
                format!("code=a&state={state}&session%5Fstate=x&session_state=x"),
                false,
                "session_state is there twice",
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
                let state = login.0.state.as_str();
                let callback = format!(
                    "https://app.example/cb{mark}error={error}&error_description=so+so%0a&state={state}"
                );
                let refused: Error = code(&callback, &login, false).unwrap_err().into();
                let refusal = refused.refusal().unwrap();
                assert_eq!(refusal.code(), Some(error));
                let needs_person = refusal.diagnosis() == Diagnosis::LoginRequired;
                assert_eq!(needs_person, error == "login_required");
                let text = refusal.to_string();
                assert!(text.contains(words), "{text}");
                assert!(text.ends_with("the server says: so so\\n"), "{text}");
            }
        }
    }
}
