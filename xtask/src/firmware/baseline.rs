//! The sizes that were agreed to: `firmware/sizes.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::{Context, Failure};
use crate::paths;

const FILE: &str = "firmware/sizes.toml";

/// What the file begins with.
const HEAD: &str = "# From `cargo xtask firmware sizes --save`: bytes of each image, and of the stack that an answer\n\
                    # with a token takes.\n";

/// Growth that asks for a look, in per cent.
const GROWTH: u64 = 5;

/// The same where another compiler has built what is compared: it inlines differently, and brings its own
/// core library.
const GROWTH_ELSEWHERE: u64 = 15;

/// Bytes that are never worth a look.
const SLACK: u64 = 64;

/// What was measured, and by what it was built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Sizes {
    /// The compiler's words for itself, and whose it is.
    pub(crate) toolchain: String,
    /// Bytes of stack that an answer takes, where that was measured.
    pub(crate) stack: Option<u64>,
    /// Each image.
    #[serde(flatten)]
    pub(crate) images: BTreeMap<String, Size>,
}

/// Bytes of flash and RAM (without the stack) that an image takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Size {
    pub(crate) flash: u64,
    pub(crate) ram: u64,
}

/// Reads the file.
pub(crate) fn read() -> Result<Sizes, Failure> {
    let text = fs::read_to_string(path()).context(FILE)?;
    toml::from_str(&text).context(FILE)
}

/// Writes the file.
pub(crate) fn write(sizes: &Sizes) -> Result<(), Failure> {
    let text = toml::to_string(sizes).context(FILE)?;
    fs::write(path(), format!("{HEAD}{text}")).context(FILE)
}

/// What has grown too much, or is not in the file.
pub(crate) fn grown(sizes: &Sizes, agreed: &Sizes) -> Vec<String> {
    let percent = if sizes.toolchain == agreed.toolchain {
        GROWTH
    } else {
        GROWTH_ELSEWHERE
    };
    let mut grown = Vec::new();
    let mut compare = |what: String, now: u64, before: Option<u64>| match before {
        None => grown.push(format!("{what} is not in {FILE}")),
        Some(before) if now > before + (before * percent / 100).max(SLACK) => grown.push(format!(
            "{what}: {now} bytes, more than {percent} % over the {before} of {FILE}"
        )),
        Some(_) => {}
    };
    for (name, size) in &sizes.images {
        let before = agreed.images.get(name);
        compare(
            format!("flash of {name}"),
            size.flash,
            before.map(|it| it.flash),
        );
        compare(format!("RAM of {name}"), size.ram, before.map(|it| it.ram));
    }
    if let Some(stack) = sizes.stack {
        compare("the stack of an answer".to_owned(), stack, agreed.stack);
    }
    grown
}

fn path() -> PathBuf {
    paths::root().join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(toolchain: &str, flash: u64, ram: u64, stack: u64) -> Sizes {
        Sizes {
            toolchain: toolchain.to_owned(),
            stack: Some(stack),
            images: [("board".to_owned(), Size { flash, ram })].into(),
        }
    }

    #[test]
    fn growth_is_noticed_and_shrinking_is_not() {
        let agreed = sizes("one", 10_000, 10_000, 10_000);
        let found = |flash, ram, stack| grown(&sizes("one", flash, ram, stack), &agreed).len();
        assert_eq!(found(10_500, 10_500, 10_500), 0);
        assert_eq!(found(5_000, 0, 1), 0);
        assert_eq!(found(10_501, 10_000, 10_000), 1);
        assert_eq!(found(10_000, 10_501, 10_000), 1);
        assert_eq!(found(10_000, 10_000, 10_501), 1);
        let unknown = grown(&agreed, &Sizes::default());
        assert_eq!(unknown.len(), 3, "{unknown:?}");
    }

    #[test]
    fn another_compiler_is_given_more() {
        let agreed = sizes("one", 10_000, 10_000, 10_000);
        let other = |flash| grown(&sizes("another", flash, 10_000, 10_000), &agreed).len();
        assert_eq!(other(11_500), 0);
        assert_eq!(other(11_501), 1);
    }

    #[test]
    fn a_stack_that_was_not_measured_is_not_compared() {
        let agreed = sizes("one", 10_000, 10_000, 10_000);
        let mut images_only = agreed.clone();
        images_only.stack = None;
        assert!(grown(&images_only, &agreed).is_empty());
    }

    #[test]
    fn what_is_written_is_read() {
        let written = sizes("Debian's", 1, 2, 3);
        let text = toml::to_string(&written).expect("a table");
        assert_eq!(
            toml::from_str::<Sizes>(&text).expect("its own text"),
            written
        );
    }
}
