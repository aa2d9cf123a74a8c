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

/// A random number from 0 to `u64::MAX`, each as likely.
pub fn number() -> Result<u64, Error> {
    let mut entropy = [0; 8];
    getrandom::fill(&mut entropy).map_err(Error::Entropy)?;
    Ok(u64::from_ne_bytes(entropy))
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
