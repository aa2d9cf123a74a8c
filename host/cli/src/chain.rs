//! `privyseal chain`: everything about a certificate chain.

use std::path::PathBuf;

use clap::Args;
use privyseal::Scheme;
use privyseal::keys::key::OpenedKey;
use privyseal::pki::certificates::Certificates;
use privyseal::report::{ChainCheckOptions, ChainReport};
use privyseal_core::cert::Certificate;

use super::options::{KeyOptions, chain_file, crls, missing_key, moment, of_option, scheme_parser};
use super::output::{broken, print_report};
use crate::error::CliError;

/// Order and prove a certificate chain and report every rule
#[derive(Args)]
#[command(mut_arg("key", |key| key.required(false).required_unless_present("chain")))]
pub(super) struct Chain {
    #[command(flatten)]
    key: KeyOptions,
    /// The chain: a PEM or DER file, or the word token for the one beside the key
    #[arg(id = "chain", long = "chain", value_name = "FILE|token")]
    source: Option<String>,
    /// Whose rules apply besides RFC 5280
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser())]
    scheme: Option<&'static Scheme>,
    /// The moment to judge dates at, in seconds since 1970; by default now
    #[arg(long, value_name = "EPOCH")]
    now: Option<u64>,
    /// Check revocation with the lists in this PEM or DER file; may be given more than once
    #[arg(long = "crl", value_name = "FILE")]
    crls: Vec<PathBuf>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

impl Chain {
    pub(super) fn run(self) -> Result<(), CliError> {
        let now = moment(self.now)?;
        let crls = crls(&self.crls)?;
        let uri = self.key.uri()?;
        let file = self.source.as_deref().and_then(chain_file);
        let from_file = file
            .map(|path| Certificates::from_file(&path))
            .transpose()
            .map_err(of_option("--chain"))?;
        let opened = uri.map(|uri| self.key.open_any(&uri)).transpose()?;
        let certificates = match (from_file, &opened) {
            (Some(certificates), _) => certificates,
            (None, Some(key)) => key.certificates()?,
            (None, None) => return Err(missing_key("the chain is on its token")),
        };
        let chain = certificates.chain()?;
        let ordered = chain.certificates().iter().map(Certificate::as_der);
        let mut options = ChainCheckOptions::at(now);
        options.scheme = self.scheme;
        options.key = opened.as_ref().map(OpenedKey::public_key);
        options.given_in_order = certificates.iter().eq(ordered);
        options.crls = &crls;
        let report = ChainReport::new(&chain, options);
        print_report(&report, self.json.then(|| report.to_json()))?;
        broken(report.broken())
    }
}
