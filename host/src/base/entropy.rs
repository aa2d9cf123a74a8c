//! The one place that asks the operating system for random bytes.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::JtiBuf;
use zeroize::Zeroizing;

use super::BaseError;

/// Fills `buffer` with random bytes.
///
/// # Errors
///
/// [`BaseError::Entropy`] if the operating system has none.
pub fn fill(buffer: &mut [u8]) -> Result<(), BaseError> {
    getrandom::fill(buffer).map_err(BaseError::Entropy)
}

/// A secret that nobody can guess, in base64url: 256 random bits, as RFC 7636 section 7.1 recommends.
///
/// # Errors
///
/// As [`fill`].
pub fn secret() -> Result<Zeroizing<String>, BaseError> {
    let mut bits = Zeroizing::new([0; 32]);
    fill(&mut *bits)?;
    Ok(Zeroizing::new(Base64UrlUnpadded::encode_string(&*bits)))
}

/// A `jti` that never repeats: 122 random bits. By the birthday bound, among 10^12 of them two are
/// equal with a probability of 10^-13.
///
/// # Errors
///
/// As [`fill`].
pub fn jti() -> Result<JtiBuf, BaseError> {
    let mut entropy = [0; 16];
    fill(&mut entropy)?;
    Ok(JtiBuf::from_entropy(entropy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_jti_repeats_over_100_000_calls() {
        let all: HashSet<_> = (0..100_000)
            .map(|_| jti().unwrap().as_jti().as_str().to_owned())
            .collect();
        assert_eq!(all.len(), 100_000);
    }
}
