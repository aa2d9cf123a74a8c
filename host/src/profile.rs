//! Profiles: what a client is, in a file, so that it is said once.
//!
//! ```toml
//! [profile.kpn]
//! scheme = "fiam"
//! key = "pkcs11:token=eseal;object=sign?module-path=/usr/lib/M.so&pin-source=file:/run/pin"
//! client-id = "EU.EORI.NL123456789"
//! base-url = "https://as.example/api/v1"
//! ```
//!
//! `scheme` is a built-in one, or one of the user's own from a table `[scheme.NAME]` ([`crate::schemes::own`]).
//!
//! The files are `/etc/privyseal/config.toml` and the user's, whose profiles replace the machine's of the same name. A
//! variable of the environment, such as `PRIVYSEAL_CLIENT_ID`, replaces a member. There are no secrets in them: a PIN
//! stands behind `pin-source`.
//!
//! ```no_run
//! # fn main() -> Result<(), privyseal::Error> {
//! use privyseal::profile::Profiles;
//!
//! let kpn = Profiles::load()?.profile(Some("kpn"))?;
//! let token = kpn.open()?.token(&kpn.server()?)?;
//! # Ok(()) }
//! ```

mod build;
mod error;
mod member;
mod origin;
mod read;
mod write;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use privyseal_core::SchemeRules;
use privyseal_core::scheme::OwnScheme;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::schemes::own;

pub use error::ProfileError;
pub use member::Value;
use member::{MEMBERS, Member};
pub use origin::Origin;
pub use write::NewProfile;

/// The machine's file.
pub const SYSTEM_FILE: &str = "/etc/privyseal/config.toml";

/// Names the profile that is meant where nothing else does.
pub const PROFILE_VARIABLE: &str = "PRIVYSEAL_PROFILE";

/// The profiles of one or more files.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    files: Vec<PathBuf>,
    schemes: Vec<&'static OwnScheme>,
    by_name: BTreeMap<String, Profile>,
}

/// What is said of one client: members, each with where it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    name: Option<String>,
    /// Its scheme, once that is said.
    scheme: Option<&'static SchemeRules>,
    values: BTreeMap<&'static str, (Value, Origin)>,
}

impl Profiles {
    /// Those of the machine and of this user; files that are not there have none.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Base`] and [`ProfileError::File`].
    pub fn load() -> Result<Self, ProfileError> {
        let mut all = Self::default();
        let system = PathBuf::from(SYSTEM_FILE);
        for path in [Some(system), user_file()].into_iter().flatten() {
            if path.try_exists().unwrap_or(true) {
                all.add::<IgnoredAny>(&path)?;
            }
        }
        Ok(all)
    }

    /// Those of one file. What the file says of the agent is not looked at.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Base`] and [`ProfileError::File`].
    pub fn from_file(path: &Path) -> Result<Self, ProfileError> {
        Self::with_agent::<IgnoredAny>(path).map(|(profiles, _)| profiles)
    }

    /// Those of one file, and its table `[agent]`.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Base`] and [`ProfileError::File`].
    pub fn with_agent<T: DeserializeOwned>(path: &Path) -> Result<(Self, Option<T>), ProfileError> {
        let mut all = Self::default();
        let agent = all.add(path)?;
        Ok((all, agent))
    }

    fn add<T: DeserializeOwned>(&mut self, path: &Path) -> Result<Option<T>, ProfileError> {
        let content = read::file(path, &self.schemes)?;
        self.files.push(path.to_owned());
        self.schemes = content.schemes;
        self.by_name.extend(content.profiles);
        Ok(content.agent)
    }

    /// The files that were read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The schemes of the files' own; of two with one name the later counts.
    pub fn schemes(&self) -> &[&'static OwnScheme] {
        &self.schemes
    }

    /// All profiles as the files have them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Profile)> {
        let profiles = self.by_name.iter();
        profiles.map(|(name, profile)| (name.as_str(), profile))
    }

    /// The profile of that name, or else of [`PROFILE_VARIABLE`], or else an empty one; with what the environment
    /// says.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Unknown`] and [`ProfileError::Variable`].
    pub fn profile(&self, name: Option<&str>) -> Result<Profile, ProfileError> {
        self.profile_in(name, |variable| std::env::var_os(variable))
    }

    fn profile_in(
        &self,
        name: Option<&str>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Profile, ProfileError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let from_variable = set(PROFILE_VARIABLE);
        let named = from_variable.as_ref().map(|name| name.to_string_lossy());
        let mut profile = match name.or(named.as_deref()) {
            Some(name) => self.get(name)?.clone(),
            None => Profile::default(),
        };
        profile.replace(member::from_environment(set, &self.schemes)?);
        if let Some((_, Origin::Variable(_))) = profile.values.get("scheme") {
            let name = profile.text("scheme");
            profile.scheme = name.and_then(|name| own::rules(&self.schemes, name));
        }
        Ok(profile)
    }

    /// The profile of that name as the file has it.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Unknown`].
    pub fn get(&self, name: &str) -> Result<&Profile, ProfileError> {
        self.by_name
            .get(name)
            .ok_or_else(|| ProfileError::unknown(name, self.by_name.keys()))
    }
}

impl Profile {
    /// The name; `None` where only the environment speaks.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// All that is said, with where, in the order of the documentation.
    pub fn members(&self) -> impl Iterator<Item = (&'static str, &Value, &Origin)> {
        MEMBERS.iter().filter_map(|Member { name, .. }| {
            let (value, origin) = self.values.get(name)?;
            Some((*name, value, origin))
        })
    }

    /// The members that there are: name, shape, and what it says.
    pub fn known_members() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        MEMBERS
            .iter()
            .map(|member| (member.name, member.kind.shape(), member.about))
    }

    /// The members that are not said together with this one: what is said of one of them takes the other's place.
    pub fn alternatives(member: &str) -> &'static [&'static str] {
        let known = MEMBERS.iter().find(|known| known.name == member);
        known.map_or(&[], |known| known.instead_of)
    }

    fn replace(&mut self, others: BTreeMap<&'static str, (Value, Origin)>) {
        let replaced = others.keys().flat_map(|name| Self::alternatives(name));
        for name in replaced {
            self.values.remove(name);
        }
        self.values.extend(others);
    }
}

/// `$XDG_CONFIG_HOME/privyseal/config.toml`, mostly `~/.config/privyseal/config.toml`; `None` where neither the
/// variable nor `HOME` says where.
pub fn user_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME")
        .or_else(|| Some(set("HOME")?.join(".config")))
        .filter(|folder| folder.is_absolute());
    folder.map(|folder| folder.join("privyseal/config.toml"))
}

#[cfg(test)]
mod tests;
