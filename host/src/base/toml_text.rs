//! TOML by serde, where what is wrong has a line.

use core::ops::Range;

use serde::de::DeserializeOwned;

/// What is wrong in a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TomlFault {
    pub(crate) line: usize,
    pub(crate) problem: String,
}

/// Reads a text as `T` says. The problem names the member and does not repeat the text.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, TomlFault> {
    toml::from_str(text).map_err(|mut error| {
        let line = line(text, error.span().unwrap_or_default());
        // Without the text, the error names the member: a line, and `in` and the member's path on the next.
        error.set_input(None);
        let problem = error.to_string().trim_end().replace('\n', " ");
        TomlFault { line, problem }
    })
}

/// The line in which a span begins, from 1.
pub(crate) fn line(text: &str, span: Range<usize>) -> usize {
    let before = text.bytes().take(span.start);
    before.filter(|&byte| byte == b'\n').count() + 1
}
