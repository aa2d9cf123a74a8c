//! `privyseal ciba`: from a QR code to the claims of a person.

mod modules;
mod progress;
mod qr;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use privyseal::base::runtime::SystemRuntime;
use privyseal::jose::jwe::ContentEncryption;
use privyseal::oauth::AuthenticationOptions;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::ciba::{Ciba as Flow, CibaFlow, PingListener, State};
use privyseal::oidc::listener::ListenAddress;
use privyseal::oidc::provider::Provider;
use privyseal::{AssertionOptions, Client, Http};
use privyseal_core::KeyEncryption;
use privyseal_core::scheme::ITSME;
use privyseal_hsm::can_replace_file;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::options::{
    AuthenticationArgs, DecryptionOptions, KeysOptions, KidOptions, ServerOptions, named,
};
use super::output::{can_print, output_file, print_person, warn_of_scopes};
use super::session::token;
use crate::error::CliError;
use crate::output::say;
use progress::Progress;

/// Authenticate a person through itsme (OpenID CIBA) and print the claims about them as JSON
///
/// Shows a QR code until the person has scanned it, sends the signed request, waits until the person has
/// confirmed it on their phone, and fetches, decrypts, verifies and judges the id_token and the UserInfo
/// answer.
#[derive(Args)]
pub(super) struct Ciba {
    #[command(flatten)]
    keys: KeysOptions,
    #[command(flatten)]
    kid: KidOptions,
    #[command(flatten)]
    decryption: DecryptionOptions,
    /// Encrypt each assertion to the provider, too (signed, then encrypted), with its key for that algorithm and
    /// A128CBC-HS256
    #[arg(long, value_name = "ALG", value_parser = named(KeyEncryption::ALL.map(KeyEncryption::name), KeyEncryption::by_name))]
    encrypt_assertions: Option<KeyEncryption>,
    /// The client id that itsme gave
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Which of itsme's servers
    #[arg(long, value_enum, default_value_t = Environment::Prd)]
    env: Environment,
    /// Another server: the issuer, below which the discovery document is
    #[arg(long, value_name = "URL", conflicts_with = "env")]
    base_url: Option<String>,
    /// The audience of all assertions, for a provider that is not itsme: its issuer; by default itsme's for
    /// each endpoint
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
    /// The itsme service; asks for the scope openid service:CODE
    #[arg(long, value_name = "CODE")]
    service: Option<String>,
    /// What is asked for beside that (or all of it, without --service), with one space between the values
    #[arg(long, value_name = "TEXT")]
    scope: Option<String>,
    #[command(flatten)]
    authentication: AuthenticationArgs,
    /// A file with the user_identifier_token of an earlier discovery session, or - for standard
    /// input; then no QR code is shown
    #[arg(long, value_name = "FILE|-")]
    user_identifier_token_file: Option<PathBuf>,
    /// Write the image of the QR code to this file, replaced whenever the code changes
    #[arg(long, value_name = "FILE", value_parser = output_file())]
    qr: Option<PathBuf>,
    /// Ping mode: listen for the provider's callback here, in plain HTTP, behind the proxy that has the
    /// registered https address; without it the provider is polled
    #[arg(long, value_name = "[ADDRESS:]PORT[/PATH]")]
    ping: Option<ListenAddress>,
    /// Do not ask the UserInfo endpoint
    #[arg(long)]
    no_userinfo: bool,
    /// Print the tokens, too; anyone who has them can use them
    #[arg(long)]
    show_tokens: bool,
    /// Date iat and nbf back, for servers whose clock is behind
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    backdate: u64,
    #[command(flatten)]
    server: ServerOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum Environment {
    /// End-to-end test environment
    E2e,
    /// Production
    Prd,
}

impl Ciba {
    pub(super) fn run(self) -> Result<(), CliError> {
        can_print()?;
        let mut asked = self.asked()?;
        let needs_discovery = asked.user_identifier_token.is_empty();
        if needs_discovery && self.qr.is_none() && !std::io::stderr().is_terminal() {
            return Err(CliError::missing(
                "--qr",
                "standard error is no terminal, so nobody would see the QR code",
            ));
        }
        if let Some(path) = self.qr.as_deref().filter(|_| needs_discovery) {
            can_replace_file(path).map_err(CliError::of_output(path))?;
        }
        let mut assertion = AssertionOptions::default().backdate(self.backdate);
        assertion.audience.clone_from(&self.audience);
        if assertion.audience.is_some() {
            // Not by the parser, for which what a profile says is not there.
            if self.base_url.is_none() {
                let reason = "an audience is given for a provider that is not itsme";
                return Err(CliError::missing("--base-url", reason));
            }
            assertion.check(&ITSME)?;
        }
        let http = self.server.http()?;
        let client = self.client(http.clone())?;
        let unwrappers = self.decryption.open(self.keys.access)?;
        let listener = self.ping.as_ref().map(PingListener::start).transpose()?;
        if let (Some(address), Some(listener)) = (&self.ping, &listener) {
            announce(address, listener);
        }
        let (watched, looking) = self.server.watched_http()?;
        let provider = Arc::new(Provider::discover(&watched, self.issuer())?);
        looking.finish();
        let source = Arc::clone(client.source());
        let party = RelyingParty::new(source, http.clone(), Arc::clone(&provider));
        let mut party = party.assertion(assertion);
        party.unwrappers = unwrappers;
        party.registered = self.decryption.encryption_alg;
        if let Some(algorithm) = self.encrypt_assertions {
            let content = ContentEncryption::A128CbcHs256;
            party.encrypt_assertions = Some(provider.recipient(&http, algorithm, content)?).into();
        }
        let token = listener.as_ref().map(PingListener::expose_token);
        asked.client_notification_token = token.map(|token| Zeroizing::new(token.to_owned()));
        let mut flow = Flow::new(&party, SystemRuntime::default());
        let unusable = flow.prepare(&asked, !self.no_userinfo)?;
        DecryptionOptions::warn(&unusable);
        warn_of_scopes(&provider, &asked.scope);
        let mut login = CibaFlow::begin(&asked);
        if self.no_userinfo {
            login = login.without_userinfo();
        }
        let mut progress = Progress::new(self.qr.clone());
        let known = Some(State::Authentication);
        flow.run(&mut login, known, listener.as_ref(), &mut progress)?;
        // Who reads may have gone while the code was looked at.
        can_print()?;
        let done = flow.run(&mut login, None, listener.as_ref(), &mut progress)?;
        let Some(identity) = done else {
            return Ok(());
        };
        progress.finish();
        let says_acr = |claims: &Map<String, Value>| claims.contains_key("acr");
        if identity.id_token.is_none() && identity.id_token_error.is_none() {
            say!(
                "warning: there is no id_token: what is known of the person comes from UserInfo alone"
            );
        }
        if self.authentication.acr.is_some() && !identity.id_token.as_ref().is_some_and(says_acr) {
            say!(
                "warning: no id_token says how the person proved who they are (acr); with --id-token-claim acr that is \
                 an error"
            );
        }
        let claims = [identity.id_token.as_ref(), identity.userinfo.as_ref()];
        let lost = ["confirmed", "be asked again"];
        print_person(claims, &identity.access, self.show_tokens, lost)?;
        match (identity.id_token_error, identity.userinfo_error) {
            (Some(error), _) => Err(CliError::IdTokenMissing(error.into())),
            (None, Some(error)) => Err(CliError::UserInfoMissing(error.into())),
            (None, None) => Ok(()),
        }
    }

    /// What is asked; without a person where they are still to be found.
    fn asked(&self) -> Result<AuthenticationOptions, CliError> {
        let user = self.user_identifier_token_file.as_deref();
        let user = user.map(token).transpose()?.unwrap_or_default();
        Ok(self.authentication.asked(self.scope()?, user))
    }

    fn scope(&self) -> Result<String, CliError> {
        match (&self.service, &self.scope) {
            (Some(code), None) => Ok(format!("openid service:{code}")),
            (Some(code), Some(more)) => {
                let more: Vec<_> = more.split(' ').filter(|value| *value != "openid").collect();
                Ok(format!("openid service:{code} {}", more.join(" ")))
            }
            (None, Some(scope)) => Ok(scope.clone()),
            (None, None) => Err(CliError::missing(
                "--service",
                "every request is for one of the services that itsme has set up",
            )),
        }
    }

    fn issuer(&self) -> &str {
        let environment = match self.env {
            Environment::E2e => "https://idp.e2e.itsme.services/v2",
            Environment::Prd => "https://idp.prd.itsme.services/v2",
        };
        // As it is given: that is what the provider must call itself, a slash at its end included (OpenID
        // Connect Discovery section 4.3).
        self.base_url.as_deref().unwrap_or(environment)
    }

    fn client(&self, http: Http) -> Result<Client, CliError> {
        let mut builder = self.keys.builder(&ITSME, self.keys.uris()?);
        if self.kid.given().is_some() {
            builder = builder.kid(self.kid.choice());
        }
        Ok(builder.client_id(&self.client_id).http(http).open()?)
    }
}

/// The port may have been chosen by the system. Another program that reaches it is refused.
fn announce(address: &ListenAddress, listener: &PingListener) {
    say!(
        "listening for the callback on http://{}{}",
        listener.address(),
        address.path()
    );
    if !address.is_loopback() {
        say!("warning: the callback's bearer token comes over plain HTTP to {address}");
    }
}
