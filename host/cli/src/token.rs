//! `privyseal token`: an access token, and the next call with it.

pub(crate) mod output;
mod provider;
mod request;

use clap::Args;
use privyseal::http::retry::retry;
use privyseal::oauth;
use privyseal::schemes::fiam::{Pages, Records};

use super::options::{ClientOptions, ServerOptions, scheme_parser_for};
use super::progress::Progress;
use crate::error::CliError;
use crate::output::say;
use output::TokenOutput;
use provider::ProviderOptions;
use request::CallRequest;

/// Ask for an access token with a new assertion and print the server's JSON
#[derive(Args)]
#[allow(
    clippy::struct_field_names,
    reason = "the fields are named as the options are"
)]
#[command(
    mut_arg("scheme", |scheme| scheme.value_parser(scheme_parser_for(ClientOptions::has_tokens))),
    mut_arg("endpoint", |endpoint| endpoint.hide(true))
)]
pub(super) struct Token {
    #[command(flatten)]
    client: ClientOptions,
    /// Get this path below the base URL with the token, and print that JSON instead of the token
    #[arg(long, value_name = "PATH")]
    call: Option<String>,
    #[command(flatten)]
    request: CallRequest,
    /// Get all pages of the list at that path, as FIAM has them, and print one object with all records
    #[arg(long, requires = "call", conflicts_with_all = ["method", "body"])]
    all_pages: bool,
    #[command(flatten)]
    output: TokenOutput,
    /// The path of the token endpoint below the base URL, where it is not the scheme's
    #[arg(long, value_name = "PATH")]
    token_path: Option<String>,
    #[command(flatten)]
    server: ServerOptions,
    // The last, because its heading goes on.
    #[command(flatten)]
    provider: ProviderOptions,
}

impl Token {
    pub(super) fn run(self) -> Result<(), CliError> {
        self.output.can_be_written()?;
        let mut base = self.client.server()?;
        if let Some(path) = &self.token_path {
            let joined = base.token_path(path);
            base = joined.map_err(|error| {
                CliError::option("--token-path", format!("is refused: {error}"))
            })?;
        }
        if self.call.is_some() || self.provider.next().is_some() {
            self.output.refuse()?;
        }
        if let Some(path) = &self.call {
            // Before an assertion is spent on it.
            base.join(path)
                .map_err(|error| CliError::option("--call", format!("is refused: {error}")))?;
        }
        let (method, body) = self.request.read()?;
        self.provider.check(self.client.scheme)?;
        let (http, progress) = self.server.watched_http()?;
        let options = self.client.assertion()?;
        let (source, tries) = self.client.source_for_tries()?;
        let scope = self.provider.scope();
        progress.step("for an access token");
        let token = retry(&tries, &mut http.runtime(), |_| match scope {
            Some(scope) => source.access_token_with_scope(&http, &base, &options, scope),
            None => source.access_token(&http, &base, &options),
        })?;
        if let Some(next) = self.provider.next() {
            progress.step("about the token");
            let answer = next.ask(&*source, &tries, &http, &base, options, &token)?;
            progress.finish();
            return self.output.write_text(&answer);
        }
        match &self.call {
            Some(path) if self.all_pages => {
                let pages = Pages::new(&http, &base, path, &token)?;
                let records = all_records(pages, &progress)?;
                progress.finish();
                self.output.write_text(records.into_json().as_bytes())
            }
            Some(path) => {
                progress.step("with the token");
                let answer = oauth::call_with(&http, &base, (method, path), &body, &token)?;
                progress.finish();
                if answer.is_empty() {
                    say!("the server did it and answered nothing");
                    return Ok(());
                }
                self.output.write_text(&answer)
            }
            None => {
                progress.finish();
                self.output.write(&token)
            }
        }
    }
}

fn all_records(pages: Pages<'_>, progress: &Progress) -> Result<Records, CliError> {
    let mut records = Records::default();
    progress.step("for page 1");
    for page in pages {
        let page = page?;
        let next = page.page.saturating_add(1);
        progress.step(&format!("for page {next} of {}", page.page_count));
        records.add(page);
    }
    Ok(records)
}
