//! A new profile, at the end of a file.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use super::{Profile, ProfileError, Value, read};
use crate::base::BaseError;

/// A profile that is not in its file yet.
#[derive(Debug)]
pub struct NewProfile {
    path: PathBuf,
    text: String,
    profile: Profile,
}

impl NewProfile {
    /// A profile of these members, for this file. Nothing is written.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Name`]; [`ProfileError::Taken`] if the file has one of that name; as
    /// [`Profiles::from_file`](super::Profiles::from_file) for the file as it will be.
    pub fn new<'m>(
        path: &Path,
        name: &str,
        members: impl IntoIterator<Item = (&'m str, Value)>,
    ) -> Result<Self, ProfileError> {
        if !read::is_name(name) {
            return Err(ProfileError::Name);
        }
        let before = match read::text(path) {
            Err(ProfileError::Base(BaseError::Read { source, .. }))
                if source.kind() == io::ErrorKind::NotFound =>
            {
                String::new()
            }
            before => before?.as_str().to_owned(),
        };
        if read::read::<IgnoredAny>(&before, path, &[])?
            .profiles
            .contains_key(name)
        {
            return Err(ProfileError::Taken {
                path: path.to_owned(),
                name: name.to_owned(),
            });
        }
        let gap = match before.as_str() {
            "" => "",
            before if before.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        let mut text = format!("{gap}[profile.{name}]\n");
        for (member, value) in members {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{member} = {value}");
        }
        let mut after = read::read::<IgnoredAny>(&(before + &text), path, &[])?.profiles;
        let profile = after.remove(name);
        Ok(Self {
            path: path.to_owned(),
            text,
            profile: profile.ok_or_else(|| ProfileError::unknown(name, after.keys()))?,
        })
    }

    /// The profile as it will be read.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Writes it to the end of the file, which is made for its owner only where it is not there. What stood in it stays.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Write`]; then the file is as it was.
    pub fn write(&self) -> Result<(), ProfileError> {
        self.append().map_err(|source| ProfileError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn append(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file: File = options.open(&self.path)?;
        let before = file.metadata()?.len();
        let written = file.write_all(self.text.as_bytes());
        written.and_then(|()| file.sync_all()).inspect_err(|_| {
            // Half a profile would keep all others from being read.
            let _ = file.set_len(before);
        })
    }
}
