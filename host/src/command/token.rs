//! `privyseal token`: an access token, and the next call with it.

use core::time::Duration;
use std::path::PathBuf;

use clap::Args;
use privyseal::http::DEFAULT_TIMEOUT;
use privyseal::{BaseUrl, Error, Http, HttpOptions, Roots, audience, client};
use privyseal_core::id::AudienceBuf;

use super::options::ClientOptions;
use super::output::print_line;

/// Ask for an access token with a new assertion and print the server's JSON
#[derive(Args)]
pub(super) struct Token {
    #[command(flatten)]
    client: ClientOptions,
    /// Get this path below the base URL with the token, and print that JSON instead of the token
    #[arg(long, value_name = "PATH")]
    call: Option<String>,
    /// Trust the roots in this PEM file, and only those, instead of the machine's
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// How long one request may take in all
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl Token {
    pub(super) fn run(self) -> Result<(), Error> {
        let base = self.base_url()?;
        if let Some(path) = &self.call {
            // Before an assertion is spent on it.
            base.join(path)
                .map_err(|error| option("--call", &error.to_string()))?;
        }
        let http = self.http()?;
        let options = self.client.assertion()?;
        let mut client = self.client.client()?;
        let token = client.access_token(&http, &base, &options)?;
        match &self.call {
            Some(path) => print_line(&client::call(&http, &base, path, &token)?),
            None => print_line(token.expose_response().trim_ascii()),
        }
    }

    /// What the paths of the scheme are below: the server, or the realm on it.
    fn base_url(&self) -> Result<BaseUrl, Error> {
        let scheme = self.client.scheme();
        if scheme.request_object.is_some() {
            let reason = format!(
                "{} gives tokens in a CIBA flow only (auth_req_id)",
                scheme.title
            );
            return Err(option("--scheme", &reason));
        }
        let public = scheme.token_request.base_url.map(|rule| rule.value);
        let url = self
            .client
            .base_url()
            .or(public)
            .ok_or_else(|| Error::Missing {
                option: "--base-url",
                reason: format!("{} has a server for each participant", scheme.title),
            })?;
        let realm = self.client.realm().filter(|_| audience::has_realms(scheme));
        let realm = realm
            .map(|realm| AudienceBuf::realm(url, realm))
            .transpose()?;
        let url = realm
            .as_ref()
            .map_or(url, |realm| realm.as_audience().as_str());
        url.parse()
            .map_err(|error: privyseal::http::UrlError| option("--base-url", &error.to_string()))
    }

    fn http(&self) -> Result<Http, Error> {
        let roots = self
            .cacert
            .as_deref()
            .map_or(Ok(Roots::Platform), Roots::from_file)?;
        Ok(Http::new(&HttpOptions {
            roots,
            timeout: Duration::from_secs(self.timeout),
        }))
    }
}

fn option(option: &'static str, reason: &str) -> Error {
    Error::Option {
        option,
        reason: reason.to_owned(),
    }
}
