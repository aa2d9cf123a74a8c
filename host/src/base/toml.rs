//! TOML whose errors say the line.

use core::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::base::BaseError;

pub use ::toml::Spanned;

/// What is wrong with a TOML text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct TomlError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, with the member's name.
    pub problem: String,
}

/// Why a file does not say what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TomlFileError {
    /// It cannot be read.
    #[error("{0}")]
    File(#[from] BaseError),
    /// It does not hold what it should.
    #[error("{}, {error}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: TomlError,
    },
}

impl TomlError {
    /// The same of a file.
    pub fn of(self, path: &Path) -> TomlFileError {
        TomlFileError::Content {
            path: path.to_owned(),
            error: self,
        }
    }

    /// `problem` with what stands at `span` of `text`.
    pub fn at(text: &str, span: Range<usize>, problem: impl Into<String>) -> Self {
        Self {
            line: line_of(text, &span),
            problem: problem.into(),
        }
    }
}

/// The line in which `span` begins, from 1.
pub(crate) fn line_of(text: &str, span: &Range<usize>) -> usize {
    let before = text.bytes().take(span.start);
    before.filter(|&byte| byte == b'\n').count() + 1
}

/// Reads a text.
///
/// # Errors
///
/// [`TomlError`]: no TOML, or not what `T` takes.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    ::toml::from_str(text).map_err(|mut error| {
        let span = error.span().unwrap_or_default();
        // Without the text the error is one line, and `in` and the member's path on the next.
        error.set_input(None);
        let problem = error.to_string().trim_end().replace('\n', " ");
        TomlError::at(text, span, problem)
    })
}
