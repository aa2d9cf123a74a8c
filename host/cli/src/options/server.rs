//! Which server is asked, and how.

use core::time::Duration;
use std::path::{Path, PathBuf};

use clap::Args;
use privyseal::http::{DEFAULT_TIMEOUT, UrlError};
use privyseal::{BaseUrl, Http, HttpOptions, Roots, SchemeRules, oauth};
use privyseal_core::id::AudienceBuf;

use super::{ClientOptions, of_option};
use crate::error::CliError;
use crate::progress::Progress;

/// How a server is reached.
#[derive(Args)]
pub(crate) struct ServerOptions {
    /// Trust the roots in this PEM file, and only those, instead of the machine's
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// How long one request may take in all
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl ServerOptions {
    /// A client that shows a person on a terminal what it waits for.
    pub(crate) fn watched_http(&self) -> Result<(Http, Progress), CliError> {
        let progress = Progress::new();
        Ok((progress.watch(self.http()?), progress))
    }

    pub(crate) fn cacert(&self) -> Option<&Path> {
        self.cacert.as_deref()
    }

    pub(crate) fn http(&self) -> Result<Http, CliError> {
        let roots = self
            .cacert
            .as_deref()
            .map_or(Ok(Roots::Platform), Roots::from_file)
            .map_err(of_option("--cacert"))?;
        Ok(Http::new(
            &HttpOptions::default()
                .roots(roots)
                .timeout(Duration::from_secs(self.timeout)),
        ))
    }
}

impl ClientOptions {
    /// Whether a client gets tokens there for itself.
    pub(crate) fn has_tokens(scheme: &'static SchemeRules) -> bool {
        scheme.request_object().is_none()
    }

    /// What the paths of the scheme are below: the server, or the realm on it.
    pub(crate) fn server(&self) -> Result<BaseUrl, CliError> {
        let scheme = self.scheme;
        if !Self::has_tokens(scheme) {
            let reason = format!(
                "is for tokens of a client; {} gives them for a person: privyseal ciba",
                scheme.title()
            );
            return Err(CliError::option("--scheme", reason));
        }
        let public = scheme.token_request().base_url().map(|rule| rule.value());
        let url = self.base_url.as_deref().or(public).ok_or_else(|| {
            let reason = format!("{} has a server for each participant", scheme.title());
            CliError::missing("--base-url", reason)
        })?;
        let realm = self.realm.as_deref().filter(|_| oauth::has_realms(scheme));
        let realm = realm
            .map(|realm| AudienceBuf::realm(url, realm))
            .transpose()?;
        let url = realm
            .as_ref()
            .map_or(url, |realm| realm.as_audience().as_str());
        url.parse().map_err(|error: UrlError| {
            CliError::option("--base-url", format!("is refused: {error}"))
        })
    }
}
