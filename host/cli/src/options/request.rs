//! What a signed authentication request asks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use privyseal::oauth::AuthenticationOptions;
use privyseal_core::payload::AcrValues;
use zeroize::Zeroizing;

use super::{of_option, refuse};
use crate::error::CliError;
use crate::input::secret;

/// With `--endpoint request` only.
#[derive(Args)]
#[command(next_help_heading = "With --endpoint request")]
pub(crate) struct RequestOptions {
    /// What is asked for: openid, service:CODE, and more, with one space between them
    #[arg(long, value_name = "TEXT")]
    scope: Option<String>,
    /// A file with the user_identifier_token of the discovery session
    #[arg(long, value_name = "FILE")]
    user_identifier_token_file: Option<PathBuf>,
    /// A file with the bearer token of the ping callback
    #[arg(long, value_name = "FILE")]
    client_notification_token_file: Option<PathBuf>,
    #[command(flatten)]
    authentication: AuthenticationArgs,
}

/// What is asked of the person, and about them.
#[derive(Args)]
pub(crate) struct AuthenticationArgs {
    /// How the person must prove who they are; an id_token that says otherwise is refused
    #[arg(long, value_enum)]
    pub(crate) acr: Option<Acr>,
    /// How long the request may wait for the person
    #[arg(long, value_name = "SECONDS")]
    requested_expiry: Option<u64>,
    /// A claim wanted in the id_token; may be given more than once
    #[arg(long = "id-token-claim", value_name = "NAME")]
    id_token_claims: Vec<String>,
    /// A claim wanted from the UserInfo endpoint; may be given more than once
    #[arg(long = "userinfo-claim", value_name = "NAME")]
    userinfo_claims: Vec<String>,
}

impl AuthenticationArgs {
    /// These, for that scope and that person.
    pub(crate) fn asked(&self, scope: String, person: Zeroizing<String>) -> AuthenticationOptions {
        let mut asked = AuthenticationOptions::default();
        asked.scope = scope;
        asked.user_identifier_token = person;
        asked.acr_values = self.acr.map(Into::into);
        asked.requested_expiry = self.requested_expiry;
        asked.id_token_claims.clone_from(&self.id_token_claims);
        asked.userinfo_claims.clone_from(&self.userinfo_claims);
        asked
    }

    /// The options that are given.
    fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--acr", self.acr.is_some()),
            ("--requested-expiry", self.requested_expiry.is_some()),
            ("--id-token-claim", !self.id_token_claims.is_empty()),
            ("--userinfo-claim", !self.userinfo_claims.is_empty()),
        ]
    }
}

/// How the person must prove who they are.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Acr {
    /// Fingerprint or itsme code, as the person likes
    Basic,
    /// The itsme code
    Advanced,
}

impl From<Acr> for AcrValues {
    fn from(acr: Acr) -> Self {
        match acr {
            Acr::Basic => Self::Basic,
            Acr::Advanced => Self::Advanced,
        }
    }
}

impl RequestOptions {
    /// What is asked, or which option is missing.
    pub(crate) fn asked(&self) -> Result<AuthenticationOptions, CliError> {
        let scope = self.scope.clone();
        let scope =
            scope.ok_or_else(|| CliError::missing("--scope", "it names what is asked for"))?;
        let option = "--user-identifier-token-file";
        let user = self.user_identifier_token_file.as_deref().ok_or_else(|| {
            let reason = "it says which user is asked; the discovery session gave it";
            CliError::missing(option, reason)
        })?;
        let user = secret(user).map_err(of_option(option))?;
        let notification = self.client_notification_token_file.as_deref().map(secret);
        let mut asked = self.authentication.asked(scope, user);
        asked.client_notification_token = notification
            .transpose()
            .map_err(of_option("--client-notification-token-file"))?;
        Ok(asked)
    }

    /// Refuses options that would be ignored.
    pub(crate) fn refuse(&self) -> Result<(), CliError> {
        let given = [
            ("--scope", self.scope.is_some()),
            (
                "--user-identifier-token-file",
                self.user_identifier_token_file.is_some(),
            ),
            (
                "--client-notification-token-file",
                self.client_notification_token_file.is_some(),
            ),
        ];
        let given = given.into_iter().chain(self.authentication.given());
        refuse(given, "is for --endpoint request only")
    }
}
