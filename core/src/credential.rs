//! Who signs, for which scheme, with which key: everything that stays the same from one assertion to the
//! next, checked once and encoded once.
//!
//! The header (with its certificate chain, 10 KB and more) is encoded into the caller's buffer and
//! hashed up to and including the dot. What is kept of the hash is SHA-256's midstate, so an assertion
//! costs a few blocks instead of 173.

mod buffer;
mod header;
mod prepare;
mod profile;
mod stable;

use core::ops::Deref;

use crate::cert::{Certificate, ChainError, ProvenChain, Prover};
use crate::error::Error;
use crate::field::{Fault, Field, FieldError};
use crate::id::ClientId;
use crate::kid::Kid;
use crate::rsa::{RsaPublicKey, VerifyingKey};
use crate::scheme::{KeyReference, SchemeRules};

pub use buffer::{HeaderBuffer, HeaderBytes};
pub use header::{KeyName, encode_header};
pub use prepare::AssertionRequest;
pub use profile::{BoundProfile, Profile};
pub use stable::StableBytes;

use header::Name;

/// A scheme, a client id, and the key that signs: named by a proven chain whose leaf is for it, by the digest of a
/// certificate that the receiver knows, or by a `kid`.
///
/// `B` holds the encoded header: `&'static mut [u8]` on a device, `Vec<u8>` on a host (see [`HeaderBuffer`]);
/// [`crate::limits::MAX_HEADER`] bytes are always enough.
pub struct Credential<B> {
    profile: Profile<B>,
    key: VerifyingKey,
}

impl<B: HeaderBuffer> Credential<B> {
    /// For a scheme whose header carries the chain (`x5c`). Checks that `chain` is one that `scheme`
    /// accepts and that its leaf is for `signer_key`, and encodes the header into `buffer`.
    ///
    /// # Errors
    /// [`Error`]: a client id, chain or key that the scheme does not accept, a leaf for another
    /// key, or a buffer that is too short.
    pub fn new<P: Prover>(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        chain: &ProvenChain<'_, P>,
        signer_key: &RsaPublicKey,
        buffer: B,
    ) -> Result<Self, Error> {
        Self::encode(scheme, client_id, KeyName::chain(chain), signer_key, buffer)
    }

    /// For a scheme whose header names the key by `kid`. Whether the receiver knows that name for this
    /// key is between the organisation and the receiver.
    ///
    /// # Errors
    /// [`Error`]: a client id that the scheme does not accept, a scheme that wants a chain, or a
    /// buffer that is too short.
    pub fn with_kid(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        kid: Kid<'_>,
        signer_key: &RsaPublicKey,
        buffer: B,
    ) -> Result<Self, Error> {
        Self::encode(scheme, client_id, KeyName::kid(kid), signer_key, buffer)
    }

    /// For a scheme whose header names the key by the digest of a certificate (`x5t#S256`). The certificate is for
    /// `signer_key`; who issued it does not matter: the receiver knows it.
    ///
    /// # Errors
    /// [`Error`]: a client id or certificate that the scheme does not accept, a certificate for another key, a scheme
    /// that names its key in another way, or a buffer that is too short.
    pub fn with_certificate(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        certificate: &Certificate<'_>,
        signer_key: &RsaPublicKey,
        buffer: B,
    ) -> Result<Self, Error> {
        let name = KeyName::digest(certificate);
        Self::encode(scheme, client_id, name, signer_key, buffer)
    }

    fn encode(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        name: KeyName<'_>,
        signer_key: &RsaPublicKey,
        mut header: B,
    ) -> Result<Self, Error> {
        check(scheme, &client_id, name, signer_key)?;
        let key = VerifyingKey::new(signer_key.clone())?;
        let header_len = header::encode(name, header.bytes_mut())?;
        let profile = Profile::build(
            scheme,
            client_id,
            name,
            *key.spki_digest(),
            (header, header_len),
        );
        Ok(Self { profile, key })
    }
}

impl<B: HeaderBytes> Credential<B> {
    /// The key that signs.
    pub const fn public_key(&self) -> &RsaPublicKey {
        self.key.public_key()
    }

    /// In borrowed parts: for what prepares for a device as well, and for requests.
    pub fn bound(&self) -> BoundProfile<'_> {
        self.profile.with_its_key(&self.key)
    }
}

/// Scheme, client id, header and validity.
impl<B> Deref for Credential<B> {
    type Target = Profile<B>;

    fn deref(&self) -> &Profile<B> {
        &self.profile
    }
}

opaque_debug! { [B] Credential<B> as it: profile, key = it.key.public_key(); }

/// Everything that a scheme demands of client id, key and certificates.
fn check(
    scheme: &'static SchemeRules,
    client_id: &ClientId,
    name: KeyName<'_>,
    signer_key: &RsaPublicKey,
) -> Result<(), Error> {
    let reference = scheme.key_reference();
    let missing = |field| FieldError::new(field, Fault::Missing, reference.source());
    let leaf = match (reference.value(), name.0) {
        (KeyReference::Kid, Name::Kid(_)) => return Ok(scheme.check_client_id(client_id)?),
        (KeyReference::X5tS256, Name::Digest(certificate)) => certificate,
        (KeyReference::X5cWithRoot, Name::Chain(chain)) => chain.leaf().ok_or(ChainError::Empty)?,
        (KeyReference::Kid, _) => return Err(missing(Field::Kid).into()),
        (KeyReference::X5tS256, _) => return Err(missing(Field::X5tS256).into()),
        (KeyReference::X5cWithRoot, _) => return Err(missing(Field::X5c).into()),
    };
    scheme.check_client_id(client_id)?;
    if matches!(name.0, Name::Chain(chain) if !chain.has_root()) {
        return Err(ChainError::MissingRoot.into());
    }
    scheme.check_leaf_key_usage(Some(leaf))?;
    scheme.check_leaf_purpose(Some(leaf))?;
    let in_leaf = scheme.is_client_id_in_leaf(client_id, leaf);
    if let (Some(source), Some(false)) = (scheme.client_id_in_leaf(), in_leaf) {
        let expected = "the one of the leaf certificate's organizationIdentifier";
        return Err(Field::ClientId.is_not(expected, source).into());
    }
    let key = leaf
        .rsa_key()
        .map_err(|error| ChainError::Key { position: 0, error })?;
    if key == *signer_key {
        Ok(())
    } else {
        Err(Error::KeyMismatch)
    }
}
