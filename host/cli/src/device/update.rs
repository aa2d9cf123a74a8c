//! `privyseal device update`, and `sign-image`, which makes what it takes.

use std::path::PathBuf;

use clap::Args;
use privyseal::base::file;
use privyseal_gateway::{ImageError, SignedImage};
use privyseal_protocol::DeviceState;

use super::Which;
use super::set_time::signature;
use crate::error::CliError;
use crate::output::{print, print_line};
use crate::progress::bar;

/// The largest image that is read, in bytes: more than the flash of any board.
const MAX_IMAGE: usize = 4 * 1024 * 1024;

/// Have a device start with another image of its firmware, which its maker has signed; the key stays
///
/// The device's first stage takes no image that is not signed by the key it was built with, none for another board and
/// none that is older than one that has run. A cut on the way leaves the old image or the new one.
#[derive(Args)]
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// The signed image, as privyseal device sign-image has written it
    image: PathBuf,
}

/// Make a signed image of an image, for a maker of gateways
///
/// Without --signature it prints the line that the maker signs, with no line break at its end:
///   privyseal device sign-image --board mps2-an386 --number 7 IMAGE > line
///   openssl dgst -sha256 -sign maker.pem -out line.sig line
///   privyseal device sign-image --board mps2-an386 --number 7 IMAGE --signature line.sig > IMAGE.signed
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct SignImage {
    /// The board that it is for
    #[arg(long)]
    board: String,
    /// Its version: a device takes a higher number than it has run, and none that is lower. The last one, 4294967295, would be the last
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..i64::from(u32::MAX)))]
    number: u32,
    /// The image, as cargo xtask firmware build writes it (NAME.bin)
    image: PathBuf,
    /// The maker's signature of the line: RSASSA-PKCS1-v1_5 with SHA-256, raw bytes
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

impl Update {
    pub(super) fn run(self) -> Result<(), CliError> {
        let bytes = file::read(&self.image, MAX_IMAGE)?;
        let image = SignedImage::new(bytes).map_err(CliError::of_content(&self.image))?;
        let mut device = self.which.open()?;
        let bar = bar("{msg:18} [{bar:30}] {bytes} of {total_bytes}");
        bar.set_message("image");
        bar.set_length(image.as_bytes().len() as u64);
        let updated = device.update(&image, &mut |sent| bar.set_position(sent.into()));
        bar.finish_and_clear();
        updated?;
        let number = image.header().version;
        let rest = match device.info().state {
            DeviceState::Locked => ", and needs its unlock secret",
            _ => "",
        };
        print_line(format!("it runs version {number}{rest}").as_bytes())
    }
}

impl SignImage {
    pub(super) fn run(self) -> Result<(), CliError> {
        let image = file::read(&self.image, MAX_IMAGE)?;
        let signature = signature(self.signature.as_deref())?;
        let made = SignedImage::make(&self.board, self.number, &image, signature.as_deref());
        let made = made.map_err(|error| {
            let option = match error {
                ImageError::Board => "--board",
                ImageError::Content => "IMAGE",
                _ => "--signature",
            };
            CliError::option(option, format!("does not fit: {error}"))
        })?;
        let line = made.header().statement();
        print(match signature {
            Some(_) => made.as_bytes(),
            None => line.as_bytes(),
        })
    }
}
