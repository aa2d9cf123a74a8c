//! How long a gateway is waited for.

use core::time::Duration;

use clap::Args;
use privyseal_gateway::Limits;

/// How long a device is waited for.
#[derive(Args)]
pub(crate) struct Wait {
    /// Wait so long at most where another program has the device's line, or its rate limit is reached
    #[arg(
        id = "device-wait",
        long = "wait",
        value_name = "SECONDS",
        default_value_t = 0
    )]
    pub(super) seconds: u32,
}

impl Wait {
    pub(crate) fn limits(&self) -> Limits {
        Limits::default().wait(Duration::from_secs(self.seconds.into()))
    }
}
