//! How a rule came out, and why.

use thiserror::Error;

use super::json::JsonError;
use super::rule::RuleId;
use privyseal_core::cert::ChainError;
use privyseal_core::cert::ClockError;
use privyseal_core::field::Fault;
use privyseal_core::rsa::{KeyError, SignatureError};
use privyseal_core::time::UnixTime;

/// How one rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "readers handle each")]
pub enum Verdict {
    /// The rule holds.
    Passed,
    /// The rule is broken.
    Broken(Violation),
    /// The rule could not be judged: that is neither good nor bad.
    NotChecked(Reason),
}

/// Why a rule is broken. The value that breaks it is not repeated: a token is a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// The value has the wrong shape.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The value has another JSON type.
    #[error("is {found}, not {expected}")]
    Type {
        /// What it is, with its article.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// As the text says; the rule's name is the subject.
    #[error("{0}")]
    Text(&'static str),
    /// A number is not the one that it must equal, in seconds.
    #[error("is {found} s, not {expected} s")]
    Differs {
        /// The number.
        found: u64,
        /// What it must equal.
        expected: u64,
    },
    /// The token has expired.
    #[error("expired at {exp}, and now is {now}")]
    Expired {
        /// When.
        exp: UnixTime,
        /// The caller's clock.
        now: UnixTime,
    },
    /// The token is for later.
    #[error("is for {moment}, and now is {now}")]
    Future {
        /// The later of `iat` and `nbf`.
        moment: UnixTime,
        /// The caller's clock.
        now: UnixTime,
    },
    /// The text is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The certificates are no chain that may sign.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A certificate is not valid now.
    #[error(transparent)]
    Dates(#[from] ClockError),
    /// A certificate was revoked.
    #[error("has a certificate that was revoked at {since}")]
    Revoked {
        /// When.
        since: UnixTime,
    },
    /// The key cannot be used.
    #[error("the key {0}")]
    Key(KeyError),
    /// The signature is wrong.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Why a rule was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// It depends on a rule that is broken or was not judged itself.
    #[error("needs {0}")]
    Needs(RuleId),
    /// As the text says.
    #[error("{0}")]
    Because(&'static str),
}

impl Verdict {
    /// The word for it, in reports and JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Broken(_) => "broken",
            Self::NotChecked(_) => "not checked",
        }
    }

    pub(super) const fn because(reason: &'static str) -> Self {
        Self::NotChecked(Reason::Because(reason))
    }
}

impl From<Result<(), Violation>> for Verdict {
    fn from(outcome: Result<(), Violation>) -> Self {
        outcome.map_or_else(Self::Broken, |()| Self::Passed)
    }
}

impl From<KeyError> for Violation {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl Violation {
    /// Another JSON type than it should have.
    pub(super) const fn kind(found: &'static str, expected: &'static str) -> Self {
        Self::Type { found, expected }
    }
}

/// A rule that holds, or why it is broken.
pub(super) fn ensure(holds: bool, why: impl Into<Violation>) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(why.into()) }
}
