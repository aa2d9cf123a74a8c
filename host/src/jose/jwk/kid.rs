//! Where a `kid` comes from: given, or computed from the key.

use privyseal_core::RsaPublicKey;
use privyseal_core::field::FieldError;
use privyseal_core::kid::Kid;

pub use privyseal_core::kid::KidForm;

/// A `kid`: a name that the receiver was given, or one that follows from the key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KidChoice {
    /// This text.
    Given(String),
    /// Computed from the key.
    Computed(KidForm),
}

impl KidChoice {
    /// The `kid` for `key`.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the given one is empty, too long, or has characters that no `kid` has.
    pub fn text(&self, key: &RsaPublicKey) -> Result<String, FieldError> {
        Ok(match self {
            Self::Given(text) => Kid::new(text)?.as_str().to_owned(),
            Self::Computed(form) => form.of(key).as_kid().as_str().to_owned(),
        })
    }
}
