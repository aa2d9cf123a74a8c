//! What each image takes of a part's memory.

use clap::Args;

use super::baseline::{self, Size, Sizes};
use super::elf::Elf;
use super::image;
use crate::failure::{Failure, fail};

/// What to do with the sizes.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Write them to firmware/sizes.toml, as what is agreed to
    #[arg(long)]
    save: bool,
}

/// Builds, prints, compares.
pub(crate) fn check() -> Result<(), Failure> {
    run(Options { save: false })
}

/// As [`check`], or saves.
pub(crate) fn run(options: Options) -> Result<(), Failure> {
    image::build_all()?;
    let mut sizes = Sizes::new();
    for image in image::ALL {
        let elf = Elf::read(&image.path())?;
        sizes.insert(image.name.to_owned(), print(image.name, &elf));
    }
    if options.save {
        return baseline::write(&sizes);
    }
    let grown = baseline::grown(&sizes, &baseline::read()?);
    if grown.is_empty() {
        return Ok(());
    }
    fail!(
        "{}\nif that is meant: cargo xtask firmware sizes --save",
        grown.join("\n")
    )
}

/// One image, by section.
fn print(name: &str, elf: &Elf) -> Size {
    let sum = |of: fn(&super::elf::Section) -> bool| {
        let those = elf.sections.iter().filter(|section| of(section));
        those.map(|section| section.size).sum()
    };
    let size = Size {
        flash: sum(|section| section.in_flash),
        ram: sum(|section| section.in_ram),
    };
    println!("{name}: {} bytes of flash, {} of RAM", size.flash, size.ram);
    for section in &elf.sections {
        let where_to = match (section.in_flash, section.in_ram) {
            (true, true) => "flash and RAM",
            (true, false) => "flash",
            _ => "RAM",
        };
        println!("  {:<16} {:>8}  {where_to}", section.name, section.size);
    }
    size
}
