//! `privyseal chain`: everything about a certificate chain.

use std::path::PathBuf;

use clap::Args;
use privyseal::SchemeRules;
use privyseal::keys::key::OpenedKey;
use privyseal::pki::certificates::{Certificates, ChainOptions};
use privyseal::report::{ChainCheckOptions, ChainReport};

use super::options::{
    CertificateOptions, KeyOptions, RevocationArgs, WarnOptions, chain_file, missing_key, moment,
    of_option, scheme_parser,
};
use super::output::{ReportArgs, broken};
use crate::error::CliError;

/// Order and prove a certificate chain and report every rule
#[derive(Args)]
#[command(mut_arg("key", |key| key.required(false)))]
pub(super) struct Chain {
    #[command(flatten)]
    key: KeyOptions,
    /// The chain: a PEM or DER file, or the word token for the one beside the key
    #[arg(id = "chain", long = "chain", value_name = "FILE|token")]
    source: Option<String>,
    /// Whose rules apply besides RFC 5280
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser())]
    scheme: Option<&'static SchemeRules>,
    /// The moment to judge dates at, in seconds since 1970; by default now
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    /// Trusted certificates, PEM or DER, to one of which the chain must lead
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    #[command(flatten)]
    certificate: CertificateOptions,
    #[command(flatten)]
    warn: WarnOptions,
    #[command(flatten)]
    revocation: RevocationArgs,
    #[command(flatten)]
    report: ReportArgs,
}

impl Chain {
    pub(super) fn run(self) -> Result<(), CliError> {
        let now = moment("--now", self.now)?;
        let trust = self.trust.as_deref().map(Certificates::from_file);
        let trust = trust.transpose().map_err(of_option("--trust"))?;
        let revocation = self.revocation.read()?.watched();
        let uri = self.key.uri()?;
        let file = self.source.as_deref().and_then(chain_file);
        let from_file = file
            .map(|path| Certificates::from_file(&path))
            .transpose()
            .map_err(of_option("--chain"))?;
        let opened = uri.map(|uri| self.key.access.open_any(&uri)).transpose()?;
        let certificates = match (from_file, &opened) {
            (Some(certificates), _) => certificates,
            (None, Some(key)) => key.certificates()?,
            (None, None) => return Err(missing_key("the chain is on its token")),
        };
        let mut wanted = ChainOptions::at(now);
        wanted.scheme = self.scheme;
        wanted.leaf = self.certificate.sha256()?;
        wanted.key = opened.as_ref().map(OpenedKey::public_key);
        let chain = certificates.chain_for(&wanted)?;
        let mut options = ChainCheckOptions::at(now);
        options.scheme = self.scheme;
        options.key = wanted.key;
        options.warn_days = self.warn.warn_days;
        options.given = Some(&certificates);
        options.trust = trust.as_ref();
        options.revocation = revocation.options();
        let report = ChainReport::new(&chain, options);
        revocation.warn();
        self.report
            .give(&report, || report.to_json(), || report.to_html())?;
        broken(report.broken())
    }
}
