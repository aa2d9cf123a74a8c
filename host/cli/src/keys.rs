//! `privyseal keys`: what is on a token, and how it gets there.

mod set_up;

use clap::{Args, Subcommand};
use privyseal::report::{KeyCheckOptions, KeyReport};
use privyseal::{SchemeRules, base::clock};

use super::options::{KeyOptions, WarnOptions, scheme_parser};
use super::output::{print_json, print_line, print_report};
use super::scan;
use crate::error::CliError;

/// List the keys and certificates of a token, each as a URI ready to paste
///
/// Without --key: all tokens of this machine's modules, and what they show without a login.
#[derive(Args)]
#[command(
    mut_arg("key", |key| key.required(false)),
    args_conflicts_with_subcommands = true
)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    key: KeyOptions,
    /// Whose rule on the key usage a key's certificate must obey
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser())]
    scheme: Option<&'static SchemeRules>,
    #[command(flatten)]
    warn: WarnOptions,
    /// Report as JSON
    #[arg(long)]
    json: bool,
    /// Looks at this module only, and reports to the process that asked
    #[arg(long, hide = true, conflicts_with = "key")]
    scan_module: Option<String>,
    /// Loads the module that this URI names, and does nothing with it
    #[arg(long, hide = true, conflicts_with = "key")]
    load_module: Option<String>,
}

#[derive(Subcommand)]
enum Action {
    Generate(set_up::Generate),
    PutChain(set_up::PutChain),
}

impl Keys {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Some(Action::Generate(action)) => return action.run(),
            Some(Action::PutChain(action)) => return action.run(),
            None => {}
        }
        if let Some(name) = &self.scan_module {
            return scan::one(name);
        }
        if let Some(uri) = &self.load_module {
            return scan::load(uri);
        }
        let Some(uri) = self.key.uri()? else {
            return self.all();
        };
        let policy = self.key.policy();
        let mut judge = KeyCheckOptions::at(clock::now()?);
        judge.scheme = self.scheme;
        judge.warn_days = self.warn.warn_days;
        let report = KeyReport::list(&uri, &mut self.key.pins(&uri), &policy, judge)?;
        print_report(&report, self.json.then(|| serde_json::json!(report)))
    }

    fn all(&self) -> Result<(), CliError> {
        let modules = scan::all()?;
        if self.json {
            let modules = modules
                .iter()
                .map(|it| (it.name.clone(), it.report.clone()));
            let modules: serde_json::Map<_, _> = modules.collect();
            return print_json(&serde_json::json!({ "modules": modules }));
        }
        let texts = modules
            .iter()
            .map(|it| format!("module {}: {}", it.name, it.text));
        print_line(texts.collect::<Vec<_>>().join("\n\n").as_bytes())
    }
}
