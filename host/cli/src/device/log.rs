//! `privyseal device log`.

use clap::Args;
use privyseal_gateway::DeviceError;

use super::{Which, digest};
use crate::error::CliError;
use crate::output::print_report;

/// Export the device's log, its hash chain verified
///
/// The chain is verified up to the head that the device names. Keep the head that is printed: with --known-head the
/// next export has what is new since then, and shows that the log still goes on from there.
#[derive(Args)]
pub(crate) struct Log {
    #[command(flatten)]
    which: Which,
    /// The first entry that is wanted
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u32,
    /// A head that was printed before: only the entries behind it, which must go on from there
    #[arg(long, value_name = "HEX")]
    known_head: Option<String>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

impl Log {
    pub(super) fn run(self) -> Result<(), CliError> {
        let known = digest("--known-head", self.known_head.as_deref())?;
        let mut log = self.which.open()?.log(self.from)?;
        if let Some(head) = known {
            log = log.since(&head).ok_or_else(|| {
                let reason = "the known head is the link of none of these entries: the log was replaced, or \
                              the entry is older than the first one here";
                DeviceError::Untrue(reason.to_owned())
            })?;
        }
        print_report(&log, self.json.then(|| log.to_json()))
    }
}
