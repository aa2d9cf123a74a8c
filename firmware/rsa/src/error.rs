//! What can be wrong with a key, and why there is no signature.

use core::fmt;

use thiserror::Error;

/// One of the two primes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prime {
    /// The first prime, `prime1` of RFC 8017 appendix A.1.2.
    P,
    /// The second prime, `prime2`.
    Q,
}

impl fmt::Display for Prime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P => "p",
            Self::Q => "q",
        })
    }
}

/// Why a key was refused. Nothing in it tells of the key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A prime does not have exactly half the bits of the modulus.
    #[error("the prime {0} must have exactly half the bits of the modulus (FIPS 186-5 A.1.1)")]
    Size(Prime),
    /// A prime is even.
    #[error("the prime {0} is even")]
    Even(Prime),
    /// The primes are equal or too close.
    #[error("|p - q| must exceed 2^(half the modulus's bits - 100) (FIPS 186-5 A.1.1)")]
    TooClose,
    /// The product of the primes does not have exactly the bits of the size.
    #[error("the modulus p * q must have exactly 2048, 3072 or 4096 bits")]
    ModulusSize,
    /// The product of the primes is not the modulus that was named.
    #[error("p * q is not the modulus that belongs to the key")]
    Product,
    /// 65537 divides the prime less one.
    #[error("65537 has no inverse modulo {0} - 1 (RFC 8017 section 3.2)")]
    Exponent(Prime),
    /// The private exponent modulo lcm(p - 1, q - 1) is too small.
    #[error("the private exponent must exceed 2^(half the modulus's bits) (FIPS 186-5 A.1.1)")]
    PrivateExponent,
    /// A number given as prime fails Fermat's test.
    #[error("the number {0} is not a prime")]
    Composite(Prime),
}

/// Why there is no signature. The output is zero in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignError<R> {
    /// The generator had no random bytes for the blinding. Nothing has changed; ask again later.
    #[error("there are no random bytes for the blinding: {0}")]
    Random(#[source] R),
    /// A result failed its check: a computation went wrong, by accident or by an attack. The key has been
    /// wiped and this engine signs no more.
    #[error("a result failed its check, and the key was wiped")]
    Fault,
    /// An earlier result failed its check; this engine signs no more.
    #[error("an earlier result failed its check, and the key was wiped")]
    Latched,
}

/// Why no key was generated. Nothing in it tells of a number that was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GenerateError<R> {
    /// The generator had no random bytes. Nothing is lost; ask again later.
    #[error("there are no random bytes for a key: {0}")]
    Random(#[source] R),
    /// Not one of as many candidates as FIPS 186-5 A.1.3 allows was a prime, which a random generator that
    /// works does not do. Everything has been wiped.
    #[error("none of {0} candidates for a prime is one (FIPS 186-5 A.1.3)")]
    Exhausted(u32),
    /// A check of the finished key failed: a computation went wrong, by accident or by an attack. Everything
    /// has been wiped.
    #[error("the generated key failed its check and was wiped")]
    Fault,
}
