//! What is asked of a provider when a person is sent there.

use privyseal_core::named;

use super::LoginError;
use crate::oauth::check_scope;

/// What a login asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginOptions {
    redirect_uri: String,
    scope: String,
    prompt: Option<Prompt>,
    login_hint: Option<String>,
    max_age: Option<u64>,
    signed: bool,
}

named! {
    /// What the provider shows the person (OpenID Connect Core section 3.1.2.1), named as in the parameter.
    #[non_exhaustive]
    pub enum Prompt {
        /// Nothing: who is not logged in already comes back with an error.
        None = "none",
        /// The login, also to who is logged in. At eHealth the person chooses a profile again.
        Login = "login",
        /// The question whether this client may know what it asks for.
        Consent = "consent",
        /// The choice between several accounts.
        SelectAccount = "select_account",
    }
}

impl LoginOptions {
    /// Asks for `openid`, and for the browser to come back to `redirect_uri`, exactly as it is registered.
    pub fn new(redirect_uri: impl Into<String>) -> Self {
        Self {
            redirect_uri: redirect_uri.into(),
            scope: "openid".to_owned(),
            prompt: None,
            login_hint: None,
            max_age: None,
            signed: false,
        }
    }

    /// Asks for these scopes, with one space between them, `openid` among them.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Has the provider show this.
    #[must_use]
    pub const fn prompt(mut self, prompt: Prompt) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// Says who is expected, in words of the provider.
    #[must_use]
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Signs the request (RFC 9101), so that nobody can change it on its way through the browser. A provider that demands
    /// this by its metadata gets it anyhow.
    #[must_use]
    pub const fn signed_request(mut self) -> Self {
        self.signed = true;
        self
    }

    /// Wants the person to have proved who they are within so many seconds; `auth_time` must say so.
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.max_age = Some(seconds);
        self
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub(super) fn scopes(&self) -> &str {
        &self.scope
    }

    pub(super) const fn oldest(&self) -> Option<u64> {
        self.max_age
    }

    pub(super) const fn is_signed(&self) -> bool {
        self.signed
    }

    pub(super) fn prompt_name(&self) -> Option<&'static str> {
        self.prompt.map(Prompt::name)
    }

    pub(super) fn hint(&self) -> Option<&str> {
        self.login_hint.as_deref()
    }

    /// The parameters that not every login has.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        let prompt = self.prompt.map(|prompt| prompt.name().to_owned());
        let max_age = self.max_age.map(|seconds| seconds.to_string());
        [
            ("prompt", prompt),
            ("login_hint", self.login_hint.clone()),
            ("max_age", max_age),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    pub(super) fn check(&self) -> Result<(), LoginError> {
        check_scope(&self.scope)?;
        if !self.scope.split(' ').any(|scope| scope == "openid") {
            return Err(LoginError::Scope);
        }
        if is_redirect_uri(&self.redirect_uri) {
            Ok(())
        } else {
            Err(LoginError::RedirectUri)
        }
    }
}

/// `https`; `http` on loopback by its address (RFC 8252 sections 7.3 and 8.3); or a scheme of an application, which
/// has a dot in it (section 7.1). No fragment (RFC 6749 section 3.1.2).
fn is_redirect_uri(uri: &str) -> bool {
    let visible = uri
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\');
    let Some((scheme, rest)) = uri.split_once(':').filter(|_| visible) else {
        return false;
    };
    let authority = rest
        .strip_prefix("//")
        .map(|rest| rest.split(['/', '?']).next().unwrap_or_default())
        .filter(|authority| !authority.is_empty() && !authority.contains('@'));
    match scheme {
        "https" => authority.is_some(),
        "http" => authority.is_some_and(|authority| {
            let socket = authority.parse::<std::net::SocketAddr>();
            socket.is_ok_and(|socket| socket.ip().is_loopback())
        }),
        other => {
            other.contains('.')
                && other
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_browser_may_come_back_to() {
        for uri in [
            "https://app.example/cb",
            "https://app.example?x=1",
            "http://127.0.0.1:8443/cb",
            "http://[::1]:1/",
            "be.example.app:/cb",
        ] {
            LoginOptions::new(uri).check().unwrap();
        }
        for uri in [
            "",
            "app.example/cb",
            "https:///cb",
            "https://app.example/cb#x",
            "https://app.example/a b",
            "https://user@app.example/cb",
            "http://app.example/cb",
            "http://localhost:1/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            let error = LoginOptions::new(uri).check().unwrap_err();
            assert!(matches!(error, LoginError::RedirectUri), "{uri}");
        }
        let options = LoginOptions::new("https://app.example/cb").scope("profile openid2");
        assert!(matches!(options.check(), Err(LoginError::Scope)));
        for scope in [
            "openid ",
            "openid  a",
            "openid \"a\"",
            "openid a\\b",
            "openid ä",
            "openid\ta",
        ] {
            let options = LoginOptions::new("https://app.example/cb").scope(scope);
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains("RFC 6749 section 3.3"), "{scope}: {error}");
        }
    }
}
