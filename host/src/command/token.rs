//! `privyseal token`: an access token, and the next call with it.

mod provider;

use clap::Args;
use privyseal::fiam::Pages;
use privyseal::pace::SystemPace;
use privyseal::retry::retrying;
use privyseal::{Error, client};

use super::options::{ClientOptions, ServerOptions};
use super::output::print_line;
use provider::ProviderOptions;

/// Ask for an access token with a new assertion and print the server's JSON
#[derive(Args)]
pub(super) struct Token {
    #[command(flatten)]
    client: ClientOptions,
    /// Get this path below the base URL with the token, and print that JSON instead of the token
    #[arg(long, value_name = "PATH")]
    call: Option<String>,
    /// Get all pages of the list at that path, as FIAM has them, and print one object with all records
    #[arg(long, requires = "call")]
    all_pages: bool,
    #[command(flatten)]
    provider: ProviderOptions,
    #[command(flatten)]
    server: ServerOptions,
}

impl Token {
    pub(super) fn run(self) -> Result<(), Error> {
        let base = self.client.server()?;
        if let Some(path) = &self.call {
            // Before an assertion is spent on it.
            base.join(path)
                .map_err(|error| option("--call", &error.to_string()))?;
        }
        self.provider.check(self.client.scheme())?;
        let http = self.server.http()?;
        let options = self.client.assertion()?;
        let (mut source, tries) = self.client.source_for_tries()?;
        let scope = self.provider.scope();
        let token = retrying(&tries, &mut SystemPace::default(), |_| match scope {
            Some(scope) => source.access_token_with_scope(&http, &base, &options, scope),
            None => source.access_token(&http, &base, &options),
        })?;
        if let Some(next) = self.provider.next() {
            return next.run(&mut *source, &tries, &http, &base, options, &token);
        }
        match &self.call {
            Some(path) if self.all_pages => {
                let records = Pages::new(&http, &base, path, &token)?.records()?;
                print_line(records.into_json().as_bytes())
            }
            Some(path) => print_line(&client::call(&http, &base, path, &token)?),
            None => print_line(token.expose_response().trim_ascii()),
        }
    }
}

fn option(option: &'static str, reason: &str) -> Error {
    Error::Option {
        option,
        reason: reason.to_owned(),
    }
}
