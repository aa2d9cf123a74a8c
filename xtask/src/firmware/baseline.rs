//! The sizes that were agreed to: `firmware/sizes.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::failure::{Context, Failure, fail};
use crate::place;

/// Growth of an image that asks for a look, in per cent.
const GROWTH: u64 = 5;

/// Bytes of flash and RAM (without the stack) of each image.
pub(crate) type Sizes = BTreeMap<String, Size>;

/// What one image takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) flash: u64,
    pub(crate) ram: u64,
}

/// Reads the file.
pub(crate) fn read() -> Result<Sizes, Failure> {
    let text = fs::read_to_string(path()).context(place::shown(&path()))?;
    let table: toml::Table = text.parse().context(place::shown(&path()))?;
    let mut sizes = Sizes::new();
    for (name, size) in &table {
        let number = |field: &str| {
            let value = size.get(field).and_then(toml::Value::as_integer);
            value.and_then(|value| u64::try_from(value).ok())
        };
        let (Some(flash), Some(ram)) = (number("flash"), number("ram")) else {
            return fail!("{}: [{name}] needs flash and ram", place::shown(&path()));
        };
        sizes.insert(name.clone(), Size { flash, ram });
    }
    Ok(sizes)
}

/// Writes the file anew.
pub(crate) fn write(sizes: &Sizes) -> Result<(), Failure> {
    let mut text = "# Bytes of each image, from `cargo xtask firmware sizes --save`.\n".to_owned();
    for (name, size) in sizes {
        let _ = write!(
            text,
            "\n[{name}]\nflash = {}\nram = {}\n",
            size.flash, size.ram
        );
    }
    fs::write(path(), text).context(place::shown(&path()))
}

/// What has grown too much, or is not in the file.
pub(crate) fn grown(sizes: &Sizes, agreed: &Sizes) -> Vec<String> {
    let grown = sizes.iter().filter_map(|(name, size)| {
        let Some(before) = agreed.get(name) else {
            return Some(format!("{name} is not in firmware/sizes.toml"));
        };
        let limit = before.flash.saturating_add(before.flash * GROWTH / 100);
        (size.flash > limit).then(|| {
            format!(
                "{name}: {} bytes of flash, more than {GROWTH} % over the {} of firmware/sizes.toml",
                size.flash, before.flash
            )
        })
    });
    grown.collect()
}

fn path() -> PathBuf {
    place::root().join("firmware/sizes.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(flash: u64) -> Sizes {
        [("board".to_owned(), Size { flash, ram: 1 })].into()
    }

    #[test]
    fn growth_is_noticed_and_shrinking_is_not() {
        assert!(grown(&sizes(105), &sizes(100)).is_empty());
        assert!(grown(&sizes(50), &sizes(100)).is_empty());
        assert_eq!(grown(&sizes(106), &sizes(100)).len(), 1);
        assert_eq!(grown(&sizes(1), &Sizes::new()).len(), 1);
    }
}
