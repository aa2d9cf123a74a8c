//! The one place that asks the operating system for random bytes.

use privyseal_core::JtiBuf;

use crate::error::Error;

/// A `jti` that never repeats: 122 random bits. By the birthday bound, among 10^12 of them two are
/// equal with a probability of 10^-13.
pub fn jti() -> Result<JtiBuf, Error> {
    let mut entropy = [0; 16];
    getrandom::fill(&mut entropy).map_err(Error::Entropy)?;
    Ok(JtiBuf::from_entropy(entropy))
}
