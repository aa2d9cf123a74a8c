//! `privyseal verify`: a token of somebody else, rule by rule.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use privyseal::jose::jwk::KeySet;
use privyseal::pki::certificates::Certificates;
use privyseal::schemes::ishare::Expected;
use privyseal_receiver::{
    TokenKind, VerifiedToken, Wanted, verify_delegation, verify_introspection, verify_token,
};
use serde_json::json;

use crate::error::CliError;
use crate::input::token;
use crate::options::{RevocationArgs, moment, of_option, refuse};
use crate::output::{broken, print_report};

/// Judge a token that came in: an access or id token, signed UserInfo, or iSHARE's delegation evidence
#[derive(Args)]
pub(super) struct Verify {
    /// The token, a compact JWS, or the JSON that introspect printed about it; - to read it from standard input, where other users cannot see it
    #[arg(value_name = "TOKEN|-")]
    token: String,
    /// What it is
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Kind,
    /// Who must have issued it: the URL of a provider, or the party id of an authorization registry
    #[arg(long, value_name = "ISSUER")]
    issuer: String,
    /// The audience that it must have: the client id, or our own party id; of an access token it may be left open
    #[arg(long, value_name = "ID")]
    audience: Option<String>,
    /// The issuer's JWK Set
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Who vouches for the seal of an authorization registry: certificates, PEM or DER
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// A role of the realm, or of the audience, that an access token must give; may be given more than once
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The nonce that an id token must have
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// The moment to judge at, in seconds since 1970; by default now. Clocks may differ by 10 s; a delegation token may come 5 s early, and it and its evidence end on time
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    #[command(flatten)]
    revocation: RevocationArgs,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Access,
    Id,
    #[value(name = "userinfo")]
    UserInfo,
    Delegation,
    Introspection,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), CliError> {
        self.refuse_options_of_other_kinds()?;
        let verified = match self.kind {
            Kind::Access => self.of_provider(TokenKind::Access)?,
            Kind::Id => self.of_provider(TokenKind::Id)?,
            Kind::UserInfo => self.of_provider(TokenKind::UserInfo)?,
            Kind::Delegation => self.delegation()?,
            Kind::Introspection => self.introspection()?,
        };
        let (report, claims) = (verified.report(), verified.claims());
        let json = || json!({ "valid": claims.is_some(), "findings": report, "claims": claims });
        print_report(report, self.json.then(json))?;
        broken(report.broken())
    }

    /// Nobody must believe that what an option asks for was judged, where it was not.
    fn refuse_options_of_other_kinds(&self) -> Result<(), CliError> {
        let is_delegation = self.kind == Kind::Delegation;
        let is_said = self.kind == Kind::Introspection;
        let is_access = is_said || self.kind == Kind::Access;
        let revocation = self.revocation.given();
        let others = [
            ("--role", !self.roles.is_empty() && !is_access),
            ("--nonce", self.nonce.is_some() && self.kind != Kind::Id),
            ("--jwks", self.jwks.is_some() && (is_delegation || is_said)),
            ("--trust", self.trust.is_some() && !is_delegation),
            (
                revocation.unwrap_or_default(),
                revocation.is_some() && !is_delegation,
            ),
        ];
        refuse(others, "is for another kind of token")
    }

    fn of_provider(&self, kind: TokenKind) -> Result<VerifiedToken, CliError> {
        let reason = "the keys of the issuer verify the signature";
        let keys = self.jwks.as_deref();
        let keys = keys.ok_or_else(|| CliError::missing("--jwks", reason))?;
        let keys = KeySet::from_file(keys).map_err(of_option("--jwks"))?;
        if self.audience.is_none() && kind != TokenKind::Access {
            let reason = "such a token is for one client";
            return Err(CliError::missing("--audience", reason));
        }
        let token = token(self.token.clone())?;
        Ok(verify_token(&token, kind, &keys, &self.wanted()?))
    }

    fn introspection(&self) -> Result<VerifiedToken, CliError> {
        let said = token(self.token.clone())?;
        Ok(verify_introspection(said.as_bytes(), &self.wanted()?))
    }

    fn wanted(&self) -> Result<Wanted<'_>, CliError> {
        let mut wanted = Wanted::new(&self.issuer, moment("--now", self.now)?);
        wanted.claims.audience = self.audience.as_deref();
        wanted.nonce = self.nonce.as_deref();
        wanted.roles = &self.roles;
        Ok(wanted)
    }

    fn delegation(&self) -> Result<VerifiedToken, CliError> {
        let trust = self.trust.as_deref();
        let trust = trust.ok_or_else(|| {
            CliError::missing("--trust", "delegation evidence is signed by a seal")
        })?;
        let audience = self.audience.as_deref();
        let audience = audience.ok_or_else(|| {
            CliError::missing("--audience", "delegation evidence is for one party")
        })?;
        let trust = Certificates::from_file(trust).map_err(of_option("--trust"))?;
        let revocation = self.revocation.read()?.watched();
        let expected = Expected::new(&self.issuer, audience, &trust);
        let expected = expected.revocation(revocation.options());
        let token = token(self.token.clone())?;
        let verified = verify_delegation(&token, &expected, moment("--now", self.now)?);
        revocation.warn();
        Ok(verified)
    }
}
