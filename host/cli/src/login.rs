//! `privyseal login`: a person logs in with the browser of this machine.

use core::time::Duration;
use std::io;

use clap::{Args, value_parser};
use privyseal::SchemeRules;
use privyseal::base::display::json_for_display;
use privyseal::oidc::listener::ListenAddress;
use privyseal::oidc::login::{LoginOptions, LoopbackRedirect, Prompt};
use privyseal_core::scheme::ISHARE;
use serde_json::json;

use super::options::{DecryptionOptions, named, scheme_parser_for};
use super::output::{can_print, print_person, warn_of_scopes};
use super::session::{IdentityProvider, Party, has_providers};
use crate::error::CliError;
use crate::hardening::{keep_what_came, messages_are_closed, with_spent_token};
use crate::output::say;

/// Have a person log in with a browser (OpenID Connect) and print the claims about them as JSON
///
/// Shows an address to open in a browser of this machine, waits until the browser comes back from the provider, and
/// fetches, verifies and judges the id_token. The redirect URI that must be registered is that of --listen, such
/// as http://127.0.0.1:8400/cb.
#[derive(Args)]
// Its own --wait is for the person.
#[command(mut_arg("device-wait", |wait| wait.long("device-wait")))]
#[allow(
    clippy::struct_field_names,
    reason = "the fields are named as the options are"
)]
#[command(mut_arg("scheme", |scheme| scheme.value_parser(scheme_parser_for(has_logins))))]
pub(super) struct Login {
    #[command(flatten)]
    party: Party,
    #[command(flatten)]
    decryption: DecryptionOptions,
    #[command(flatten)]
    provider: IdentityProvider,
    /// Where the browser comes back to, on loopback; at port 0 on a free one
    #[arg(long, value_name = "[ADDRESS:]PORT[/PATH]", default_value = "0")]
    listen: ListenAddress,
    /// What is asked for, with one space between the values; openid always is
    #[arg(long, value_name = "TEXT")]
    scope: Option<String>,
    /// What the person is shown: none, login (again), consent or select_account
    #[arg(long, value_name = "PROMPT", value_parser = named(Prompt::ALL.map(Prompt::name), Prompt::by_name))]
    prompt: Option<Prompt>,
    /// Who is expected to log in, in words of the provider
    #[arg(long, value_name = "TEXT")]
    login_hint: Option<String>,
    /// How long ago the person may have proved who they are
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Sign the request that the browser brings to the provider (RFC 9101)
    #[arg(long)]
    signed_request: bool,
    /// How long the person may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = value_parser!(u64).range(1..=3600))]
    wait: u64,
    /// Ask the UserInfo endpoint, too
    #[arg(long)]
    userinfo: bool,
    /// Print the tokens, too; anyone who has them can use them
    #[arg(long)]
    show_tokens: bool,
}

impl Login {
    pub(super) fn run(self) -> Result<(), CliError> {
        can_print()?;
        if messages_are_closed() {
            let reason = "standard error is closed, and nobody would see the address to open";
            return Err(CliError::Output(io::Error::other(reason)));
        }
        if !self.listen.is_loopback() {
            let reason = "is no loopback address, as 127.0.0.1:8400 is: others could reach it";
            return Err(CliError::option("--listen", reason));
        }
        let redirect = LoopbackRedirect::start(&self.listen)?;
        let ishare = is_ishare(self.party.client.scheme).then_some(&self.provider);
        if ishare.is_none() {
            self.provider.refuse()?;
        }
        let keys = self.decryption.open(self.party.client.keys.access)?;
        let mut login = self.party.open(ishare)?;
        login.unwrappers = keys;
        login.registered = self.decryption.encryption_alg;
        DecryptionOptions::warn(&login.prepare(self.userinfo)?);
        // Who reads may have gone since.
        can_print()?;
        let asked = self.asked(redirect.redirect_uri());
        let (url, state) = login.start(&asked)?;
        warn_of_scopes(login.provider(), &asked.scope);
        let good = |until| format!("; the request in it is good until {until}");
        let good = url.expires_at().map(good).unwrap_or_default();
        let shown = url.as_str();
        say!("open this address in a browser of this machine{good}:\n{shown}");
        let callback = redirect.wait(&state, Duration::from_secs(self.wait));
        let seconds = self.wait;
        let callback = callback.ok_or(CliError::NobodyCameBack { seconds, good })?;
        with_spent_token(|| {
            let session = login.finish(&callback, state)?;
            let userinfo = self.userinfo.then(|| {
                let text = json_for_display(&json!({ "id_token": session.claims() }));
                keep_what_came(Some((text, "the id_token is printed, without UserInfo")));
                session.userinfo(&login)
            });
            keep_what_came(None);
            let known = userinfo.as_ref().and_then(|it| it.as_ref().ok());
            let claims = [Some(session.claims()), known];
            let lost = ["logged in", "log in again"];
            print_person(claims, &session.access_token(), self.show_tokens, lost)?;
            match userinfo {
                Some(Err(error)) => Err(CliError::UserInfoMissing(error.into())),
                _ => Ok(()),
            }
        })
    }

    fn asked(&self, redirect_uri: String) -> LoginOptions {
        let mut asked = LoginOptions::new(redirect_uri);
        let more = self.scope.iter().flat_map(|scope| scope.split(' '));
        for value in more.filter(|value| *value != "openid") {
            asked.scope = format!("{} {value}", asked.scope);
        }
        asked.prompt = self.prompt;
        asked.login_hint.clone_from(&self.login_hint);
        asked.max_age = self.max_age;
        asked.signed_request = self.signed_request;
        asked
    }
}

fn has_logins(scheme: &'static SchemeRules) -> bool {
    has_providers(scheme) || is_ishare(scheme)
}

/// Whose identity providers publish nothing about themselves.
fn is_ishare(scheme: &'static SchemeRules) -> bool {
    scheme.built_in() == Some(&ISHARE)
}
