//! Who signs, for which scheme, with which key: everything that stays the same from one assertion to the
//! next, checked once and encoded once.
//!
//! The header (with its certificate chain, 10 KB and more) is encoded into the caller's buffer and
//! hashed up to and including the dot. What is kept of the hash is SHA-256's midstate, so an assertion
//! costs a few blocks instead of 173.

mod clock;
mod header;
mod prepare;

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::cert::{Certificate, ChainError, ProvenChain, Validity};
use crate::encoding::sink::Sink;
use crate::error::Error;
use crate::field::{Fault, Field, FieldError};
use crate::id::ClientId;
use crate::kid::Kid;
use crate::rsa::{RsaPublicKey, VerifyingKey};
use crate::scheme::{ClientIdInLeaf, KeyReference, Rule, Scheme};
use crate::time::UnixTime;

pub use clock::ClockError;
pub use header::KeyName;
pub use prepare::AssertionRequest;

/// A scheme, a client id, and the key that signs: named by a proven chain whose leaf is for it, or by a
/// `kid` that the receiver knows.
///
/// `B` holds the encoded header: `&'static mut [u8]` on a device, `Vec<u8>` on a host;
/// [`crate::limits::MAX_HEADER`] bytes always suffice.
pub struct Credential<B> {
    scheme: &'static Scheme,
    client_id: ClientId,
    key: VerifyingKey,
    validity: Option<Validity>,
    header: B,
    header_len: usize,
    midstate: Sha256,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Credential<B> {
    /// For a scheme whose header carries the chain (`x5c`). Checks that `chain` is one that `scheme`
    /// accepts and that its leaf is for `signer_key`, and encodes the header into `buffer`.
    pub fn new(
        scheme: &'static Scheme,
        client_id: ClientId,
        chain: &ProvenChain<'_>,
        signer_key: &RsaPublicKey,
        buffer: B,
    ) -> Result<Self, Error> {
        Self::encode(scheme, client_id, KeyName::Chain(chain), signer_key, buffer)
    }

    /// For a scheme whose header names the key by `kid`. Whether the receiver knows that name for this
    /// key is between the organisation and the receiver.
    pub fn with_kid(
        scheme: &'static Scheme,
        client_id: ClientId,
        kid: Kid<'_>,
        signer_key: &RsaPublicKey,
        buffer: B,
    ) -> Result<Self, Error> {
        Self::encode(scheme, client_id, KeyName::Kid(kid), signer_key, buffer)
    }

    fn encode(
        scheme: &'static Scheme,
        client_id: ClientId,
        name: KeyName<'_>,
        signer_key: &RsaPublicKey,
        buffer: B,
    ) -> Result<Self, Error> {
        check(scheme, &client_id, name, signer_key)?;
        let mut header = buffer;
        let header_len = header::encode(name, header.as_mut())?;
        Self::build(scheme, client_id, name, signer_key, header, header_len)
    }
}

impl<B: AsRef<[u8]>> Credential<B> {
    /// With a header that was encoded before, by [`encode_header`], and kept: in the flash of a device. It
    /// is checked byte by byte against what would be encoded now, so nothing that was changed there since
    /// can be signed. `header` holds the header at its beginning and may hold more.
    pub fn with_encoded_header(
        scheme: &'static Scheme,
        client_id: ClientId,
        name: KeyName<'_>,
        signer_key: &RsaPublicKey,
        header: B,
    ) -> Result<Self, Error> {
        check(scheme, &client_id, name, signer_key)?;
        let header_len = header::compare(name, header.as_ref())?;
        Self::build(scheme, client_id, name, signer_key, header, header_len)
    }

    fn build(
        scheme: &'static Scheme,
        client_id: ClientId,
        name: KeyName<'_>,
        signer_key: &RsaPublicKey,
        header: B,
        header_len: usize,
    ) -> Result<Self, Error> {
        let mut midstate = Sha256::new();
        midstate.update(header.as_ref().get(..header_len).unwrap_or(&[]));
        midstate.update(b".");
        let validity = match name {
            KeyName::Chain(chain) => Some(chain.validity()),
            KeyName::Kid(_) => None,
        };
        Ok(Self {
            scheme,
            client_id,
            key: VerifyingKey::new(signer_key.clone())?,
            validity,
            header,
            header_len,
            midstate,
        })
    }

    /// The scheme.
    pub const fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// Who signs.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The key that signs.
    pub const fn public_key(&self) -> &RsaPublicKey {
        self.key.public_key()
    }

    /// When the chain's certificates are valid; `None` where a `kid` names the key.
    pub const fn validity(&self) -> Option<&Validity> {
        self.validity.as_ref()
    }

    /// The header as it will stand in every token: base64url, without the dot.
    pub fn header(&self) -> &[u8] {
        self.header.as_ref().get(..self.header_len).unwrap_or(&[])
    }

    /// Whether an assertion may be made at this time.
    pub fn check_clock(&self, now: UnixTime) -> Result<(), ClockError> {
        clock::check(now, self.validity.as_ref())
    }
}

impl<B> fmt::Debug for Credential<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("scheme", &self.scheme.name)
            .field("client_id", &self.client_id.as_str())
            .field("key", self.key.public_key())
            .finish_non_exhaustive()
    }
}

/// Writes the header of every token of such a key, base64url without the dot, and gives its length. For
/// [`Credential::with_encoded_header`]: a device writes it into its flash, piece by piece.
pub fn encode_header<S: Sink>(name: KeyName<'_>, sink: &mut S) -> Result<usize, S::Error> {
    header::write_counted(name, sink)
}

/// Everything that a scheme demands of client id, key and chain.
fn check(
    scheme: &'static Scheme,
    client_id: &ClientId,
    name: KeyName<'_>,
    signer_key: &RsaPublicKey,
) -> Result<(), Error> {
    let chain = match (scheme.key_reference.value, name) {
        (KeyReference::Kid, KeyName::Kid(_)) => return Ok(scheme.check_client_id(client_id)?),
        (KeyReference::X5cWithRoot, KeyName::Chain(chain)) => chain,
        (KeyReference::Kid, _) => return Err(missing(Field::Kid, scheme).into()),
        (KeyReference::X5cWithRoot, _) => return Err(missing(Field::X5c, scheme).into()),
    };
    scheme.check_client_id(client_id)?;
    check_chain(scheme, chain)?;
    let leaf = chain.leaf().ok_or(ChainError::Empty)?;
    check_client_id_in_leaf(scheme, client_id, leaf)?;
    let key = leaf
        .rsa_key()
        .map_err(|error| ChainError::Key { position: 0, error })?;
    if key == *signer_key {
        Ok(())
    } else {
        Err(Error::KeyMismatch)
    }
}

fn missing(field: Field, scheme: &Scheme) -> FieldError {
    FieldError::new(field, Fault::Missing, scheme.key_reference.source)
}

/// What a scheme demands of a chain beyond its proof.
fn check_chain(scheme: &Scheme, chain: &ProvenChain<'_>) -> Result<(), ChainError> {
    if !chain.has_root() {
        return Err(ChainError::MissingRoot);
    }
    scheme.check_leaf_key_usage(chain.leaf())
}

fn check_client_id_in_leaf(
    scheme: &Scheme,
    client_id: &ClientId,
    leaf: &Certificate<'_>,
) -> Result<(), FieldError> {
    let Some(Rule {
        value: ClientIdInLeaf::OrganizationIdentifier,
        source,
    }) = scheme.client_id_in_leaf
    else {
        return Ok(());
    };
    let Some(named) = client_id.did_ishare_organization() else {
        return Ok(());
    };
    if leaf.subject().organization_identifier() == Some(named) {
        return Ok(());
    }
    let expected = "the one of the leaf certificate's organizationIdentifier";
    Err(FieldError::new(
        Field::ClientId,
        Fault::Form { expected },
        source,
    ))
}
