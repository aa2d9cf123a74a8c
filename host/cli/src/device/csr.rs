//! `privyseal device csr`.

use clap::Args;

use super::{Told, Which};
use crate::csr::RequestOptions;
use crate::error::CliError;

/// Have the device sign a PKCS #10 certification request for the key that it has made, and print it as PEM
#[derive(Args)]
pub(crate) struct Csr {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asked: RequestOptions,
    #[command(flatten)]
    told: Told,
}

impl Csr {
    pub(super) fn run(self) -> Result<(), CliError> {
        let told = self.told.ready()?;
        let (pem, mut device) = self.asked.signed(|subject, usages| {
            let mut device = self.which.open()?;
            Ok((device.certification_request(subject, usages)?, device))
        })?;
        told.print(&mut device, "request", &pem)
    }
}
