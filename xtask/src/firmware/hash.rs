//! The hash of each image, as a device says it of itself: the same from any folder, so that it can be compared.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use object::read::elf::{ElfFile32, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSegment as _};
use sha2::{Digest as _, Sha256};

use super::image;
use crate::failure::{Context, Failure, fail};
use crate::{copy, paths, thumb};

/// Builds, and prints a line for each image.
pub(super) fn run() -> Result<(), Failure> {
    image::build_all()?;
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
fn of(image: &Path) -> Result<String, Failure> {
    let mut digits = String::new();
    for byte in Sha256::digest(flash(image)?) {
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(digits)
}

/// What a programmer writes to the flash: the loaded segments, in the order of their addresses there.
pub(super) fn flash(image: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = fs::read(image).context(paths::shown(image))?;
    let elf = ElfFile32::<Endianness>::parse(&*bytes).context(paths::shown(image))?;
    let mut segments = Vec::new();
    for segment in elf.segments() {
        // The file's own headers come first in it, and are no part of the image.
        if let (0, _) | (_, 0) = segment.file_range() {
            continue;
        }
        let place = segment.elf_program_header().p_paddr(elf.endian());
        segments.push((place, segment.data().context(paths::shown(image))?));
    }
    segments.sort_unstable();
    let mut flash = Vec::new();
    let start = segments.first().map_or(0, |(start, _)| *start);
    for (place, data) in segments {
        // Zeros between them.
        flash.resize((place - start) as usize, 0);
        flash.extend_from_slice(data);
    }
    Ok(flash)
}
