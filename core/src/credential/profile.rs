//! A credential in parts: for a device that has one key for several schemes, and headers in its flash.

use core::fmt;

use sha2::{Digest as _, Sha256};

use super::header::{self, KeyName};
use crate::cert::{ClockError, Validity, check_clock_is_set};
use crate::error::Error;
use crate::id::ClientId;
use crate::rsa::{RsaPublicKey, VerifyingKey};
use crate::scheme::Scheme;
use crate::time::UnixTime;

/// Who signs, under which scheme's rules, and SHA-256's midstate of the header: what a
/// [`super::Credential`] knows besides its key and its header.
#[derive(Clone)]
pub struct Profile {
    scheme: &'static Scheme,
    client_id: ClientId,
    validity: Option<Validity>,
    header_len: usize,
    midstate: Sha256,
}

impl Profile {
    /// Checks what [`super::Credential::new`] and [`super::Credential::with_kid`] check. The header was
    /// encoded before, by [`super::encode_header`], and kept; it is compared byte by byte with what would
    /// be encoded now, so nothing that was changed there since can be signed. `header` has it at its
    /// beginning and may hold more.
    ///
    /// # Errors
    /// Those of [`super::Credential::new`]; [`Field::Header`](crate::field::Field::Header) where
    /// `header` is not the one that would be encoded.
    pub fn new(
        scheme: &'static Scheme,
        client_id: ClientId,
        name: KeyName<'_>,
        signer_key: &RsaPublicKey,
        header: &[u8],
    ) -> Result<Self, Error> {
        super::check(scheme, &client_id, name, signer_key)?;
        let header_len = header::compare(name, header)?;
        let encoded = header.get(..header_len).unwrap_or(&[]);
        Ok(Self::build(scheme, client_id, name, encoded))
    }

    pub(super) fn build(
        scheme: &'static Scheme,
        client_id: ClientId,
        name: KeyName<'_>,
        header: &[u8],
    ) -> Self {
        let midstate = Sha256::new_with_prefix(header).chain_update(b".");
        let validity = match name {
            KeyName::Chain(chain) => Some(chain.validity()),
            KeyName::Kid(_) => None,
        };
        Self {
            scheme,
            client_id,
            validity,
            header_len: header.len(),
            midstate,
        }
    }

    /// With its key and its header again. What is signed is what was checked, whatever is given here:
    /// another key verifies no signature, and another header makes a token that nobody accepts.
    pub fn bind<'a>(&'a self, key: &'a VerifyingKey, header: &'a [u8]) -> BoundProfile<'a> {
        BoundProfile {
            profile: self,
            key,
            header: header.get(..self.header_len).unwrap_or(&[]),
        }
    }

    /// The scheme.
    pub const fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// Who signs.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// When the chain's certificates are valid; `None` where a `kid` names the key.
    pub const fn validity(&self) -> Option<&Validity> {
        self.validity.as_ref()
    }

    /// Whether an assertion may be made at this time.
    ///
    /// # Errors
    /// [`ClockError`].
    pub fn check_clock(&self, now: UnixTime) -> Result<(), ClockError> {
        check_clock_is_set(now)?;
        self.validity.map_or(Ok(()), |validity| validity.check(now))
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("scheme", &self.scheme.name())
            .field("client_id", &self.client_id.as_str())
            .finish_non_exhaustive()
    }
}

/// A profile with its key and its header: what [`super::Credential`] is, in borrowed parts.
#[derive(Clone, Copy, Debug)]
pub struct BoundProfile<'a> {
    pub(super) profile: &'a Profile,
    pub(super) key: &'a VerifyingKey,
    header: &'a [u8],
}

impl<'a> BoundProfile<'a> {
    pub(super) const fn header(self) -> &'a [u8] {
        self.header
    }

    pub(super) fn midstate(self) -> Sha256 {
        self.profile.midstate.clone()
    }
}
