//! Where a `kid` comes from: given, or computed from the key.

use privyseal_core::RsaPublicKey;
use privyseal_core::kid::Kid;

use crate::error::Error;

pub use privyseal_core::kid::KidForm;

/// A `kid`: a name that the receiver was given, or one that follows from the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KidChoice {
    /// This text.
    Given(String),
    /// Computed from the key.
    Computed(KidForm),
}

impl KidChoice {
    /// The `kid` for `key`.
    pub fn text(&self, key: &RsaPublicKey) -> Result<String, Error> {
        Ok(match self {
            Self::Given(text) => Kid::new(text)?.as_str().to_owned(),
            Self::Computed(form) => form.of(key).as_kid().as_str().to_owned(),
        })
    }
}
