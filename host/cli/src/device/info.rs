//! `privyseal device info`.

use clap::Args;
use privyseal_core::kid::KidForm;
use privyseal_gateway::DeviceKey;
use privyseal_protocol::DeviceState;

use super::Which;
use super::label::Label;
use crate::error::CliError;
use crate::output::print_report;

/// Show what the device says of itself: versions, state, key, policy, counters
#[derive(Args)]
pub(crate) struct Info {
    #[command(flatten)]
    which: Which,
    /// Report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    label: Label,
}

impl Info {
    pub(super) fn run(self) -> Result<(), CliError> {
        let label = self.label.prepare()?;
        let device = self.which.open()?;
        label.write(device.info())?;
        let mut json = device.info().to_json();
        let mut text = device.info().to_string();
        if device.info().state == DeviceState::Ready {
            let key = DeviceKey::of(device)?;
            let kid = KidForm::Rfc7638.of(key.public_key());
            text += "\nkid rfc7638   ";
            text += kid.as_kid().as_str();
            for line in key.policy_lines()? {
                text += "\n";
                text += &line;
            }
            json["kid_rfc7638"] = kid.as_kid().as_str().into();
            json["policy"] = key.policy_json()?;
            if let Some(end) = key.not_after() {
                text += "\nvalid until   ";
                text += &end.to_string();
                json["not_after"] = end.as_secs().into();
            }
        }
        print_report(&text, self.json.then_some(json))
    }
}
