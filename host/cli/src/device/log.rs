//! `privyseal device log`.

use clap::Args;
use privyseal_gateway::{DeviceError, digest_from_hex};

use super::Which;
use crate::error::CliError;
use crate::output::print_report;

/// Export the device's log, its hash chain verified
///
/// The chain is verified up to the head that the device names. Keep the head that is printed: with
/// --known-head the next export shows that the log still goes on from there.
#[derive(Args)]
pub(super) struct Log {
    #[command(flatten)]
    which: Which,
    /// The first entry that is wanted
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u32,
    /// A head that was printed before, which must be the link of an entry
    #[arg(long, value_name = "HEX")]
    known_head: Option<String>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

impl Log {
    pub(super) fn run(self) -> Result<(), CliError> {
        let known = self.known_head.as_deref().map(|head| {
            digest_from_hex(head)
                .ok_or_else(|| CliError::option("--known-head", "is not 64 hexadecimal digits"))
        });
        let known = known.transpose()?;
        let log = self.which.open()?.log(self.from)?;
        if known.is_some_and(|head| !log.has_head(&head)) {
            let reason = "the known head is the link of none of these entries: the log was replaced, or \
                          the entry is older than the first one here";
            return Err(DeviceError::Untrue(reason.to_owned()).into());
        }
        print_report(&log, self.json.then(|| log.to_json()))
    }
}
