//! Why a signed answer is not believed.

use core::fmt;

use privyseal_core::cert::ChainError;
use privyseal_core::cert::ClockError;
use privyseal_core::rsa::KeyError;

use crate::jose::jws::JwsFault;
use crate::jose::{JoseError, JoseFault};

/// Why an answer is not proved; a clause whose subject is the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerFault {
    /// No JWS of the accepted algorithms that carries its certificates, or a signature that is not valid.
    Jose(JoseFault),
    /// `typ` is not `JWT`.
    Type,
    /// The certificates do not stand leaf first.
    Order,
    /// The certificates are no chain that may sign.
    Chain(ChainError),
    /// The chain leads to nobody who is trusted.
    Untrusted,
    /// A certificate is not valid now.
    Dates(ClockError),
    /// A certificate was revoked, or its list cannot be believed.
    Revocation(String),
    /// The leaf's key cannot verify.
    Key(KeyError),
    /// A claim is not what it has to be.
    Claim {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// `exp` is not `iat` + 30.
    Lifetime,
    /// It is for later. Seconds since 1970.
    Future {
        /// The later of `iat` and `nbf`.
        begin: u64,
        /// This machine's clock.
        now: u64,
    },
    /// It has expired. Seconds since 1970.
    Expired {
        /// When.
        exp: u64,
        /// This machine's clock.
        now: u64,
    },
    /// What it should be about is not in it.
    Member(&'static str),
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jose(fault) => fault.fmt(f),
            Self::Type => f.write_str("has a typ other than JWT (iSHARE, JWT)"),
            Self::Order => f.write_str("has certificates that do not stand leaf first"),
            Self::Chain(error) => write!(f, "is signed by no seal: {error}"),
            Self::Untrusted => f.write_str(
                "is signed by somebody whose certificates lead to none that is trusted; the \
                 registry's root is given with --trust FILE",
            ),
            Self::Dates(error) => write!(f, "has certificates that are not valid now: {error}"),
            Self::Revocation(why) => write!(f, "fails the revocation check: it {why}"),
            Self::Key(error) => write!(f, "is signed by a key that cannot be used: it {error}"),
            Self::Claim { name, rule } => write!(f, "is not for this: {name} {rule}"),
            Self::Lifetime => f.write_str("does not live for 30 s, as an iSHARE JWT must"),
            Self::Future { begin, now } => write!(
                f,
                "is for later: from {begin}, and this clock shows {now} (privyseal doctor --server \
                 compares clocks)"
            ),
            Self::Expired { exp, now } => write!(
                f,
                "expired at {exp}, and this clock shows {now} (privyseal doctor --server compares \
                 clocks)"
            ),
            Self::Member(name) => {
                write!(f, "has no {name}, or one of another form than iSHARE's")
            }
        }
    }
}

impl core::error::Error for AnswerFault {}

impl From<JoseError> for AnswerFault {
    fn from(error: JoseError) -> Self {
        Self::Jose(error.fault().clone())
    }
}

impl From<JwsFault> for AnswerFault {
    fn from(fault: JwsFault) -> Self {
        Self::Jose(fault.into())
    }
}
