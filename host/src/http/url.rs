//! Where requests may go: `https`, one host, nothing hidden in the address.

use core::fmt;
use core::str::FromStr;

use ureq::http::Uri;
use ureq::http::uri::Authority;

/// The longest URL that is accepted, in bytes; what proxies and servers commonly take.
pub const MAX_URL: usize = 2048;

/// An `https` base URL: a host, perhaps a port and a path; no user name, query or fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: String,
    token_path: Option<String>,
}

/// Why an address is not one to which an assertion or an access token may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Longer than [`MAX_URL`].
    #[error("the URL is longer than {MAX_URL} bytes")]
    TooLong,
    /// Not a URL with a host (RFC 3986 section 3).
    #[error("the text is not a URL with a host (RFC 3986 section 3)")]
    Malformed,
    /// Not `https`. RFC 6749 section 3.2: the token endpoint requires TLS.
    #[error(
        "the URL is not https: assertions and access tokens travel over TLS only (RFC 6749 section 3.2)"
    )]
    NotHttps,
    /// A user name or password stands in it; they would end up in logs.
    #[error("the URL has a user name in it, which is not supported")]
    UserInfo,
    /// A query or fragment stands where a base URL ends.
    #[error("the URL has a query or fragment; a base URL ends with its path")]
    Query,
    /// A path below a base URL starts with `/` and stays on its host.
    #[error("the path must start with one / and have no blanks or control characters")]
    Path,
}

impl BaseUrl {
    /// The URL of `path`, which starts with `/`, below this base.
    ///
    /// # Errors
    ///
    /// [`UrlError::Path`] and [`UrlError::TooLong`].
    pub fn join(&self, path: &str) -> Result<Url, UrlError> {
        let is_path = path.starts_with('/')
            && !path.starts_with("//")
            && path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\');
        if !is_path {
            return Err(UrlError::Path);
        }
        let text = format!("{}{path}", self.url);
        if text.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        // Once joined it must still be what the HTTP client will understand it to be.
        text.parse::<Uri>().map_err(|_| UrlError::Path)?;
        Ok(Url(text))
    }

    /// The same, whose token endpoint is at this path instead of the scheme's.
    ///
    /// # Errors
    ///
    /// As [`BaseUrl::join`].
    pub fn token_path(mut self, path: &str) -> Result<Self, UrlError> {
        self.join(path)?;
        self.token_path = Some(path.to_owned());
        Ok(self)
    }

    /// The token endpoint, which is at `path` unless the base says otherwise.
    ///
    /// # Errors
    ///
    /// As [`BaseUrl::join`].
    pub fn token_endpoint(&self, path: &str) -> Result<Url, UrlError> {
        self.join(self.token_path.as_deref().unwrap_or(path))
    }

    /// The text, without a trailing `/`.
    pub fn as_str(&self) -> &str {
        &self.url
    }
}

impl FromStr for BaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        // The parser drops a fragment silently.
        if text.len() <= MAX_URL && text.contains(['#', '?']) {
            return Err(UrlError::Query);
        }
        let (authority, uri) = https(text)?;
        let path = uri.path().trim_end_matches('/');
        Ok(Self {
            url: format!("https://{authority}{path}"),
            token_path: None,
        })
    }
}

/// The host, perhaps with a port, of an `https` URL that hides no user name.
fn https(text: &str) -> Result<(Authority, Uri), UrlError> {
    whole(text, |scheme| scheme == "https")
}

fn whole(text: &str, is_allowed: fn(&str) -> bool) -> Result<(Authority, Uri), UrlError> {
    if text.len() > MAX_URL {
        return Err(UrlError::TooLong);
    }
    let uri: Uri = text.parse().map_err(|_| UrlError::Malformed)?;
    match uri.scheme_str() {
        Some(scheme) if is_allowed(scheme) => {}
        Some(_) => return Err(UrlError::NotHttps),
        None => return Err(UrlError::Malformed),
    }
    let authority = uri.authority().ok_or(UrlError::Malformed)?.clone();
    if authority.as_str().contains('@') {
        return Err(UrlError::UserInfo);
    }
    if authority.host().is_empty() {
        return Err(UrlError::Malformed);
    }
    Ok((authority, uri))
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

privyseal_core::opaque_debug! {
    [] BaseUrl: url;
    [] Url as it: url = it.without_query();
}

/// An `https` URL of one resource: below a [`BaseUrl`], or as a provider's metadata name it.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl FromStr for Url {
    type Err = UrlError;

    /// A whole URL. It may have a query, and no user name or fragment.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.len() <= MAX_URL && text.contains('#') {
            return Err(UrlError::Query);
        }
        https(text).map(|_| Self(text.to_owned()))
    }
}

impl Url {
    /// One that may also be `http`: what is there is signed, and reading it by TLS could ask for itself (RFC 5280
    /// section 8).
    pub(super) fn of_signed_data(text: &str) -> Result<Self, UrlError> {
        let whole = whole(text, |scheme| matches!(scheme, "http" | "https"));
        whole.map(|_| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scheme, the host and, where it has one, the port.
    pub fn origin(&self) -> &str {
        let end = self.0.match_indices(['/', '?']).map(|(at, _)| at);
        let end = end.filter(|at| *at > "https://".len()).min();
        end.and_then(|end| self.0.get(..end)).unwrap_or(&self.0)
    }

    /// The host, without a port.
    pub fn host(&self) -> &str {
        let authority = self.origin().split_once("://").map_or("", |(_, it)| it);
        // A colon may also stand in an IPv6 address, in brackets.
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    /// The text without its query, which may hold what messages should not.
    pub fn without_query(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.without_query())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_with_one_slash() {
        for base in [
            "https://example.org/fiam/api/v1",
            "https://example.org/fiam/api/v1/",
        ] {
            let base: BaseUrl = base.parse().unwrap();
            let url = base.join("/oauth/token").unwrap();
            assert_eq!(url.as_str(), "https://example.org/fiam/api/v1/oauth/token");
        }
        let base: BaseUrl = "https://[::1]:8443".parse().unwrap();
        assert_eq!(
            base.join("/a?b=c").unwrap().as_str(),
            "https://[::1]:8443/a?b=c"
        );
        assert_eq!(
            base.join("/a?b=c").unwrap().to_string(),
            "https://[::1]:8443/a"
        );
    }

    #[test]
    fn only_https_without_extras() {
        for (text, error) in [
            ("http://example.org", UrlError::NotHttps),
            ("ftp://example.org", UrlError::NotHttps),
            ("example.org", UrlError::Malformed),
            ("/path", UrlError::Malformed),
            ("", UrlError::Malformed),
            ("https://", UrlError::Malformed),
            ("https://user:pw@example.org", UrlError::UserInfo),
            ("https://example.org/?x", UrlError::Query),
            ("https://example.org/#x", UrlError::Query),
            ("https://exa mple.org", UrlError::Malformed),
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(error), "{text:?}");
        }
        let long = format!("https://example.org/{}", "a".repeat(MAX_URL));
        assert_eq!(long.parse::<BaseUrl>(), Err(UrlError::TooLong));
    }

    #[test]
    fn whole_urls_are_https_too() {
        let url: Url = "https://example.org/jwks?tenant=1".parse().unwrap();
        assert_eq!(url.as_str(), "https://example.org/jwks?tenant=1");
        assert_eq!(url.to_string(), "https://example.org/jwks");
        for (text, host) in [
            ("https://example.org/a:1", "example.org"),
            ("https://example.org:8443?a:1", "example.org"),
            ("https://[::1]:8443/", "[::1]"),
            ("https://[::1]", "[::1]"),
        ] {
            assert_eq!(text.parse::<Url>().unwrap().host(), host);
        }
        for (text, error) in [
            ("http://example.org/jwks", UrlError::NotHttps),
            ("/jwks", UrlError::Malformed),
            ("https://example.org/jwks#x", UrlError::Query),
            ("https://user@example.org/jwks", UrlError::UserInfo),
        ] {
            assert_eq!(text.parse::<Url>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_path_cannot_lead_to_another_host() {
        let base: BaseUrl = "https://example.org".parse().unwrap();
        for path in [
            "",
            "x",
            "@evil.org/",
            ".evil.org/",
            "//evil.org",
            "/a b",
            "/a\r\nb",
            "/\\e",
            "/#",
        ] {
            assert_eq!(base.join(path), Err(UrlError::Path), "{path:?}");
        }
        let long = "/".to_owned() + &"a".repeat(MAX_URL - base.as_str().len() - 1);
        assert!(base.join(&long).is_ok());
        assert_eq!(base.join(&(long + "a")), Err(UrlError::TooLong));
    }
}
