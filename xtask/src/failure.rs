//! One kind of failure: a message a person can act on.

use std::fmt;

/// What went wrong, ready to print.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Shorthand for `Err(Failure(..))` with formatting.
macro_rules! fail {
    ($($text:tt)*) => { Err($crate::failure::Failure(format!($($text)*))) };
}
pub(crate) use fail;

/// Says what was being done when an error came up.
pub(crate) trait Context<T> {
    /// Turns the error into a [`Failure`] that starts with `doing`.
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{doing}: {error}")))
    }
}
