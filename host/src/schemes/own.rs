//! Schemes of a user's own: tables `[scheme.NAME]` of a TOML file, checked by the core's bounds.

mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use privyseal_core::scheme::OwnScheme;
use privyseal_core::{Scheme, SchemeRules};
use privyseal_hsm::lock;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::base::toml::{TomlError, TomlFileError};
use crate::base::{file, toml as text_of};

pub use table::SchemeTable;

/// Why a file defines no scheme.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemeFileError {
    /// It cannot be read, or does not hold what it should.
    #[error("{0}")]
    File(#[from] TomlFileError),
    /// It defines several, and one is meant.
    #[error("{} has several tables [scheme.NAME], and one is meant", path.display())]
    Several {
        /// The file.
        path: PathBuf,
    },
}

/// The tables `[scheme.NAME]`: a member of a configuration file. [`SchemeTables::check`] makes schemes of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct SchemeTables(BTreeMap<String, Spanned<SchemeTable>>);

/// A file of schemes; it may be a configuration file, whose other tables are not looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeFile {
    scheme: SchemeTables,
    #[serde(default, rename = "profile")]
    _profile: IgnoredAny,
    #[serde(default, rename = "agent")]
    _agent: IgnoredAny,
}

impl SchemeTables {
    /// The schemes, by name. `text` is what the tables were read from, for the line in an error.
    ///
    /// A scheme lives as long as the process; the same table, read again, is the same scheme.
    ///
    /// # Errors
    ///
    /// [`TomlError`], at the first thing that is out of bounds.
    pub fn check(&self, text: &str) -> Result<Vec<&'static OwnScheme>, TomlError> {
        let tables = self.0.iter();
        tables
            .map(|(name, table)| known(name, table, text))
            .collect()
    }
}

/// The one scheme that a file defines.
///
/// # Errors
///
/// [`SchemeFileError`].
pub fn from_file(path: &Path) -> Result<&'static OwnScheme, SchemeFileError> {
    let text = file::InputFile::open(path).and_then(|it| it.read_text(file::MAX_FILE));
    let text = text.map_err(TomlFileError::from)?;
    match from_toml(&text).map_err(|error| error.of(path))?.as_slice() {
        [scheme] => Ok(scheme),
        [] => {
            let problem = "there is no table [scheme.NAME]";
            Err(TomlError::at(&text, 0..0, problem).of(path).into())
        }
        _ => Err(SchemeFileError::Several {
            path: path.to_owned(),
        }),
    }
}

/// The schemes that a text defines.
///
/// # Errors
///
/// [`TomlError`].
pub fn from_toml(text: &str) -> Result<Vec<&'static OwnScheme>, TomlError> {
    text_of::from_str::<SchemeFile>(text)?.scheme.check(text)
}

/// The rules of that name: those of a built-in scheme, or the last of `own` that has it.
pub fn rules(own: &[&'static OwnScheme], name: &str) -> Option<&'static SchemeRules> {
    let built_in = Scheme::by_name(name).map(Scheme::rules);
    built_in.or_else(|| {
        own.iter()
            .rfind(|own| own.name() == name)
            .map(|own| &***own)
    })
}

/// The scheme of a table that was read before, or a new one.
fn known(
    name: &str,
    table: &Spanned<SchemeTable>,
    text: &str,
) -> Result<&'static OwnScheme, TomlError> {
    static KNOWN: Mutex<Vec<(SchemeTable, &OwnScheme)>> = Mutex::new(Vec::new());
    let mut known = lock(&KNOWN);
    let is_same = |(other, scheme): &&(SchemeTable, &OwnScheme)| {
        scheme.name() == name && other == table.get_ref()
    };
    if let Some((_, scheme)) = known.iter().find(is_same) {
        return Ok(scheme);
    }
    let scheme = table.get_ref().check(name).map_err(|error| {
        let span = table.get_ref().span_of(error.field);
        TomlError::at(
            text,
            span.unwrap_or_else(|| table.span()),
            format!("scheme.{name}: {error}"),
        )
    })?;
    let scheme: &'static OwnScheme = Box::leak(Box::new(scheme));
    known.push((table.get_ref().clone(), scheme));
    Ok(scheme)
}

#[cfg(test)]
mod tests;
