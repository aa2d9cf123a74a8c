//! The members of a profile, as data: a name is that of the option of the same meaning.

use core::fmt::{self, Write as _};
use core::str::FromStr as _;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use privyseal_core::limits::MAX_BACKDATE_SECONDS;
use privyseal_core::scheme::{self, OwnScheme};

use super::{Origin, ProfileError};
use crate::http::BaseUrl;
use crate::jose::jwk::KidForm;
use crate::keys::key::KeyUri;
use crate::schemes::own;

/// What a member may be.
pub(super) struct Member {
    pub(super) name: &'static str,
    /// What it says.
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    /// Members that it takes the place of.
    pub(super) instead_of: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Scheme,
    /// A key's URI, or several references to one key.
    Keys,
    /// A file; in a file of profiles relative to its folder.
    File,
    /// A file, or the word `token`.
    Chain,
    Text,
    BaseUrl,
    /// A path below the base URL.
    UrlPath,
    KidForm,
    Number(u64, u64),
    Flag,
    /// Numbers of users of this machine.
    Users,
}

const fn member(name: &'static str, about: &'static str, kind: Kind) -> Member {
    instead(name, about, kind, &[])
}

const fn instead(
    name: &'static str,
    about: &'static str,
    kind: Kind,
    instead_of: &'static [&'static str],
) -> Member {
    Member {
        name,
        about,
        kind,
        instead_of,
    }
}

/// All of them.
pub(super) const MEMBERS: &[Member] = &[
    member(
        "scheme",
        "whose rules apply: a built-in scheme's name, or that of a table `[scheme.NAME]` in the same file",
        Kind::Scheme,
    ),
    member(
        "key",
        "the key's URI, or a list of references to one key, for when one is away",
        Kind::Keys,
    ),
    member(
        "chain",
        "the certificate chain: a file, or `token` for the one beside the key",
        Kind::Chain,
    ),
    instead(
        "kid",
        "the `kid`, for schemes that send one",
        Kind::Text,
        &["kid-form"],
    ),
    instead(
        "kid-form",
        "how the `kid` is computed from the key",
        Kind::KidForm,
        &["kid"],
    ),
    member("client-id", "the client id, or party id", Kind::Text),
    instead(
        "audience",
        "the audience of the assertions, where the scheme does not say it",
        Kind::Text,
        &["endpoint", "realm"],
    ),
    instead(
        "endpoint",
        "the endpoint that is called, where each has its audience",
        Kind::Text,
        &["audience"],
    ),
    instead(
        "realm",
        "the realm whose issuer is the audience",
        Kind::Text,
        &["audience"],
    ),
    member("base-url", "the server that gives tokens", Kind::BaseUrl),
    member(
        "token-path",
        "the path of its token endpoint, where it is not the scheme's",
        Kind::UrlPath,
    ),
    member("scope", "the scope of the tokens", Kind::Text),
    member(
        "lifetime",
        "how long an assertion lives, in seconds",
        Kind::Number(1, u32::MAX as u64),
    ),
    member(
        "backdate",
        "seconds by which iat and nbf are dated back",
        Kind::Number(0, MAX_BACKDATE_SECONDS),
    ),
    member(
        "cacert",
        "a file with the roots that are trusted for the server, in place of the machine's",
        Kind::File,
    ),
    member(
        "timeout",
        "how long a server may take, in seconds",
        Kind::Number(1, 600),
    ),
    member(
        "refuse-extractable",
        "refuse a key that can leave its token",
        Kind::Flag,
    ),
    member(
        "require-certificate",
        "refuse a key without its certificate beside it",
        Kind::Flag,
    ),
    member(
        "min-key-bits",
        "the shortest key",
        Kind::Number(2048, 16384),
    ),
    member(
        "allow-public-object",
        "take a key that can be used without a login",
        Kind::Flag,
    ),
    member(
        "allow-not-sensitive",
        "take a key that its token may show",
        Kind::Flag,
    ),
    member(
        "allow-other-certificate",
        "take a key beside which is the certificate of another one",
        Kind::Flag,
    ),
    member(
        "allow-uids",
        "who may ask the agent; not from the environment",
        Kind::Users,
    ),
];

/// What a member says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A text, or a file's path.
    Text(String),
    /// One or more texts.
    Texts(Vec<String>),
    /// A whole number.
    Number(u64),
    /// Whole numbers.
    Numbers(Vec<u32>),
    /// Yes or no.
    Flag(bool),
}

/// As it would stand in a file.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quote(f, text),
            Self::Texts(texts) => match texts.as_slice() {
                [text] => quote(f, text),
                texts => {
                    for (index, text) in texts.iter().enumerate() {
                        f.write_str(if index == 0 { "[" } else { ", " })?;
                        quote(f, text)?;
                    }
                    f.write_str("]")
                }
            },
            Self::Number(number) => number.fmt(f),
            Self::Numbers(numbers) => write!(f, "{numbers:?}"),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

/// A basic string of TOML.
fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            it if it.is_control() => write!(f, "\\u{:04X}", u32::from(it))?,
            it => f.write_char(it)?,
        }
    }
    f.write_char('"')
}

impl Kind {
    /// Whether a text is what this kind says; no problem repeats it, for it may hold a PIN.
    pub(super) fn checked(
        self,
        value: Value,
        schemes: &[&'static OwnScheme],
    ) -> Result<Value, String> {
        match (self, &value) {
            (Self::Scheme, Value::Text(name)) if own::rules(schemes, name).is_none() => {
                let built_in = scheme::ALL.iter().map(|scheme| scheme.name());
                let names: Vec<_> = built_in.chain(schemes.iter().map(|it| it.name())).collect();
                Err(format!("is no scheme; known are {}", names.join(", ")))
            }
            (Self::Keys, Value::Text(uri)) => {
                check_key(uri)?;
                Ok(Value::Texts(vec![uri.clone()]))
            }
            (Self::Keys, Value::Texts(uris)) if !uris.is_empty() => {
                uris.iter().try_for_each(|uri| check_key(uri))?;
                Ok(value)
            }
            (Self::BaseUrl, Value::Text(url)) => match BaseUrl::from_str(url) {
                Ok(_) => Ok(value),
                Err(error) => Err(format!("is refused: {error}")),
            },
            (Self::UrlPath, Value::Text(path)) if !path.starts_with('/') => {
                Err("is refused: a path starts with /".to_owned())
            }
            (Self::KidForm, Value::Text(name)) if KidForm::by_name(name).is_none() => {
                let names = KidForm::ALL.map(KidForm::name).join(", ");
                Err(format!("is no form; known are {names}"))
            }
            (Self::Number(min, max), Value::Number(number)) if !(min..=max).contains(number) => {
                Err(format!("is {number}, which is not {min} to {max}"))
            }
            (
                Self::Scheme
                | Self::File
                | Self::Chain
                | Self::Text
                | Self::UrlPath
                | Self::KidForm,
                Value::Text(text),
            ) if !text.is_empty() => Ok(value),
            (Self::Number(..), Value::Number(_))
            | (Self::Flag, Value::Flag(_))
            | (Self::Users, Value::Numbers(_)) => Ok(value),
            _ => Err(format!("is not {}", self.shape())),
        }
    }

    pub(super) const fn shape(self) -> &'static str {
        match self {
            Self::Keys => "a key's URI, or a list of them",
            Self::Number(..) => "a whole number of 0 or more",
            Self::Flag => "true or false",
            Self::Users => "a list of numbers of users",
            _ => "a text with something in it",
        }
    }

    /// The value in a variable.
    fn parse(self, text: String) -> Value {
        match (self, text.as_str()) {
            (Self::Flag, "true") => Value::Flag(true),
            (Self::Flag, "false") => Value::Flag(false),
            (Self::Number(..), digits) => match digits.parse() {
                Ok(number) => Value::Number(number),
                Err(_) => Value::Text(text),
            },
            _ => Value::Text(text),
        }
    }

    /// The value in a file that lies in `folder`: paths are relative to it.
    pub(super) fn located(self, value: Value, folder: &Path) -> Value {
        let is_file = match (self, &value) {
            (Self::File, Value::Text(_)) => true,
            (Self::Chain, Value::Text(text)) => text != "token",
            _ => false,
        };
        match value {
            Value::Text(path) if is_file && !path.is_empty() => {
                // Both are text: the folder's path is where it is not, which then names no file.
                Value::Text(folder.join(path).to_string_lossy().into_owned())
            }
            value => value,
        }
    }
}

fn check_key(uri: &str) -> Result<(), String> {
    match KeyUri::from_str(uri) {
        Ok(uri) if uri.pin_value().is_some() => Err(
            "holds a PIN (pin-value), and a profile holds no secrets; pin-source names a file"
                .to_owned(),
        ),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("is refused: {error}")),
    }
}

/// What the environment says: `PRIVYSEAL_` and a member's name in capitals.
pub(super) fn from_environment(
    variable: impl Fn(&str) -> Option<OsString>,
    schemes: &[&'static OwnScheme],
) -> Result<BTreeMap<&'static str, (Value, Origin)>, ProfileError> {
    let mut values = BTreeMap::new();
    for Member { name, kind, .. } in MEMBERS {
        // Who may ask is for a file that its owner wrote.
        if let Kind::Users = kind {
            continue;
        }
        let variable_name = format!("PRIVYSEAL_{}", name.to_uppercase().replace('-', "_"));
        let Some(text) = variable(&variable_name) else {
            continue;
        };
        let text = text.into_string().map_err(|_| "is not UTF-8".to_owned());
        let value = text.and_then(|text| kind.checked(kind.parse(text), schemes));
        match value {
            Ok(value) => values.insert(*name, (value, Origin::Variable(variable_name))),
            Err(problem) => {
                let name = variable_name;
                return Err(ProfileError::Variable { name, problem });
            }
        };
    }
    Ok(values)
}
