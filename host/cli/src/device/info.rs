//! `privyseal device info`.

use clap::Args;
use privyseal::Error;
use privyseal_core::kid::KidBuf;
use privyseal_gateway::DeviceKey;

use super::Which;
use crate::output::{print_json, print_line};

/// Show what the device says of itself: versions, state, key, policy, counters
#[derive(Args)]
pub(super) struct Info {
    #[command(flatten)]
    which: Which,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

impl Info {
    pub(super) fn run(self) -> Result<(), Error> {
        let device = self.which.open()?;
        let mut json = device.info().to_json();
        let mut text = device.info().to_string();
        if device.info().key.is_some() {
            let key = DeviceKey::of(device)?;
            let kid = KidBuf::thumbprint(key.public_key());
            text += "\nkid rfc7638   ";
            text += kid.as_kid().as_str();
            for line in key.policy_lines()? {
                text += "\n";
                text += &line;
            }
            json["kid_rfc7638"] = kid.as_kid().as_str().into();
            json["policy"] = key.policy_json()?;
        }
        if self.json {
            print_json(&json)
        } else {
            print_line(text.as_bytes())
        }
    }
}
