//! `privyseal keys`: what is on a token.

use clap::Args;
use privyseal::report::KeyReport;
use privyseal::{SchemeRules, base::clock};

use super::options::{KeyOptions, missing_key, pins, scheme_parser};
use super::output::print_report;
use crate::error::CliError;

/// List the keys and certificates of a token, each as a URI ready to paste
#[derive(Args)]
pub(super) struct Keys {
    #[command(flatten)]
    key: KeyOptions,
    /// Whose rule on the key usage a key's certificate must obey
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser())]
    scheme: Option<&'static SchemeRules>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), CliError> {
        let uri = self
            .key
            .uri()?
            .ok_or_else(|| missing_key("it names the token"))?;
        let policy = self.key.policy();
        let (secrets, now) = (&mut pins(&uri), clock::now()?);
        let report = KeyReport::list(&uri, secrets, &policy, now, self.scheme)?;
        print_report(&report, self.json.then(|| serde_json::json!(report)))
    }
}
