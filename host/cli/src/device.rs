//! `privyseal device`: the gateway over its line.

mod csr;
mod generate;
mod import_key;
mod info;
mod install_chain;
mod label;
mod list;
mod log;
mod renew;
mod set_time;
mod unlock;
mod update;
mod upload;
mod wipe;

use clap::{Args, Subcommand};
use privyseal::keys::KeyUriError;
use privyseal_gateway::{Device as Gateway, DeviceUri, digest_from_hex};
use privyseal_protocol::Policy;
use serde_json::Value;

use self::label::{Label, Prepared};
use super::sign::Sign;
use crate::error::CliError;
use crate::options::Wait;
use crate::output::{print_json, print_line};

/// Look at, provision, use, update and wipe a gateway that holds a key
#[derive(Subcommand)]
pub(super) enum Device {
    List(list::List),
    Info(info::Info),
    Generate(generate::Generate),
    Csr(csr::Csr),
    InstallChain(install_chain::InstallChain),
    ImportKey(import_key::ImportKey),
    Renew(renew::Renew),
    Unlock(unlock::Unlock),
    Sign(Box<DeviceSign>),
    Log(log::Log),
    SetTime(set_time::SetTime),
    Abort(Abort),
    Update(update::Update),
    SignImage(update::SignImage),
    Wipe(wipe::Wipe),
}

/// Have the device forget an upload that is not finished, or a key that it is still making
///
/// It gives an upload up by itself a minute after the last piece. A key that is done stays.
#[derive(Args)]
pub(super) struct Abort {
    #[command(flatten)]
    which: Which,
}

/// As privyseal sign, with a device
#[derive(Args)]
#[command(mut_arg("key", |key| key.visible_alias("device")))]
pub(super) struct DeviceSign {
    #[command(flatten)]
    sign: Sign,
}

/// Which device.
#[derive(Args)]
struct Which {
    /// The device: device:/dev/ttyACM0 or device:unix:PATH
    #[arg(long = "device", value_name = "URI")]
    uri: String,
    /// The SHA-256 of the image that it must say it runs, as cargo xtask firmware hash prints it
    #[arg(long, value_name = "HEX")]
    expect_image: Option<String>,
    /// The id that it must have
    #[arg(long, value_name = "ID")]
    expect_device: Option<String>,
    /// It must say that its flash is kept from a probe
    #[arg(long, value_name = "LEVEL", value_parser = ["protected"])]
    require_read_out: Option<String>,
    #[command(flatten)]
    wait: Wait,
}

crate::runs! {
    Device: List Info Generate Csr InstallChain ImportKey Renew Unlock Sign Log SetTime Abort Update SignImage Wipe
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

/// A digest or the head of a log, which an option gives.
fn digest(option: &'static str, hex: Option<&str>) -> Result<Option<[u8; 32]>, CliError> {
    let wrong = || CliError::option(option, "is not 64 hexadecimal digits");
    hex.map(|hex| digest_from_hex(hex).ok_or_else(wrong))
        .transpose()
}

/// That somebody's word about the device counts: what it would sign is not printed else.
fn check_authority(policy: Option<Policy<'_>>) -> Result<(), CliError> {
    if policy.is_none_or(|policy| policy.authority.is_some()) {
        return Ok(());
    }
    let reason =
        "is a device whose policy has no authority: nobody's word sets its time or its policy";
    Err(CliError::option("--device", reason))
}

impl Which {
    fn uri(&self) -> Result<DeviceUri, CliError> {
        Ok(self.uri.parse().map_err(KeyUriError::Uri)?)
    }

    /// Opens it, if it is what is expected.
    fn open(&self) -> Result<Gateway, CliError> {
        let image = digest("--expect-image", self.expect_image.as_deref())?;
        let device = Gateway::open(&self.uri()?, self.wait.limits())?;
        let info = device.info();
        if let Some(expected) = &self.expect_device
            && !expected.eq_ignore_ascii_case(&info.device_id())
        {
            let reason = format!("is {expected}, and this is device {}", info.device_id());
            return Err(CliError::option("--expect-device", reason));
        }
        image.map_or(Ok(()), |image| info.check_image(&image))?;
        if self.require_read_out.is_some() {
            info.check_read_out()?;
        }
        Ok(device)
    }
}

/// How a step of a device's making is told: the result alone, or with what a manifest wants to know.
#[derive(Args)]
struct Told {
    /// Report as JSON: also the device's id, its image and key, and the head of its log
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    label: Label,
}

/// The same before anything was done, when the label's file is there.
struct Ready {
    json: bool,
    label: Prepared,
}

impl Told {
    fn ready(self) -> Result<Ready, CliError> {
        let label = self.label.prepare()?;
        Ok(Ready {
            json: self.json,
            label,
        })
    }
}

impl Ready {
    /// Prints `result` or, under `name`, with the rest, and writes the label. Each is given though the other cannot be.
    fn print(self, device: &mut Gateway, name: &str, result: &str) -> Result<(), CliError> {
        if self.json || self.label.is_wanted() {
            device.refresh()?;
        }
        let labelled = self.label.write(device.info());
        if self.json {
            let log = device.log(device.info().log_next)?.to_json();
            let mut json = device.info().to_json();
            json["log_head"] = log["head"].clone();
            json[name] = Value::from(result);
            print_json(&json)?;
        } else {
            print_line(result.as_bytes())?;
        }
        labelled
    }
}
