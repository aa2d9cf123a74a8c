//! `privyseal keys`: what is on a token.

use clap::Args;
use privyseal::{Error, Scheme, base::clock};

use super::options::{KeyOptions, missing_key, pins, scheme_parser};
use super::output::{print_json, print_line};

/// List the keys and certificates of a token, each as a URI ready to paste
#[derive(Args)]
pub(super) struct Keys {
    #[command(flatten)]
    key: KeyOptions,
    /// Whose rule on the key usage a key's certificate must obey
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser())]
    scheme: Option<&'static Scheme>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), Error> {
        let uri = self
            .key
            .uri()?
            .ok_or_else(|| missing_key("it names the token"))?;
        let policy = self.key.policy();
        let report = uri.list(&mut pins(&uri), &policy, clock::now()?, self.scheme)?;
        if self.json {
            print_json(&report.to_json())
        } else {
            print_line(report.to_string().as_bytes())
        }
    }
}
