//! What each image takes of a part's memory, and what an answer takes of its stack.

use clap::Args;

use super::baseline::{self, Size, Sizes};
use super::elf::{Elf, Section};
use super::image;
use crate::failure::{Failure, fail};
use crate::process::Run;
use crate::thumb;

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
    image::build_all()?;
    let mut sizes = Sizes {
        toolchain: thumb::described()?,
        ..Sizes::default()
    };
    for image in image::ALL {
        let elf = Elf::read(&image.path())?;
        let size = print(image.name, &elf);
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

/// One image, by section.
fn print(name: &str, elf: &Elf) -> Size {
    let sum = |of: fn(&Section) -> bool| {
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
