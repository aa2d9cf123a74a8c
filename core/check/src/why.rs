//! How a rule came out, and why.

use core::fmt;

use super::json::JsonError;
use super::rule::RuleId;
use privyseal_core::cert::ChainError;
use privyseal_core::cert::ClockError;
use privyseal_core::field::Fault;
use privyseal_core::rsa::{KeyError, SignatureError};
use privyseal_core::time::UnixTime;

/// How one rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule holds.
    Passed,
    /// The rule is broken.
    Broken(Why),
    /// The rule could not be judged: that is neither good nor bad.
    NotChecked(Reason),
}

/// Why a rule is broken. The value that breaks it is not repeated: a token is a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The value has the wrong shape.
    Fault(Fault),
    /// The value has another JSON type.
    Type {
        /// What it is, with its article.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// As the text says; the rule's name is the subject.
    Text(&'static str),
    /// A number is not the one that it must equal, in seconds.
    Differs {
        /// The number.
        found: u64,
        /// What it must equal.
        expected: u64,
    },
    /// The token has expired.
    Expired {
        /// When.
        exp: UnixTime,
        /// The caller's clock.
        now: UnixTime,
    },
    /// The token is for later.
    Future {
        /// The later of `iat` and `nbf`.
        moment: UnixTime,
        /// The caller's clock.
        now: UnixTime,
    },
    /// The text is not JSON.
    Json(JsonError),
    /// The certificates are no chain that may sign.
    Chain(ChainError),
    /// A certificate is not valid now.
    Dates(ClockError),
    /// A certificate was revoked.
    Revoked {
        /// When.
        since: UnixTime,
    },
    /// The key cannot be used.
    Key(KeyError),
    /// The signature is wrong.
    Signature(SignatureError),
}

/// Why a rule was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It depends on a rule that is broken or was not judged itself.
    Needs(RuleId),
    /// As the text says.
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

    pub(super) fn of(outcome: Result<(), Why>) -> Self {
        match outcome {
            Ok(()) => Self::Passed,
            Err(why) => Self::Broken(why),
        }
    }

    pub(super) const fn because(reason: &'static str) -> Self {
        Self::NotChecked(Reason::Because(reason))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Type { found, expected } => write!(f, "is {found}, not {expected}"),
            Self::Text(text) => f.write_str(text),
            Self::Differs { found, expected } => write!(f, "is {found} s, not {expected} s"),
            Self::Expired { exp, now } => write!(f, "expired at {exp}, and now is {now}"),
            Self::Future { moment, now } => write!(f, "is for {moment}, and now is {now}"),
            Self::Json(error) => error.fmt(f),
            Self::Chain(error) => error.fmt(f),
            Self::Dates(error) => error.fmt(f),
            Self::Revoked { since } => write!(f, "has a certificate that was revoked at {since}"),
            Self::Key(error) => write!(f, "the key {error}"),
            Self::Signature(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Needs(rule) => write!(f, "needs {}", rule.name()),
            Self::Because(reason) => f.write_str(reason),
        }
    }
}

macro_rules! from {
    ($($variant:ident($error:ty)),*) => {$(
        impl From<$error> for Why {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}
from!(
    Fault(Fault),
    Json(JsonError),
    Chain(ChainError),
    Dates(ClockError),
    Key(KeyError),
    Signature(SignatureError)
);
