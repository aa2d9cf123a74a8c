//! What is asked of a provider when a person is sent there.

use privyseal_core::named;

use super::LoginError;
use crate::http::Url;
use crate::oauth::check_scope;

/// What a login asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginOptions {
    /// Where the browser comes back to, exactly as it is registered.
    pub redirect_uri: String,
    /// What is asked for: scopes with one space between them, `openid` among them.
    pub scope: String,
    /// What the provider shows.
    pub prompt: Option<Prompt>,
    /// Who is expected, in words of the provider.
    pub login_hint: Option<String>,
    /// Within how many seconds the person must have proved who they are; `auth_time` must say so.
    pub max_age: Option<u64>,
    /// Whether the request is signed (RFC 9101), so that nobody can change it on its way through the browser. A provider
    /// that demands this by its metadata gets it anyhow.
    pub signed_request: bool,
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
    /// Asks for `openid`, and for the browser to come back to `redirect_uri`.
    pub fn new(redirect_uri: impl Into<String>) -> Self {
        Self {
            redirect_uri: redirect_uri.into(),
            scope: "openid".to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn check(&self) -> Result<(), LoginError> {
        check_scope(&self.scope)?;
        if !self.scope.split(' ').any(|scope| scope == "openid") {
            return Err(LoginError::Scope);
        }
        let is_good = is_redirect_uri(&self.redirect_uri);
        is_good.then_some(()).ok_or(LoginError::RedirectUri)
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
    match scheme {
        "https" => uri.parse::<Url>().is_ok(),
        "http" => {
            let authority = rest.strip_prefix("//").unwrap_or_default();
            let authority = authority.split(['/', '?']).next().unwrap_or_default();
            let socket = authority.parse::<std::net::SocketAddr>();
            socket.is_ok_and(|socket| socket.ip().is_loopback())
        }
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
        let mut options = LoginOptions::new("https://app.example/cb");
        options.scope = "profile openid2".to_owned();
        assert!(matches!(options.check(), Err(LoginError::Scope)));
        for scope in [
            "openid ",
            "openid  a",
            "openid \"a\"",
            "openid a\\b",
            "openid ä",
            "openid\ta",
        ] {
            let mut options = LoginOptions::new("https://app.example/cb");
            options.scope = scope.to_owned();
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains("RFC 6749 section 3.3"), "{scope}: {error}");
        }
    }
}
