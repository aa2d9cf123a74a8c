//! Digests and the `DigestInfo` that PKCS#1 v1.5 signs (RFC 8017 section 9.2).

use core::fmt;

/// A digest with the algorithm that made it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one for each algorithm")]
pub enum Digest {
    /// SHA-256.
    Sha256([u8; 32]),
    /// SHA-384.
    Sha384([u8; 48]),
    /// SHA-512.
    Sha512([u8; 64]),
}

/// `DigestInfo` up to the digest, for SHA-256 (RFC 8017 section 9.2, note 1).
const SHA256_PREFIX: &[u8; 19] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384_PREFIX: &[u8; 19] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512_PREFIX: &[u8; 19] =
    b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

impl Digest {
    /// The digest's bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) => bytes,
            Self::Sha384(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }

    /// The bytes of the `DigestInfo` that stand before the digest.
    pub(crate) const fn prefix(&self) -> &'static [u8; 19] {
        match self {
            Self::Sha256(_) => SHA256_PREFIX,
            Self::Sha384(_) => SHA384_PREFIX,
            Self::Sha512(_) => SHA512_PREFIX,
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// The 51-byte `DigestInfo` of a SHA-256 digest: what `CKM_RSA_PKCS` and a smartcard sign.
pub(crate) fn sha256_digest_info(digest: &[u8; 32]) -> [u8; 51] {
    let mut info = [0; 51];
    for (to, from) in info.iter_mut().zip(SHA256_PREFIX.iter().chain(digest)) {
        *to = *from;
    }
    info
}
