//! `privyseal device csr`.

use clap::Args;

use super::{Told, Which, client_error};
use crate::csr::RequestOptions;
use crate::error::CliError;

/// Have the device sign a PKCS #10 certification request for the key that it has made, and print it as PEM
#[derive(Args)]
pub(super) struct Csr {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asked: RequestOptions,
    #[command(flatten)]
    told: Told,
}

impl Csr {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut device = None;
        let pem = self.asked.signed(|subject, usages| {
            let device = device.insert(self.which.open()?);
            let der = device.certification_request(subject, usages);
            der.map_err(client_error)
        })?;
        match &mut device {
            Some(device) => self.told.print(device, "request", &pem),
            None => Ok(()),
        }
    }
}
