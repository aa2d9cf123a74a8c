//! `privyseal device`: the gateway over its line.

mod csr;
mod generate;
mod import_key;
mod info;
mod install_chain;
mod log;
mod set_time;
mod unlock;
mod upload;
mod wipe;

use clap::{Args, Subcommand};
use privyseal::keys::KeyUriError;
use privyseal_gateway::{ClientError, Device as Gateway, DeviceUri, Limits};

use super::sign::Sign;
use crate::error::CliError;
use crate::output::print_line;

/// Look at, provision, use and wipe a gateway that holds a key
#[derive(Args)]
pub(super) struct Device {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Info(info::Info),
    Generate(generate::Generate),
    Csr(csr::Csr),
    InstallChain(install_chain::InstallChain),
    ImportKey(import_key::ImportKey),
    Unlock(unlock::Unlock),
    Sign(Box<DeviceSign>),
    Log(log::Log),
    SetTime(set_time::SetTime),
    Abort(Abort),
    Wipe(wipe::Wipe),
}

/// Have the device forget an upload that was begun, or a key that it makes, and that is not finished
///
/// A device does so by itself a minute after the last piece of an upload. A key that is made is not touched.
#[derive(Args)]
struct Abort {
    #[command(flatten)]
    which: Which,
}

/// As privyseal sign, with a device
#[derive(Args)]
#[command(mut_arg("key", |key| key.visible_alias("device")))]
struct DeviceSign {
    #[command(flatten)]
    sign: Sign,
}

/// Which device.
#[derive(Args)]
struct Which {
    /// The device: device:/dev/ttyACM0 or device:unix:PATH
    #[arg(long = "device", value_name = "URI")]
    uri: String,
}

impl Device {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Action::Info(info) => info.run(),
            Action::Generate(generate) => generate.run(),
            Action::Csr(csr) => csr.run(),
            Action::InstallChain(install) => install.run(),
            Action::ImportKey(import) => import.run(),
            Action::Unlock(unlock) => unlock.run(),
            Action::Sign(sign) => sign.run(),
            Action::Log(log) => log.run(),
            Action::SetTime(set_time) => set_time.run(),
            Action::Abort(abort) => abort.run(),
            Action::Wipe(wipe) => wipe.run(),
        }
    }
}

impl DeviceSign {
    fn run(self) -> Result<(), CliError> {
        if self.sign.is_device()? {
            return self.sign.run();
        }
        Err(CliError::option(
            "--device",
            "is another kind of key; privyseal sign takes every kind",
        ))
    }
}

impl Abort {
    fn run(self) -> Result<(), CliError> {
        let begun = self.which.open()?.abort()?;
        print_line(if begun {
            &b"what was not finished is forgotten"[..]
        } else {
            b"there is nothing to forget"
        })
    }
}

/// As the error that it is of.
fn client_error(error: ClientError) -> CliError {
    match error {
        ClientError::Device(error) => error.into(),
        ClientError::Core(error) => error.into(),
        other => CliError::option("--device", other.to_string()),
    }
}

impl Which {
    fn uri(&self) -> Result<DeviceUri, CliError> {
        Ok(self.uri.parse().map_err(KeyUriError::Uri)?)
    }

    fn open(&self) -> Result<Gateway, CliError> {
        Ok(Gateway::open(&self.uri()?, Limits::default())?)
    }
}
