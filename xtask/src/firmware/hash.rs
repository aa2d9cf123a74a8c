//! The hash of each image, as a device says it of itself: the same from any folder, so that it can be compared.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::image;
use crate::failure::{Failure, fail};
use crate::{copy, paths, thumb};

/// Builds, and prints a line for each image.
pub(super) fn run() -> Result<(), Failure> {
    image::build(|_| true)?;
    for image in image::ALL {
        println!("{}  {}", of(&image.path())?, image.name);
    }
    Ok(())
}

/// Builds the image that one flashes a second time, from a copy of the sources in another folder. It must be the same.
pub(crate) fn compare() -> Result<(), Failure> {
    let (_, cargo) = thumb::toolchain()?;
    image::STM32F405.build(cargo)?;
    let here = of(&image::STM32F405.path())?;
    let elsewhere = copy::of_workspace("elsewhere/another name")?;
    let there = of(&image::STM32F405.build_from(&elsewhere)?)?;
    println!("{here}  here\n{there}  {}", paths::shown(&elsewhere));
    if here == there {
        Ok(())
    } else {
        fail!("the image depends on the folder that it is built in")
    }
}

/// SHA-256 of what a programmer writes to the flash.
fn of(path: &Path) -> Result<String, Failure> {
    let mut digits = String::new();
    for byte in Sha256::digest(image::flash(path)?) {
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(digits)
}
