//! The private key on its way into a device: looked at in place, wiped.

use der::Decode as _;
use pkcs8::PrivateKeyInfoRef;
use privyseal_core::RsaPublicKey;
use privyseal_core::rsa::KeyError;
use privyseal_protocol::{KEY_BITS, MAX_KEY};
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest content that is read, in bytes: PEM of [`MAX_DER`] bytes, and text around it.
pub const MAX_CONTENT: usize = 16 * 1024;

/// The longest PKCS#8 that is read, in bytes: one of RSA-4096 has 2,376, and attributes may follow.
pub const MAX_DER: usize = 3 * 1024;

/// The only public exponent that a gateway takes.
const EXPONENT: u32 = 65_537;

/// An RSA private key of a size that a gateway takes. Wiped when it is dropped; `Debug` shows nothing of it.
pub struct PrivateKey {
    /// Modulus and primes.
    numbers: Zeroizing<Vec<u8>>,
    public: RsaPublicKey,
}

/// Why bytes are no key that a gateway takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// Neither PEM nor DER of a private key.
    #[error("there is no private key in PKCS#8, PEM or DER (RFC 5958, RFC 7468)")]
    Malformed,
    /// PKCS#8 that is encrypted.
    #[error("the private key is encrypted")]
    Encrypted,
    /// PKCS#1 instead of PKCS#8.
    #[error("the private key is not in PKCS#8")]
    NotPkcs8,
    /// A PKCS#12 store.
    #[error("the private key is in a PKCS#12 store")]
    Pkcs12,
    /// OpenSSH's own format.
    #[error("the private key is in OpenSSH's own format")]
    OpenSsh,
    /// A key of another algorithm.
    #[error("the private key is no RSA key (RS256: RFC 7518 section 3.3)")]
    NotRsa,
    /// RSA with numbers that no key here may have.
    #[error("the private key {0}")]
    Key(KeyError),
    /// RSA of another size, or with another exponent.
    #[error(
        "the private key is RSA-{bits} with exponent {exponent}; a gateway takes RSA-2048, RSA-3072 and RSA-4096 with \
         exponent {EXPONENT}"
    )]
    Size {
        /// Bits of the modulus.
        bits: usize,
        /// The exponent.
        exponent: u32,
    },
    /// Primes of other lengths than half of the modulus.
    #[error("the primes of the private key are not half as long as its modulus")]
    Primes,
    /// More than [`MAX_DER`] bytes of DER, or [`MAX_CONTENT`] in all.
    #[error("the private key is longer than {MAX_DER} bytes, the most that is read")]
    TooLong,
}

impl PrivateKey {
    /// Reads PEM or DER of at most [`MAX_CONTENT`] bytes. `content` is the caller's to wipe.
    ///
    /// # Errors
    /// [`PrivateKeyError`] if it is no RSA key of such a size in PKCS#8 that is not encrypted.
    pub fn from_bytes(content: &[u8]) -> Result<Self, PrivateKeyError> {
        if content.len() > MAX_CONTENT {
            return Err(PrivateKeyError::TooLong);
        }
        let der = if let [0x30, 0x82, _, _, 0x02, 1, 3, ..] = content {
            return Err(PrivateKeyError::Pkcs12);
        } else if content.first() == Some(&0x30) {
            Zeroizing::new(content.to_vec())
        } else {
            from_pem(content)?
        };
        if der.len() > MAX_DER {
            return Err(PrivateKeyError::TooLong);
        }
        read(&der)
    }

    /// The public half, from the same bytes.
    pub const fn public_key(&self) -> &RsaPublicKey {
        &self.public
    }

    /// Modulus and primes, big-endian, one after the other: what a device takes.
    pub(crate) fn numbers(&self) -> &[u8] {
        &self.numbers
    }
}

fn from_pem(content: &[u8]) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    // A buffer of its own: one that grows would leave copies behind.
    let mut buffer = Zeroizing::new(vec![0; MAX_CONTENT]);
    let decoded = pem_rfc7468::decode(content, &mut buffer);
    let (label, der) = decoded.map_err(|_| {
        // Headers, which RFC 7468 has not.
        let old = b"Proc-Type: 4,ENCRYPTED";
        if content.windows(old.len()).any(|line| line == old) {
            PrivateKeyError::Encrypted
        } else {
            PrivateKeyError::Malformed
        }
    })?;
    let len = der.len();
    match label {
        "PRIVATE KEY" => {
            buffer.truncate(len);
            Ok(buffer)
        }
        "ENCRYPTED PRIVATE KEY" => Err(PrivateKeyError::Encrypted),
        "RSA PRIVATE KEY" => Err(PrivateKeyError::NotPkcs8),
        "EC PRIVATE KEY" => Err(PrivateKeyError::NotRsa),
        "OPENSSH PRIVATE KEY" => Err(PrivateKeyError::OpenSsh),
        _ => Err(PrivateKeyError::Malformed),
    }
}

/// The numbers of `PrivateKeyInfo` (RFC 5958 section 2) with an `RSAPrivateKey` of two primes in it
/// (RFC 8017 appendix A.1.2).
fn read(der: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| {
        if pkcs1::RsaPrivateKeyRef::from_der(der).is_ok() {
            PrivateKeyError::NotPkcs8
        } else {
            PrivateKeyError::Malformed
        }
    })?;
    if info.algorithm.oid != pkcs1::ALGORITHM_OID {
        return Err(PrivateKeyError::NotRsa);
    }
    let key = pkcs1::RsaPrivateKeyRef::from_der(info.private_key.as_bytes())
        .ok()
        .filter(|key| key.other_prime_infos.is_none())
        .ok_or(PrivateKeyError::Malformed)?;
    let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
    let public = RsaPublicKey::from_components(modulus, exponent).map_err(PrivateKeyError::Key)?;
    let (bits, exponent) = (public.bits(), public.exponent());
    if !KEY_BITS.contains(&u16::try_from(bits).unwrap_or(0)) || exponent != EXPONENT {
        return Err(PrivateKeyError::Size { bits, exponent });
    }
    let primes = [key.prime1.as_bytes(), key.prime2.as_bytes()];
    if primes.iter().any(|prime| prime.len() != modulus.len() / 2) {
        return Err(PrivateKeyError::Primes);
    }
    // It never grows beyond its capacity, so no copy is left.
    let mut numbers = Zeroizing::new(Vec::with_capacity(MAX_KEY));
    for number in [modulus, primes[0], primes[1]] {
        numbers.extend_from_slice(number);
    }
    Ok(PrivateKey { numbers, public })
}

privyseal_core::opaque_debug! { [] PrivateKey: public; }

#[cfg(test)]
mod tests;
