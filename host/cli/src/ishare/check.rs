//! `privyseal ishare check`: an assertion that came in, judged with the registry's help.

use clap::Args;
use privyseal::base::clock;
use privyseal::report::html::TokenContent;
use privyseal::report::{Subject, TokenCheckOptions};
use privyseal_core::Audience;
use privyseal_receiver::judge_assertion;

use super::registry::RegistryOptions;
use crate::error::CliError;
use crate::input::token;
use crate::output::{ReportArgs, judged};

/// Judge a client assertion that came in: every rule, the trusted list, and the party's status and certificate
#[derive(Args)]
pub(crate) struct Check {
    /// The assertion, a compact JWS; - to read it from standard input, where other users cannot see it
    #[arg(value_name = "TOKEN|-")]
    token: String,
    #[command(flatten)]
    registry: RegistryOptions,
    #[command(flatten)]
    report: ReportArgs,
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        let token = token(self.token)?;
        let opened = self.registry.open()?;
        let mut options = TokenCheckOptions::at(clock::now()?);
        options.audience = Some(Audience::new(&opened.client_id)?);
        options.revocation = opened.revocation.options();
        opened.progress.step("about the client");
        let report = judge_assertion(&token, opened.scheme, options, &opened.registry())?;
        opened.progress.finish();
        let html = || report.to_html(&TokenContent::read(&token));
        self.report.give(&report, || report.to_json(), html)?;
        let subjects = [Subject::Rules, Subject::Trust, Subject::Party];
        judged(&report, &subjects, &opened.revocation)
    }
}
