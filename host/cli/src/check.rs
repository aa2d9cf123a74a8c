//! `privyseal check`: every rule of a finished token.

use std::path::PathBuf;

use clap::Args;
use privyseal::SchemeRules;
use privyseal::jose::jwk::KeySet;
use privyseal::pki::certificates::Certificates;
use privyseal::report::html::TokenContent;
use privyseal::report::{Subject, TokenCheckOptions, TokenReport};
use privyseal_core::Audience;

use super::input::token;
use super::options::{RevocationArgs, moment, of_option, scheme_parser};
use super::output::{ReportArgs, judged};
use crate::error::CliError;

/// Judge a finished token by every rule of its scheme, and by what real receivers do
#[derive(Args)]
pub(super) struct Check {
    /// The token, a compact JWS, or what it was sent in; - to read it from standard input, where other users cannot see it
    #[arg(value_name = "TOKEN|-")]
    token: String,
    /// Whose rules apply; by default a guess from the content; or the TOML file of a scheme of one's own
    #[arg(long, value_name = "SCHEME|FILE", value_parser = scheme_parser())]
    scheme: Option<&'static SchemeRules>,
    /// The receiver's own id or URL; by default any that the scheme allows
    #[arg(long, value_name = "ID")]
    audience: Option<String>,
    /// The moment to judge at, in seconds since 1970; by default now
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    /// Trusted certificates, PEM or DER: the roots or CAs of a trusted list
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// The issuer's JWK Set, for schemes that name a key by kid or x5t#S256
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    #[command(flatten)]
    revocation: RevocationArgs,
    #[command(flatten)]
    report: ReportArgs,
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        let now = moment("--now", self.now)?;
        let trust = self
            .trust
            .as_deref()
            .map(Certificates::from_file)
            .transpose()
            .map_err(of_option("--trust"))?;
        let revocation = self.revocation.read()?.watched();
        let keys = self.jwks.as_deref().map(KeySet::from_file);
        let keys = keys.transpose().map_err(of_option("--jwks"))?;
        let token = token(self.token)?;
        let mut options = TokenCheckOptions::at(now);
        options.scheme = self.scheme;
        options.audience = self.audience.as_deref().map(Audience::new).transpose()?;
        options.keys = keys.as_ref();
        options.trust = trust.as_ref();
        options.revocation = revocation.options();
        let report = TokenReport::of_pasted(&token, options);
        revocation.warn();
        let html = || report.to_html(&TokenContent::read(&token));
        self.report.give(&report, || report.to_json(), html)?;
        if report.broken() == 0 && report.report.scheme.is_none() {
            let reason = "the token's content points at no scheme";
            return Err(CliError::missing("--scheme", reason));
        }
        judged(&report, &[Subject::Rules, Subject::Trust], &revocation)
    }
}
