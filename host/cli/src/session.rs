//! `privyseal refresh`, `logout`, `revoke` and `introspect`: what is done with the tokens of a person, or of a client,
//! that are kept elsewhere.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use privyseal::base::display::escape_json;
use privyseal::oauth::{self, RefreshToken};
use privyseal::oidc::RelyingParty;
use privyseal::pki::Certificates;
use privyseal::schemes::ishare::identity_provider;
use privyseal::{AssertionOptions, Provider, SchemeRules};
use zeroize::Zeroizing;

use super::input::secret;
use super::options::{
    ClientOptions, DecryptionOptions, ServerOptions, of_option, refuse, scheme_parser_for,
};
use super::output::{can_print, print_response};
use crate::error::CliError;
use crate::hardening::{Sent, keep_what_came, with_spent_token};
use crate::output::say;

/// Who asks: a client of an OpenID provider, and that provider.
#[derive(Args)]
#[command(
    mut_arg("scheme", |scheme| scheme.value_parser(scheme_parser_for(has_providers))),
    mut_arg("endpoint", |endpoint| endpoint.hide(true)),
    mut_arg("now", |now| now.hide(true)),
    mut_arg("jti", |jti| jti.hide(true))
)]
pub(super) struct Party {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    #[command(flatten)]
    server: ServerOptions,
}

/// Exchange a refresh token for new tokens and print the server's JSON; the refresh token is spent by it
#[derive(Args)]
pub(super) struct Refresh {
    #[command(flatten)]
    party: Party,
    #[command(flatten)]
    decryption: DecryptionOptions,
    /// A file with the refresh token, or - for standard input
    #[arg(long = "refresh-token-file", value_name = "FILE|-")]
    token: PathBuf,
}

/// End the session of a refresh token at the provider, without a browser
#[derive(Args)]
pub(super) struct Logout {
    #[command(flatten)]
    party: Party,
    /// A file with the refresh token, or - for standard input
    #[arg(long, value_name = "FILE|-")]
    refresh_token_file: PathBuf,
}

/// Make a refresh or access token worthless (RFC 7009)
#[derive(Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    party: Party,
    /// A file with the token, or - for standard input
    #[arg(value_name = "FILE|-")]
    token: PathBuf,
}

/// Ask the provider about an access token (RFC 7662) and print its JSON
#[derive(Args)]
pub(super) struct Introspect {
    #[command(flatten)]
    party: Party,
    /// A file with the token, or - for standard input
    #[arg(value_name = "FILE|-")]
    token: PathBuf,
}

impl Refresh {
    pub(super) fn run(self) -> Result<(), CliError> {
        can_print()?;
        let (token, _locked) = locked_token(&self.token)?;
        let refresh = RefreshToken::new(&**token);
        let keys = self.decryption.open(self.party.client.keys.access)?;
        let mut login = self.party.open(None)?;
        login.unwrappers = keys;
        login.registered = self.decryption.encryption_alg;
        DecryptionOptions::warn(&login.prepare_refresh()?);
        // Who reads may have gone since.
        can_print()?;
        with_spent_token(|| {
            let (token, missing) = login.renew(&refresh, |token| {
                let text = String::from_utf8_lossy(token.expose_response());
                let said = "the tokens are printed, and the id_token among them was not verified";
                keep_what_came(Some((escape_json(&text), said)));
            })?;
            keep_what_came(None);
            print_response(token.expose_response()).inspect_err(|_| {
                say!("warning: the refresh token is spent, and what came for it is lost: have the person log in again");
            })?;
            missing.map_or(Ok(()), |error| {
                Err(CliError::IdTokenNotJudged(error.into()))
            })
        })
    }
}

impl Logout {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (token, _locked) = locked_token(&self.refresh_token_file)?;
        Ok((self.party.open(None)?).end_session(&RefreshToken::new(&**token))?)
    }
}

impl Revoke {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (token, _locked) = locked_token(&self.token)?;
        Ok(self.party.open(None)?.revoke(&token)?)
    }
}

impl Introspect {
    pub(super) fn run(self) -> Result<(), CliError> {
        can_print()?;
        let token = token(&self.token)?;
        let said = self.party.open(None)?.introspect(&token)?;
        print_response(said.response())
    }
}

/// What is known of an identity provider of iSHARE.
#[derive(Args)]
pub(super) struct IdentityProvider {
    /// The party id of iSHARE's identity provider
    #[arg(long = "provider-id", value_name = "ID")]
    party_id: Option<String>,
    /// The root, CA or certificate that vouches for the seal of iSHARE's identity provider: a PEM or DER file
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

impl IdentityProvider {
    /// Refuses what would be ignored.
    pub(super) fn refuse(&self) -> Result<(), CliError> {
        let given = [
            ("--provider-id", self.party_id.is_some()),
            ("--trust", self.trust.is_some()),
        ];
        refuse(given, "is for iSHARE only")
    }

    /// It publishes nothing about itself.
    fn open(&self, client: &ClientOptions) -> Result<(AssertionOptions, Provider), CliError> {
        let missing = |option, why| CliError::missing(option, why);
        let why = "its tokens name it, and its seal is its own";
        let id = self.party_id.as_deref();
        let id = id.ok_or_else(|| missing("--provider-id", why))?;
        let trust = self.trust.as_deref();
        let trust = trust.ok_or_else(|| missing("--trust", "its tokens are signed by a seal"))?;
        let trust = Certificates::from_file(trust).map_err(of_option("--trust"))?;
        let named = AssertionOptions::default().audience(id);
        let wrong = |error| CliError::option("--provider-id", format!("is no party id: {error}"));
        named.check(client.scheme).map_err(wrong)?;
        let assertion = client.assertion_for(Some(id))?;
        Ok((assertion, identity_provider(&client.server()?, id, trust)?))
    }
}

impl Party {
    /// The client, at that identity provider of iSHARE, or at the provider below the realm's address.
    pub(super) fn open(&self, ishare: Option<&IdentityProvider>) -> Result<RelyingParty, CliError> {
        let (client, server, scheme) = (&self.client, &self.server, self.client.scheme);
        let (assertion, provider) = if let Some(provider) = ishare {
            provider.open(client)?
        } else if has_providers(scheme) {
            let base = client.server()?;
            // A scheme of one's own has no realms: its issuer is as it is given, a slash at its end included.
            let given = client
                .base_url
                .as_deref()
                .filter(|_| !oauth::has_realms(scheme));
            let issuer = given.unwrap_or(base.as_str());
            let assertion = client.assertion()?;
            let (http, progress) = server.watched_http()?;
            let provider = Provider::discover(&http, issuer)?;
            progress.finish();
            (assertion, provider)
        } else {
            let why = match scheme.name() {
                "itsme" => "for which there is privyseal ciba",
                "ishare" => "which has no refresh tokens, and revokes nothing",
                _ => "whose servers are no OpenID providers",
            };
            // A profile may have said it.
            let reason = format!("is {}, {why}", scheme.title());
            return Err(CliError::option("the scheme", reason));
        };
        let (source, tries) = client.source_for_tries()?;
        let http = server.http()?.watched_by(Arc::new(Sent));
        let party = RelyingParty::new(Arc::from(source), http, Arc::new(provider));
        let mut party = party.assertion(assertion);
        party.retry = tries;
        Ok(party)
    }
}

pub(super) fn has_providers(scheme: &'static SchemeRules) -> bool {
    oauth::has_realms(scheme) || scheme.built_in().is_none()
}

/// One token, and nothing else: any other text would be worthless to the server, too, and look revoked.
pub(super) fn token(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let token = secret(path)?;
    // RFC 6749 appendix A.12 (1*VSCHAR) without the space, and what begins JSON.
    let is_token = !token.starts_with(['{', '"']) && token.bytes().all(|it| it.is_ascii_graphic());
    if token.is_empty() || !is_token {
        let reason = "it is no token: one line of visible characters; of a server's JSON give the member refresh_token alone";
        return Err(CliError::of_content(path)(reason));
    }
    Ok(token)
}

/// A token and its file, which is locked while the token is used: two commands that read one that is good once would both
/// send it.
fn locked_token(path: &Path) -> Result<(Zeroizing<String>, Option<File>), CliError> {
    let file = path.is_file().then(|| File::open(path).ok()).flatten();
    // There are file systems without locks.
    if let Some(Err(TryLockError::WouldBlock)) = file.as_ref().map(File::try_lock) {
        let reason = "it is used by another command, which spends the token in it";
        return Err(CliError::of_content(path)(reason));
    }
    Ok((token(path)?, file))
}
