//! The private key on its way into a device: read once, looked at in place, wiped.

use core::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use privyseal_core::RsaPublicKey;
use privyseal_core::rsa::KeyError;
use privyseal_protocol::MAX_KEY;
use zeroize::Zeroizing;

use crate::error::Error;

/// The largest file that is read, in bytes: PEM of [`MAX_KEY`] bytes, and text around it.
const MAX_FILE: usize = 16 * 1024;

/// rsaEncryption (RFC 8017 appendix C).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The only public exponent that a gateway takes.
const EXPONENT: u32 = 65_537;

/// The only size that a gateway takes, in bits.
const BITS: usize = 2048;

/// An RSA-2048 private key in PKCS#8, DER (RFC 5958). Wiped when it is dropped; `Debug` shows nothing of
/// it.
pub struct PrivateKey {
    der: Zeroizing<Vec<u8>>,
    public: RsaPublicKey,
}

/// Why bytes are no key that a gateway takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrivateKeyFault {
    /// Neither PEM nor DER of a private key.
    Malformed,
    /// PKCS#8 that is encrypted.
    Encrypted,
    /// PKCS#1 or SEC 1 instead of PKCS#8.
    NotPkcs8,
    /// A key of another algorithm.
    NotRsa,
    /// RSA with numbers that no key here may have.
    Key(KeyError),
    /// RSA of another size, or with another exponent.
    Size {
        /// Bits of the modulus.
        bits: usize,
        /// The exponent.
        exponent: u32,
    },
    /// More than [`MAX_KEY`] bytes of DER.
    TooLong,
}

impl PrivateKey {
    /// Reads a file, PEM or DER; `-` is standard input. `warn` is told if other users can read the file.
    pub fn from_file(path: &Path, warn: &mut dyn FnMut(&str)) -> Result<Self, Error> {
        let failed = |source| Error::File {
            path: path.to_owned(),
            source,
        };
        // Standard input has a buffer that nobody wipes: it is gone around.
        let file = if path == Path::new("-") {
            io::stdin().as_fd().try_clone_to_owned().map(File::from)
        } else {
            File::open(path)
        };
        let mut file = file.map_err(failed)?;
        if crate::keys::pin::file::is_readable_by_all(&file) {
            warn(&format!(
                "{} can be read by every user of this machine; chmod 600 mends that, and once it is in the \
                 device the file should be destroyed",
                path.display()
            ));
        }
        let mut content = Zeroizing::new(vec![0; MAX_FILE + 1]);
        let mut len = 0;
        loop {
            match file.read(content.get_mut(len..).unwrap_or(&mut [])) {
                Ok(0) => break,
                Ok(read) => len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let content = content.get(..len).unwrap_or(&[]);
        let key = if len > MAX_FILE {
            Err(PrivateKeyFault::TooLong)
        } else {
            Self::from_bytes(content)
        };
        key.map_err(|fault| Error::FileContent {
            path: if path == Path::new("-") {
                PathBuf::from("standard input")
            } else {
                path.to_owned()
            },
            reason: fault.to_string(),
        })
    }

    /// Reads PEM or DER.
    pub fn from_bytes(content: &[u8]) -> Result<Self, PrivateKeyFault> {
        let der = if content.first() == Some(&0x30) {
            Zeroizing::new(content.to_vec())
        } else {
            from_pem(content)?
        };
        if der.len() > MAX_KEY {
            return Err(PrivateKeyFault::TooLong);
        }
        let public = public_key(&der)?;
        Ok(Self { der, public })
    }

    /// The public half, from the same bytes.
    pub const fn public_key(&self) -> &RsaPublicKey {
        &self.public
    }

    pub(super) fn as_der(&self) -> &[u8] {
        &self.der
    }
}

fn from_pem(content: &[u8]) -> Result<Zeroizing<Vec<u8>>, PrivateKeyFault> {
    let mut buffer = Zeroizing::new(vec![0; MAX_FILE]);
    let (label, len) = match pem_rfc7468::decode(content, &mut buffer) {
        Ok((label, der)) => (label, der.len()),
        Err(_) => return Err(PrivateKeyFault::Malformed),
    };
    match label {
        "PRIVATE KEY" => {
            buffer.truncate(len);
            Ok(buffer)
        }
        "ENCRYPTED PRIVATE KEY" => Err(PrivateKeyFault::Encrypted),
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" => Err(PrivateKeyFault::NotPkcs8),
        _ => Err(PrivateKeyFault::Malformed),
    }
}

/// The modulus and the exponent of `PrivateKeyInfo` (RFC 5958 section 2) with an `RSAPrivateKey` in it
/// (RFC 8017 appendix A.1.2).
fn public_key(der: &[u8]) -> Result<RsaPublicKey, PrivateKeyFault> {
    let (algorithm, key) = info(der).ok_or_else(|| malformed(der))?;
    if algorithm != RSA_ENCRYPTION {
        return Err(PrivateKeyFault::NotRsa);
    }
    let (modulus, exponent) = numbers(key).ok_or(PrivateKeyFault::Malformed)?;
    let public = RsaPublicKey::from_components(modulus, exponent).map_err(PrivateKeyFault::Key)?;
    let (bits, exponent) = (public.bits(), public.exponent());
    if (bits, exponent) == (BITS, EXPONENT) {
        Ok(public)
    } else {
        Err(PrivateKeyFault::Size { bits, exponent })
    }
}

fn info(der: &[u8]) -> Option<(ObjectIdentifier, &[u8])> {
    let mut info = sequence(AnyRef::from_der(der).ok()?)?;
    let _version = UintRef::decode(&mut info).ok()?;
    let mut algorithm = sequence(AnyRef::decode(&mut info).ok()?)?;
    let algorithm = ObjectIdentifier::decode(&mut algorithm).ok()?;
    let key = <&OctetStringRef>::decode(&mut info).ok()?;
    Some((algorithm, key.as_bytes()))
}

fn numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut key = sequence(AnyRef::from_der(key).ok()?)?;
    let _version = UintRef::decode(&mut key).ok()?;
    let modulus = UintRef::decode(&mut key).ok()?;
    let exponent = UintRef::decode(&mut key).ok()?;
    // d, p, q, d mod p-1, d mod q-1, the coefficient; no more primes.
    for _ in 0..6 {
        UintRef::decode(&mut key).ok()?;
    }
    key.is_finished()
        .then_some((modulus.as_bytes(), exponent.as_bytes()))
}

fn sequence(any: AnyRef<'_>) -> Option<SliceReader<'_>> {
    let is_sequence = any.tag() == Tag::Sequence;
    is_sequence
        .then(|| SliceReader::new(any.value()).ok())
        .flatten()
}

/// DER that is no `PrivateKeyInfo`, but perhaps something that is often taken for it.
fn malformed(der: &[u8]) -> PrivateKeyFault {
    if numbers(der).is_some() {
        PrivateKeyFault::NotPkcs8
    } else {
        PrivateKeyFault::Malformed
    }
}

impl fmt::Display for PrivateKeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => {
                f.write_str("holds no private key in PKCS#8, PEM or DER (RFC 5958, RFC 7468)")
            }
            Self::Encrypted => f.write_str(
                "is encrypted; let openssl ask for its password: openssl pkcs8 -in FILE | privyseal device \
                 provision --key - ..",
            ),
            Self::NotPkcs8 => f.write_str(
                "is not PKCS#8; convert it: openssl pkcs8 -topk8 -nocrypt -in FILE | privyseal device \
                 provision --key - ..",
            ),
            Self::NotRsa => f.write_str("is no RSA key (RS256: RFC 7518 section 3.3)"),
            Self::Key(error) => error.fmt(f),
            Self::Size { bits, exponent } => write!(
                f,
                "is RSA-{bits} with exponent {exponent}; a gateway takes RSA-{BITS} with exponent \
                 {EXPONENT}"
            ),
            Self::TooLong => write!(f, "is longer than {MAX_KEY} bytes, the most that a gateway takes"),
        }
    }
}

impl core::error::Error for PrivateKeyFault {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
