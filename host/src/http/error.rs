//! Why no usable response came: the network, TLS, time or size. Never what was sent.

use super::url::Url;

/// No response, or none that can be used.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {cause}{}", .source.as_ref().map(|said| format!(": {said}")).unwrap_or_default())]
pub struct HttpError {
    url: Url,
    cause: HttpCause,
    was_sent: bool,
    /// What the system or TLS says, where that says more than `cause`.
    source: Option<Box<dyn core::error::Error + Send + Sync>>,
}

/// What kind of trouble it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpCause {
    /// The host's name is not known.
    #[error("the host's name is not known")]
    HostNotFound,
    /// No connection, or it broke.
    #[error("no connection, or it broke off")]
    Connection,
    /// The server's certificate is from nobody who is trusted.
    #[error("the server's certificate comes from no root that is trusted here")]
    UntrustedIssuer,
    /// The server's certificate is for another name.
    #[error("the server's certificate is for another name")]
    WrongName,
    /// TLS failed in another way.
    #[error("no TLS connection")]
    Tls,
    /// No complete response in time.
    #[error("no complete answer in time")]
    Timeout,
    /// The body is larger than this many bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The response is not HTTP.
    #[error("the answer is not HTTP as it should be")]
    NotHttp,
    /// The proxy refused.
    #[error("the proxy that the environment names does not connect")]
    Proxy,
    /// This variable names a proxy, or hosts without one, in a form that is not known here.
    #[error(
        "{0} cannot be used: a proxy is http://HOST:PORT or https://HOST:PORT, and hosts without one are names and \
         addresses"
    )]
    ProxyVariable(&'static str),
    /// Anything else.
    #[error("no answer")]
    Other,
}

impl HttpError {
    pub(super) fn new(url: &Url, error: ureq::Error) -> Self {
        let cause = HttpCause::of(&error);
        let was_sent = cause != HttpCause::HostNotFound && was_sent(&error);
        let source = (!cause.says_it_all()).then(|| Box::new(error) as _);
        Self {
            url: url.clone(),
            cause,
            was_sent,
            source,
        }
    }

    pub(super) fn too_large(url: &Url, max: usize) -> Self {
        Self::without_source(url, HttpCause::TooLarge(max))
    }

    pub(super) fn proxy_variable(url: &Url, name: &'static str) -> Self {
        let error = Self::without_source(url, HttpCause::ProxyVariable(name));
        Self {
            was_sent: false,
            ..error
        }
    }

    fn without_source(url: &Url, cause: HttpCause) -> Self {
        Self {
            url: url.clone(),
            cause,
            was_sent: true,
            source: None,
        }
    }

    /// What kind of trouble it was.
    pub const fn cause(&self) -> HttpCause {
        self.cause
    }

    /// Whether the server may have seen the request: `false` only if there was no connection for it.
    pub const fn was_sent(&self) -> bool {
        self.was_sent
    }
}

/// In doubt it was.
fn was_sent(error: &ureq::Error) -> bool {
    use std::io::ErrorKind as Kind;
    use ureq::{Error, Timeout};
    match error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => false,
        // A connection that is there ends in other ways.
        Error::Io(error) => !matches!(
            error.kind(),
            Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable
        ),
        _ => true,
    }
}

impl HttpCause {
    fn of(error: &ureq::Error) -> Self {
        use ureq::Error;
        match error {
            Error::HostNotFound => Self::HostNotFound,
            Error::Timeout(_) => Self::Timeout,
            Error::ConnectionFailed => Self::Connection,
            Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => Self::Proxy,
            Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::Http(_) => Self::NotHttp,
            Error::Tls(_) | Error::TlsRequired | Error::Pem(_) => Self::Tls,
            Error::Rustls(error) => Self::of_tls(error),
            Error::Io(error) => {
                match error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                {
                    Some(error) => Self::of_tls(error),
                    None if error.kind() == std::io::ErrorKind::TimedOut => Self::Timeout,
                    // The standard library gives a failed lookup no kind of its own.
                    None if error.to_string().starts_with("failed to lookup address") => {
                        Self::HostNotFound
                    }
                    None => Self::Connection,
                }
            }
            _ => Self::Other,
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use rustls::CertificateError as Bad;
        match error {
            rustls::Error::InvalidCertificate(bad) => match bad {
                // A root of the same name but another key: one that was made again, mostly.
                Bad::UnknownIssuer | Bad::BadSignature => Self::UntrustedIssuer,
                Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Self::WrongName,
                _ => Self::Tls,
            },
            _ => Self::Tls,
        }
    }

    const fn says_it_all(self) -> bool {
        matches!(
            self,
            Self::HostNotFound | Self::Timeout | Self::UntrustedIssuer | Self::TooLarge(_)
        )
    }
}
