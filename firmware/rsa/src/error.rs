//! What can be wrong with a key, and why there is no signature.

use core::fmt;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// A prime does not have exactly 1024 bits (FIPS 186-5 appendix A.1.1).
    Size(Prime),
    /// A prime is even.
    Even(Prime),
    /// The primes are equal or too close: |p - q| must exceed 2^924 (FIPS 186-5 appendix A.1.1).
    TooClose,
    /// The product of the primes does not have exactly 2048 bits.
    ModulusSize,
    /// The product of the primes is not the modulus that was named.
    Product,
    /// 65537 divides the prime less one, so that it has no inverse (RFC 8017 section 3.2).
    Exponent(Prime),
    /// A number given as prime fails Fermat's test.
    Composite(Prime),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(prime) => {
                write!(f, "{prime} must have exactly 1024 bits (FIPS 186-5 A.1.1)")
            }
            Self::Even(prime) => write!(f, "{prime} is even"),
            Self::TooClose => f.write_str("p and q are closer than 2^924 (FIPS 186-5 A.1.1)"),
            Self::ModulusSize => f.write_str("p * q must have exactly 2048 bits"),
            Self::Product => f.write_str("p * q is not the modulus"),
            Self::Exponent(prime) => {
                write!(
                    f,
                    "65537 has no inverse modulo {prime} - 1 (RFC 8017 section 3.2)"
                )
            }
            Self::Composite(prime) => write!(f, "{prime} is not a prime"),
        }
    }
}

impl core::error::Error for KeyError {}

/// Why there is no signature. The output is zero in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError<R> {
    /// The generator had no random bytes for the blinding. Nothing has changed; ask again later.
    Random(R),
    /// A result failed its check: a computation went wrong, by accident or by an attack. The key has been
    /// wiped and this engine signs no more.
    Fault,
    /// An earlier result failed its check; this engine signs no more.
    Latched,
}

impl<R: fmt::Display> fmt::Display for SignError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(error) => write!(f, "no random bytes for the blinding: {error}"),
            Self::Fault => f.write_str("a result failed its check; the key was wiped"),
            Self::Latched => f.write_str("an earlier result failed its check; the key was wiped"),
        }
    }
}

impl<R: core::error::Error + 'static> core::error::Error for SignError<R> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Random(error) => Some(error),
            Self::Fault | Self::Latched => None,
        }
    }
}
