//! What each image takes of a part's memory, and what an answer takes of its stack.

use std::fs;
use std::path::Path;

use clap::Args;
use object::{Object as _, ObjectSection as _, SectionFlags, elf};

use super::baseline::{self, Size, Sizes};
use super::image;
use crate::failure::{Context, Failure, fail};
use crate::process::Run;
use crate::{paths, thumb};

/// What to do with the sizes.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Write them to firmware/sizes.toml, as what is agreed to
    #[arg(long)]
    save: bool,
}

/// Builds, prints, compares the images; the test that counts an answer has its own bound of the stack.
pub(crate) fn check() -> Result<(), Failure> {
    compare(&measured()?)
}

/// As [`check`], with the stack; or saves.
pub(crate) fn run(options: Options) -> Result<(), Failure> {
    let mut sizes = measured()?;
    let stack = stack()?;
    println!("stack of an answer with a token, in the emulator: {stack} bytes");
    sizes.stack = Some(stack);
    if options.save {
        baseline::write(&sizes)
    } else {
        compare(&sizes)
    }
}

fn measured() -> Result<Sizes, Failure> {
    image::build(|_| true)?;
    let mut sizes = Sizes {
        toolchain: thumb::described()?,
        ..Sizes::default()
    };
    for image in image::ALL {
        let size = print(image.name, &sections(&image.path())?);
        sizes.images.insert(image.name.to_owned(), size);
    }
    Ok(sizes)
}

fn compare(sizes: &Sizes) -> Result<(), Failure> {
    let agreed = baseline::read()?;
    println!("built by {}", sizes.toolchain);
    if sizes.toolchain != agreed.toolchain {
        println!("firmware/sizes.toml by {}", agreed.toolchain);
    }
    let grown = baseline::grown(sizes, &agreed);
    if grown.is_empty() {
        return Ok(());
    }
    fail!(
        "{}\nif that is meant: cargo xtask firmware sizes --save",
        grown.join("\n")
    )
}

/// A section that takes memory on the device.
#[derive(Debug)]
struct Section {
    name: String,
    size: u64,
    /// Whether it takes flash: its content is in the image.
    in_flash: bool,
    /// Whether it takes RAM: the program can write to it.
    in_ram: bool,
}

/// Those of an image, in the order of addresses.
fn sections(image: &Path) -> Result<Vec<Section>, Failure> {
    let bytes = fs::read(image).context(paths::shown(image))?;
    let file = object::File::parse(&*bytes).context(paths::shown(image))?;
    let sections = file.sections().filter_map(|section| {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            return None;
        };
        let has = |flag: elf::SectionFlags| sh_flags.contains(flag);
        let in_flash = section.file_range().is_some();
        (has(elf::SHF_ALLOC) && section.size() > 0).then(|| Section {
            name: section.name().unwrap_or_default().to_owned(),
            size: section.size(),
            in_flash,
            in_ram: has(elf::SHF_WRITE) || !in_flash,
        })
    });
    Ok(sections.collect())
}

/// One image, by section.
fn print(name: &str, sections: &[Section]) -> Size {
    let sum = |of: fn(&Section) -> bool| {
        let those = sections.iter().filter(|section| of(section));
        those.map(|section| section.size).sum()
    };
    let size = Size {
        flash: sum(|section| section.in_flash),
        ram: sum(|section| section.in_ram),
    };
    println!("{name}: {} bytes of flash, {} of RAM", size.flash, size.ram);
    for section in sections {
        let where_to = match (section.in_flash, section.in_ram) {
            (true, true) => "flash and RAM",
            (true, false) => "flash",
            _ => "RAM",
        };
        println!("  {:<16} {:>8}  {where_to}", section.name, section.size);
    }
    size
}

/// The deepest that the painted stack of the image that counts was used, over all keys and messages of the
/// test that counts.
fn stack() -> Result<u64, Failure> {
    let mut deepest = None;
    Run::cargo("test --package privyseal-emulator-tests --test gateway_qemu -- counts::").tee(
        |line| {
            let words = line.split_whitespace();
            let found = words.filter_map(|word| word.strip_prefix("stack=")?.parse().ok());
            deepest = found.max().max(deepest);
        },
    )?;
    match deepest {
        Some(deepest) => Ok(deepest),
        None => fail!("the test that counts has said nothing of a stack"),
    }
}
