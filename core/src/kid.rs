//! Key identifiers: the `kid` header member (RFC 7515 section 4.1.4).

use sha2::{Digest as _, Sha256};

use crate::encoding::base64::Base64UrlSink;
use crate::encoding::json::Object;
use crate::encoding::sink::{Sink, SliceSink, into_ok};
use crate::limits::MAX_KID;
use crate::rsa::RsaPublicKey;
use crate::rsa::key::without_leading_zeros;
use crate::rsa::spki::spki_digest;

checked_text! {
    /// A key identifier: 1 to [`MAX_KID`] characters of printable ASCII.
    pub struct Kid: Kid, at most MAX_KID, "RFC 7515 section 4.1.4: kid is a case-sensitive string";
}

/// A key identifier computed from the key or its certificate: a SHA-256 digest in base64url, 43 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KidBuf([u8; 43]);

impl KidBuf {
    /// The identifier itself.
    pub fn as_kid(&self) -> Kid<'_> {
        // base64url is ASCII.
        Kid(core::str::from_utf8(&self.0).unwrap_or("-"))
    }

    /// `x5t#S256` of a certificate (RFC 7515 section 4.1.8).
    pub fn certificate_digest(der: &[u8]) -> Self {
        Self::of(Sha256::digest(der).into())
    }

    fn of(digest: [u8; 32]) -> Self {
        let mut text = [0; 43];
        let mut encoder = Base64UrlSink::new(SliceSink::new(&mut text));
        // 43 characters hold 32 bytes.
        let _ = encoder.write(&digest);
        let _ = encoder.finish();
        Self(text)
    }
}

named! {
    /// How a `kid` is computed from a public key.
    #[derive(Default)]
    #[non_exhaustive]
    pub enum KidForm {
        /// The JWK thumbprint: SHA-256 of `{"e":..,"kty":"RSA","n":..}` (RFC 7638 section 3), as most tools do.
        #[default]
        Rfc7638 = "rfc7638",
        /// base64url(SHA-256(SubjectPublicKeyInfo)): what Keycloak derives from an uploaded certificate.
        Keycloak = "keycloak",
    }
}

impl KidForm {
    /// The `kid` of `key`.
    pub fn of(self, key: &RsaPublicKey) -> KidBuf {
        KidBuf::of(match self {
            Self::Rfc7638 => {
                let mut hash = Sha256::new();
                into_ok(write_jwk(key, &mut hash));
                hash.finalize().into()
            }
            Self::Keycloak => spki_digest(key),
        })
    }
}

/// Writes the public key's required members as canonical JSON: what RFC 7638 section 3.3 hashes.
///
/// # Errors
/// Whatever `sink` fails with.
pub fn write_jwk<S: Sink>(key: &RsaPublicKey, sink: S) -> Result<(), S::Error> {
    let exponent = key.exponent().to_be_bytes();
    let base64url = |sink: &mut S, bytes: &[u8]| {
        sink.write(b"\"")?;
        let mut encoder = Base64UrlSink::new(&mut *sink);
        encoder.write(bytes)?;
        encoder.finish()?;
        sink.write(b"\"")
    };
    Object::new(sink)
        .raw("e", |sink| {
            base64url(sink, without_leading_zeros(&exponent))
        })
        .string("kty", "RSA")
        .raw("n", |sink| base64url(sink, key.modulus()))
        .finish()
}
