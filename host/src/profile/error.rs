//! Why a profile cannot be used.

use std::path::PathBuf;

use super::Origin;
use crate::base::BaseError;
use crate::client::BuildError;
use crate::oauth::OAuthError;
use crate::pki::PkiError;

/// Why a profile cannot be read, or makes no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// A file cannot be read.
    #[error("{0}")]
    Base(#[from] BaseError),
    /// A file of profiles breaks a rule.
    #[error("{} line {line}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, as a sentence without its end.
        problem: String,
    },
    /// No profile can have that name.
    #[error("a profile's name has 1 to 64 letters, digits, - and _")]
    Name,
    /// A file has a profile of that name already.
    #[error("{} has a profile {name} already", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A file of profiles cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A variable of the environment breaks the rule of its member.
    #[error("the variable {name} {problem}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong, as a clause about it.
        problem: String,
    },
    /// There is no such profile.
    #[error("there is no profile {}; {known}", name.escape_default())]
    Unknown {
        /// The name.
        name: String,
        /// Which profiles there are, as a clause.
        known: String,
    },
    /// A client needs a member that is not there.
    #[error("{profile} has no {member}, which a client needs")]
    Missing {
        /// Which profile, in words.
        profile: String,
        /// The member.
        member: &'static str,
    },
    /// What a member names cannot be used: a file.
    #[error("{origin}: {member} names a file that cannot be used: {error}")]
    Certificates {
        /// Where it was said.
        origin: Origin,
        /// The member.
        member: &'static str,
        /// What is wrong with the file.
        #[source]
        error: PkiError,
    },
    /// Another audience is asked for than the profile or its scheme says.
    #[error(
        "the profile or its scheme says for which audience the assertions are, and it is another one"
    )]
    OtherAudience,
    /// A profile of a file breaks a rule.
    #[error("the profile {name}: {error}")]
    Named {
        /// Its name.
        name: String,
        /// The rule.
        #[source]
        error: Box<Self>,
    },
    /// The members do not make what an assertion says.
    #[error("{0}")]
    OAuth(#[from] OAuthError),
    /// The members make no client.
    #[error("{0}")]
    Client(#[from] BuildError),
}

impl ProfileError {
    /// The same, which says of which profile it is.
    #[must_use]
    pub fn of_profile(self, name: &str) -> Self {
        match self {
            Self::OAuth(_) | Self::Client(_) => Self::Named {
                name: name.to_owned(),
                error: Box::new(self),
            },
            named => named,
        }
    }

    pub(super) fn unknown<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> Self {
        let known: Vec<_> = known.map(String::as_str).collect();
        Self::Unknown {
            name: name.chars().take(64).collect(),
            known: match known.as_slice() {
                [] => "no file has any".to_owned(),
                known => format!("there are {}", known.join(", ")),
            },
        }
    }
}
