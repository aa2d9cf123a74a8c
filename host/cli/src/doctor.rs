//! `privyseal doctor`: what is wrong, and what to do next.

mod examine;
mod new_profile;

use clap::Args;
use privyseal::keys::key::KeyUri;
use privyseal::{BaseUrl, SchemeRules, base::clock};

pub(super) use examine::examine_profile;
use examine::{DoctorOptions, DoctorReport, ExpectedChain, examine, examine_modules};

use super::options::{
    CertificateOptions, KeyOptions, ServerOptions, WarnOptions, chain_file, scheme_parser,
};
use super::output::ReportArgs;
use super::scan;
use crate::error::CliError;

/// Look at module, token, PIN, key, chain and clock, sign once, and say what to do next
///
/// Without --key: at all modules of this machine and their tokens.
#[derive(Args)]
#[command(
    mut_arg("key", |key| key.required(false)),
    mut_arg("cacert", |cacert| cacert.requires("server")),
    mut_arg("timeout", |timeout| timeout.requires("server"))
)]
pub(super) struct Doctor {
    #[command(flatten)]
    key: KeyOptions,
    /// The chain: a PEM or DER file, or the word token for the one beside the key
    #[arg(long, value_name = "FILE|token", default_value = "token")]
    chain: String,
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// A key to which tokens are encrypted: whether it decrypts; may be given several times
    #[arg(long = "decryption-key", value_name = "URI", requires = "key")]
    decryption_keys: Vec<String>,
    #[command(flatten)]
    certificate: CertificateOptions,
    #[command(flatten)]
    warn: WarnOptions,
    /// Whose rules the chain must obey
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser())]
    scheme: Option<&'static SchemeRules>,
    /// Compare the clock with that of this server
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    way: ServerOptions,
    #[command(flatten)]
    profile: new_profile::ProfileOptions,
    #[command(flatten)]
    report: ReportArgs,
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), CliError> {
        let Some(uri) = self.key.uri()? else {
            return self.say(&examine_modules(&scan::all()?, clock::now()?));
        };
        let server = self.server.as_deref().map(server).transpose()?;
        let (http, progress) = self.way.watched_http()?;
        progress.step("for its time");
        let chain = chain_file(&self.chain);
        let decryption_keys = self.decryption_keys.iter().map(|uri| uri.parse());
        let decryption_keys = decryption_keys.collect::<Result<Vec<KeyUri>, _>>()?;
        let options = DoctorOptions {
            key: &uri,
            decryption_keys: &decryption_keys,
            access: self.key.access,
            chain: ExpectedChain {
                file: chain.as_deref(),
                certificate: self.certificate.sha256()?,
                warn_days: self.warn.warn_days,
                scheme: self.scheme,
                now: clock::now()?,
            },
            server: server.as_ref().map(|server| (&http, server)),
        };
        let mut report = examine(options, &mut self.key.pins(&uri));
        progress.finish();
        let written = match &self.profile.write_profile {
            Some(name) => new_profile::write(&self, name, &uri, &mut report),
            None => Ok(()),
        };
        self.say(&report).and(written)
    }

    fn say(&self, report: &DoctorReport) -> Result<(), CliError> {
        self.report
            .give(report, || report.to_json(), || report.to_html())?;
        match report.broken() {
            0 => Ok(()),
            count => Err(CliError::Examined {
                count,
                kind: report.kind(),
            }),
        }
    }
}

fn server(url: &str) -> Result<BaseUrl, CliError> {
    url.parse()
        .map_err(|error: privyseal::http::UrlError| CliError::option("--server", error))
}
