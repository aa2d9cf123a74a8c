//! What can be asked of an OpenID provider once there is a token.

use clap::Args;
use privyseal::http::retry::retry;
use privyseal::{
    AccessToken, AssertionOptions, AssertionSource, BaseUrl, Http, Provider, RetryPolicy,
    SchemeRules, base::clock,
};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::session::has_providers;

/// With schemes whose servers are OpenID providers (eHealth).
#[derive(Args)]
#[command(next_help_heading = "With an OpenID provider (eHealth)")]
pub(super) struct ProviderOptions {
    /// Ask for a token of this scope: scopes with one space between them
    #[arg(long, value_name = "TEXT")]
    scope: Option<String>,
    /// Ask the server about the token, with a second assertion (RFC 7662), and print that response instead
    #[arg(long, conflicts_with_all = ["call", "userinfo", "claims"])]
    introspect: bool,
    /// Ask about the token's owner (OpenID Connect UserInfo; needs --scope openid) and print that instead
    #[arg(long, conflicts_with_all = ["call", "claims"])]
    userinfo: bool,
    /// Verify the token with the server's keys and print its claims instead
    #[arg(long, conflicts_with = "call")]
    claims: bool,
}

/// The next request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Introspect,
    UserInfo,
    Claims,
}

impl ProviderOptions {
    pub(super) fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    pub(super) fn next(&self) -> Option<Next> {
        let given = [
            (self.introspect, Next::Introspect),
            (self.userinfo, Next::UserInfo),
            (self.claims, Next::Claims),
        ];
        given
            .into_iter()
            .find_map(|(is_given, next)| is_given.then_some(next))
    }

    /// Before an assertion is spent on it.
    pub(super) fn check(&self, scheme: &'static SchemeRules) -> Result<(), CliError> {
        match self.next() {
            Some(next) if !has_providers(scheme) => {
                let reason = format!(
                    "is not for {}, whose servers are no OpenID providers",
                    scheme.title()
                );
                Err(CliError::option(next.option(), reason))
            }
            _ => Ok(()),
        }
    }
}

impl Next {
    const fn option(self) -> &'static str {
        match self {
            Self::Introspect => "--introspect",
            Self::UserInfo => "--userinfo",
            Self::Claims => "--claims",
        }
    }

    /// Asks, and gives the response.
    pub(super) fn ask(
        self,
        client: &dyn AssertionSource,
        tries: &RetryPolicy,
        http: &Http,
        base: &BaseUrl,
        mut options: AssertionOptions,
        token: &AccessToken,
    ) -> Result<Zeroizing<Vec<u8>>, CliError> {
        let provider = Provider::discover(http, base.as_str())?;
        match self {
            Self::Introspect => {
                let endpoint = provider.metadata().introspection_endpoint().cloned();
                let endpoint = endpoint.ok_or_else(|| {
                    CliError::option(
                        "--introspect",
                        "is not offered: no introspection_endpoint in the metadata",
                    )
                })?;
                // A jti is good once.
                options.jti = None;
                let answer = retry(tries, &mut http.runtime(), |_| {
                    client.introspect(http, &endpoint, &options, token.expose())
                })?;
                Ok(Zeroizing::new(answer.response().trim_ascii().to_vec()))
            }
            Self::UserInfo => {
                let (claims, _) = provider.userinfo(http, token, client.client_id().as_str())?;
                Ok(json(claims))
            }
            Self::Claims => {
                let claims = provider.access_token_claims(http, clock::now()?, token.expose())?;
                Ok(json(claims))
            }
        }
    }
}

fn json(claims: Map<String, Value>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(format!("{:#}", Value::from(claims)).into_bytes())
}
