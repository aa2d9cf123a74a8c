//! The images: what each is made of, and where it lies once built.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reproducible::reproducibly;
use object::read::elf::{ElfFile32, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSegment as _};

use super::{maker, manifest};
use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::{paths, thumb};

/// A program for a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// What it is called here; `target/firmware-images/NAME.elf`.
    pub(crate) name: &'static str,
    package: &'static str,
    bin: &'static str,
    features: &'static str,
}

/// What one flashes.
pub(super) const STM32F405: Image = Image {
    name: "stm32f405",
    package: "privyseal-firmware-stm32f405",
    bin: "stm32f405",
    features: "",
};

/// For QEMU's board of that name.
const AN386: Image = Image {
    name: "mps2-an386",
    package: "privyseal-firmware-mps2-an386",
    bin: "mps2-an386",
    features: "",
};

/// All of them.
pub(crate) const ALL: &[Image] = &[
    STM32F405,
    // With log lines for a debug probe.
    Image {
        name: "stm32f405-debug",
        features: "log",
        ..STM32F405
    },
    // For QEMU's netduinoplus2.
    Image {
        name: "stm32f405-qemu",
        features: "qemu",
        ..STM32F405
    },
    // Breaks on purpose.
    Image {
        name: "stm32f405-faults",
        bin: "stm32f405-faults",
        features: "qemu",
        ..STM32F405
    },
    AN386,
    // With a first stage, and for its slot.
    Image {
        name: "mps2-an386-first-stage",
        bin: "mps2-an386-first-stage",
        features: "first-stage",
        ..AN386
    },
    Image {
        name: "mps2-an386-slot",
        features: "slot",
        ..AN386
    },
    // Breaks on purpose.
    Image {
        name: "mps2-an386-faults",
        bin: "mps2-an386-faults",
        ..AN386
    },
    // The gateway, and counts.
    Image {
        name: "mps2-an386-measure",
        bin: "mps2-an386-measure",
        features: "measure",
        ..AN386
    },
];

impl Image {
    /// Where it lies once built.
    pub(crate) fn path(&self) -> PathBuf {
        folder().join(format!("{}.elf", self.name))
    }

    /// Builds it with whichever toolchain is there.
    pub(super) fn build(&self, cargo: Run) -> Result<(), Failure> {
        let cargo = reproducibly(self.on(cargo.words("build --release"))?, &paths::root());
        cargo.args(["--bin", self.bin]).show_and_stream()?;
        keep(self.bin, self.name)?;
        if self.features == "slot" {
            // What is signed.
            let place = self.path().with_extension("bin");
            fs::write(&place, flash(&self.path())?).context(paths::shown(&place))?;
        }
        Ok(())
    }

    /// Builds it from the sources in another folder, and gives its path.
    pub(super) fn build_from(&self, root: &Path) -> Result<PathBuf, Failure> {
        let (_, cargo) = thumb::toolchain()?;
        let target = paths::target().join("elsewhere/target");
        let build = cargo
            .words("build --release --quiet --target")
            .args([thumb::TARGET, "--package", self.package, "--bin", self.bin])
            .arg("--manifest-path")
            .arg(root.join("firmware/Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target)
            .limit(Duration::from_secs(15 * 60));
        reproducibly(build, root).show_and_stream()?;
        Ok(target.join(thumb::TARGET).join("release").join(self.bin))
    }

    /// A cargo command on this package for the target.
    fn on(&self, cargo: Run) -> Result<Run, Failure> {
        let features = ["--features", self.features];
        Ok(cargo
            .args(["--quiet", "--target", thumb::TARGET, "--manifest-path"])
            .arg(manifest())
            .args(["--package", self.package])
            .args(features.iter().filter(|_| !self.features.is_empty()))
            .env("CARGO_TARGET_DIR", paths::target().join("firmware-thumb"))
            .env(maker::VARIABLE, maker::key()?)
            .limit(Duration::from_secs(15 * 60)))
    }
}

/// Puts a program that was built where images lie.
pub(super) fn keep(bin: &str, name: &str) -> Result<(), Failure> {
    let target = paths::target().join("firmware-thumb");
    let built = target.join(thumb::TARGET).join("release").join(bin);
    fs::create_dir_all(folder()).context("the folder of images")?;
    // Written beside and moved: a test may be about to read it.
    let (beside, place) = (folder().join("new"), folder().join(format!("{name}.elf")));
    fs::copy(&built, &beside).context(paths::shown(&built))?;
    fs::rename(&beside, &place).context(paths::shown(&place))
}

/// Builds the images that are wanted.
pub(super) fn build(is_wanted: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let (how, _) = thumb::toolchain()?;
    println!("toolchain for {}: {how}", thumb::TARGET);
    for image in ALL.iter().filter(|image| is_wanted(image.name)) {
        let (_, cargo) = thumb::toolchain()?;
        image.build(cargo)?;
    }
    println!("images: {}", paths::shown(&folder()));
    Ok(())
}

/// The machine of QEMU and the image for a board.
pub(crate) fn emulated(board: &str) -> Option<(&'static str, &'static Image)> {
    let (machine, name) = match board {
        "stm32f405" => ("netduinoplus2", "stm32f405-qemu"),
        "mps2-an386" => ("mps2-an386", "mps2-an386"),
        _ => return None,
    };
    let image = ALL.iter().find(|image| image.name == name)?;
    Some((machine, image))
}

/// Clippy on every kind of image, with whichever toolchain is there.
pub(crate) fn lint() -> Result<(), Failure> {
    for image in ALL {
        let (how, clippy) = thumb::clippy()?;
        if *image == STM32F405 {
            println!("toolchain for {}: {how}", thumb::TARGET);
        }
        // In release mode like the images, whose profile changes what macros become; but in another folder.
        let clippy = image
            .on(clippy)?
            .arg("--release")
            .args(["--bin", image.bin])
            .env("CARGO_TARGET_DIR", paths::target().join("firmware-clippy"));
        clippy.words("-- -D warnings").stream()?;
    }
    Ok(())
}

fn folder() -> PathBuf {
    paths::target().join("firmware-images")
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
