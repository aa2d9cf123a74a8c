//! `privyseal ishare check`: an assertion that came in, judged with the registry's help.

use clap::Args;
use privyseal::schemes::ishare::inbound::Inbound;
use privyseal::schemes::ishare::judge_assertion;
use privyseal::{Error, base::clock};

use super::registry::RegistryOptions;
use crate::input::token;
use crate::output::{print_json, print_line};

/// Judge a client assertion that came in: every rule, the trusted list, and the party's status and certificate
#[derive(Args)]
pub(super) struct Check {
    /// The assertion, a compact JWS; - to read it from standard input, where other users cannot see it
    #[arg(value_name = "TOKEN|-")]
    token: String,
    #[command(flatten)]
    registry: RegistryOptions,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Error> {
        let token = token(self.token)?;
        let opened = self.registry.open()?;
        let inbound = Inbound {
            audience: &opened.client_id,
            now: clock::now()?,
            crls: &opened.crls,
            is_version_1: opened.is_version_1,
        };
        opened.progress.step("about the client");
        let report = judge_assertion(&token, inbound, &opened.registry())?;
        opened.progress.finish();
        if self.json {
            print_json(&report.to_json())?;
        } else {
            print_line(report.to_string().as_bytes())?;
        }
        match report.broken() {
            0 => Ok(()),
            count => Err(Error::RulesBroken { count }),
        }
    }
}
