//! From TOML to profiles.

use std::collections::BTreeMap;
use std::path::Path;

use privyseal_core::scheme::OwnScheme;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use zeroize::Zeroizing;

use super::member::{MEMBERS, Value};
use super::{Origin, Profile, ProfileError};
use crate::base::file::{InputFile, MAX_FILE};
use crate::base::toml::{self as text_of, TomlError};
use crate::schemes::own::{self, SchemeTables};

type Members = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile<T> {
    #[serde(default = "BTreeMap::new")]
    profile: BTreeMap<Spanned<String>, Members>,
    #[serde(default)]
    scheme: SchemeTables,
    agent: Option<T>,
}

/// What a file holds.
pub(super) struct Content<T> {
    pub(super) profiles: BTreeMap<String, Profile>,
    /// Its own schemes, after those that were known before.
    pub(super) schemes: Vec<&'static OwnScheme>,
    pub(super) agent: Option<T>,
}

pub(super) fn file<T: DeserializeOwned>(
    path: &Path,
    known: &[&'static OwnScheme],
) -> Result<Content<T>, ProfileError> {
    read(&text(path)?, path, known)
}

pub(super) fn text(path: &Path) -> Result<Zeroizing<String>, ProfileError> {
    Ok(InputFile::open(path)?.read_text(MAX_FILE)?)
}

/// What a file with this text at this path says.
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    path: &Path,
    known: &[&'static OwnScheme],
) -> Result<Content<T>, ProfileError> {
    profiles_of(text, path, known).map_err(|TomlError { line, problem }| {
        let path = path.to_owned();
        ProfileError::File {
            path,
            line,
            problem,
        }
    })
}

fn profiles_of<T: DeserializeOwned>(
    text: &str,
    path: &Path,
    known: &[&'static OwnScheme],
) -> Result<Content<T>, TomlError> {
    let file: ConfigFile<T> = text_of::from_str(text)?;
    let schemes = [known, &file.scheme.check(text)?].concat();
    let mut profiles = BTreeMap::new();
    for (name, members) in file.profile {
        let span = name.span();
        let name = name.into_inner();
        if !is_name(&name) {
            return Err(TomlError::at(text, span, ProfileError::Name.to_string()));
        }
        let mut profile = Profile {
            name: Some(name.clone()),
            ..Profile::default()
        };
        for (member, value) in members {
            let said = format!("profile.{name}.{}", member.get_ref().escape_default());
            let fault =
                |problem: String| TomlError::at(text, member.span(), format!("{said} {problem}"));
            let Some(known) = MEMBERS.iter().find(|known| known.name == member.get_ref()) else {
                let names: Vec<_> = MEMBERS.iter().map(|known| known.name).collect();
                return Err(fault(format!(
                    "is not known; known are {}",
                    names.join(", ")
                )));
            };
            let together = known.instead_of.iter();
            if let Some(other) = together
                .into_iter()
                .find(|it| profile.values.contains_key(*it))
            {
                return Err(fault(format!("is there with {other}; one of them says it")));
            }
            let folder = path.parent().unwrap_or(Path::new(""));
            let value = value_of(value.into_inner())
                .ok_or_else(|| format!("is not {}", known.kind.shape()))
                .and_then(|value| {
                    known
                        .kind
                        .checked(known.kind.located(value, folder), &schemes)
                })
                .map_err(fault)?;
            let origin = Origin::File {
                path: path.to_owned(),
                line: text_of::line_of(text, &member.span()),
            };
            profile.values.insert(known.name, (value, origin));
        }
        profile.scheme = profile
            .text("scheme")
            .and_then(|name| own::rules(&schemes, name));
        profiles.insert(name, profile);
    }
    Ok(Content {
        profiles,
        schemes,
        agent: file.agent,
    })
}

/// It stands in URLs and messages.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Nothing for a shape that no member has.
fn value_of(value: toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(text) => Some(Value::Text(text)),
        toml::Value::Boolean(flag) => Some(Value::Flag(flag)),
        toml::Value::Integer(number) => u64::try_from(number).ok().map(Value::Number),
        toml::Value::Array(items) => list(items),
        _ => None,
    }
}

fn list(items: Vec<toml::Value>) -> Option<Value> {
    if let Some(toml::Value::String(_)) = items.first() {
        let texts = items.into_iter().map(|item| match item {
            toml::Value::String(text) => Some(text),
            _ => None,
        });
        return texts.collect::<Option<_>>().map(Value::Texts);
    }
    let numbers = items
        .into_iter()
        .map(|item| item.as_integer()?.try_into().ok());
    numbers.collect::<Option<_>>().map(Value::Numbers)
}
