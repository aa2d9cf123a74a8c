//! Nothing, or too much, fits a URI: say what there is.

use privyseal_core::signer::SignerErrorKind;

use crate::limits::{MAX_CERTIFICATES, MAX_LISTED};

/// Nothing fits the URI, or more than one thing does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// Nothing fits.
    #[error("none fits the URI; there is {}", there_is(.present))]
    None {
        /// What there is, as URIs (and slots whose token cannot be read, in words); of many the first, and how
        /// many more.
        present: Vec<String>,
    },
    /// More than one thing fits.
    #[error("{count} fit the URI; say which one: {}", .matching.join(" or "))]
    Several {
        /// Those that fit, as URIs; of many the first, and how many more.
        matching: Vec<String>,
        /// How many fit.
        count: usize,
    },
    /// The module itself is another one than the `library-` attributes say.
    #[error("the module is not the one that the URI's library attributes describe")]
    OtherLibrary,
}

impl SelectError {
    /// Nothing fits, of `count` that there are.
    pub(crate) fn none(present: impl Iterator<Item = String>, count: usize) -> Self {
        Self::None {
            present: first(present, count),
        }
    }

    /// The only one of `matching`, or none. Where there are several, `name` names each, knowing whether another is
    /// `alike`.
    pub(crate) fn only<T>(
        mut matching: Vec<T>,
        alike: impl Fn(&T, &T) -> bool,
        name: impl Fn(&T, bool) -> String,
    ) -> Result<Option<T>, Self> {
        let count = matching.len();
        if count < 2 {
            return Ok(matching.pop());
        }
        let has_twin = |it: &T| matching.iter().filter(|other| alike(it, other)).count() > 1;
        Err(Self::Several {
            matching: first(matching.iter().map(|it| name(it, has_twin(it))), count),
            count,
        })
    }

    pub(super) const fn kind(&self) -> SignerErrorKind {
        match self {
            Self::None { .. } | Self::OtherLibrary => SignerErrorKind::NotFound,
            Self::Several { .. } => SignerErrorKind::Ambiguous,
        }
    }
}

/// The first of `count`, and how many more there are.
pub(crate) fn first(all: impl Iterator<Item = String>, count: usize) -> Vec<String> {
    let mut list: Vec<String> = all.take(MAX_LISTED).collect();
    if count > list.len() {
        list.push(format!("{} more", count - list.len()));
    }
    list
}

fn there_is(present: &[String]) -> String {
    match present {
        [] => "none at all".into(),
        some => some.join(" and "),
    }
}

/// No usable certificate chain on the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No certificate has the key's public key.
    #[error("{}", Self::none(*.same_id, .present))]
    NoneForKey {
        /// Whether one has the key's `CKA_ID` all the same.
        same_id: bool,
        /// The certificates there are, as URIs.
        present: Vec<String>,
    },
    /// The first certificate of a chain that is to be stored is not the key's.
    #[error("the first certificate is not for {key}; nothing was changed")]
    NotForKey {
        /// The key, as a URI.
        key: String,
    },
    /// What is to be stored is no certificate.
    #[error("certificate {number} cannot be read; nothing was changed")]
    Unreadable {
        /// Which one, counted from 1.
        number: usize,
    },
    /// A certificate that was stored cannot be found again.
    #[error("a certificate was stored, and the token does not show it as it was")]
    NotStored,
    /// The chain has more than 6 certificates.
    #[error("the chain has more than {MAX_CERTIFICATES} certificates")]
    TooMany,
}

impl CertificateError {
    fn none(same_id: bool, present: &[String]) -> String {
        match (present, same_id) {
            ([], _) => "there are none".into(),
            (_, true) => {
                "the one with the key's CKA_ID belongs to another key (its modulus differs)".into()
            }
            (some, false) => format!("none is for this key; there is {}", some.join(" and ")),
        }
    }
}
