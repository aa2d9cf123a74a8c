//! A credential in parts: for a device that has one key for several schemes, and headers in its flash.

use sha2::{Digest as _, Sha256};

use super::buffer::HeaderBytes;
use super::header::{self, KeyName, Name};
use crate::cert::{ClockError, Validity, check_clock_is_set};
use crate::error::Error;
use crate::id::ClientId;
use crate::rsa::spki::spki_digest;
use crate::rsa::{RsaPublicKey, VerifyingKey};
use crate::scheme::SchemeRules;
use crate::time::UnixTime;

/// Who signs, under which scheme's rules, and the header: what a [`super::Credential`] has besides its key. `B`
/// holds the encoded header.
#[derive(Clone)]
pub struct Profile<B> {
    rules: Rules,
    header: B,
}

/// What is known of a profile besides the bytes of its header.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) scheme: &'static SchemeRules,
    pub(super) client_id: ClientId,
    validity: Option<Validity>,
    key_digest: [u8; 32],
    header_len: usize,
    midstate: Sha256,
}

impl<B: HeaderBytes> Profile<B> {
    /// Checks what [`super::Credential::new`] and [`super::Credential::with_kid`] check. The header was
    /// encoded before, by [`super::encode_header`], and kept; it is compared byte by byte with what would
    /// be encoded now, so nothing that was changed there since can be signed. `header` has it at its
    /// beginning and may hold more.
    ///
    /// # Errors
    /// Those of [`super::Credential::new`]; [`Field::Header`](crate::field::Field::Header) where
    /// `header` is not the one that would be encoded.
    pub fn new(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        name: KeyName<'_>,
        signer_key: &RsaPublicKey,
        header: B,
    ) -> Result<Self, Error> {
        super::check(scheme, &client_id, name, signer_key)?;
        let header_len = header::compare(name, header.bytes())?;
        let key_digest = spki_digest(signer_key);
        Ok(Self::build(
            scheme,
            client_id,
            name,
            key_digest,
            (header, header_len),
        ))
    }

    /// `header` begins with its encoding, of that length.
    pub(super) fn build(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        name: KeyName<'_>,
        key_digest: [u8; 32],
        (header, header_len): (B, usize),
    ) -> Self {
        let encoded = header.bytes().get(..header_len).unwrap_or(&[]);
        let midstate = Sha256::new_with_prefix(encoded).chain_update(b".");
        let validity = match name.0 {
            Name::Chain(chain) => Some(chain.validity()),
            Name::Digest(certificate) => Some(Validity::of(core::slice::from_ref(certificate))),
            Name::Kid(_) => None,
        };
        let rules = Rules {
            scheme,
            client_id,
            validity,
            key_digest,
            header_len,
            midstate,
        };
        Self { rules, header }
    }

    /// With its key again.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] for another key than it was made for.
    pub fn bind<'a>(&'a self, key: &'a VerifyingKey) -> Result<BoundProfile<'a>, Error> {
        if *key.spki_digest() == self.rules.key_digest {
            Ok(self.with_its_key(key))
        } else {
            Err(Error::KeyMismatch)
        }
    }

    pub(super) fn with_its_key<'a>(&'a self, key: &'a VerifyingKey) -> BoundProfile<'a> {
        let (rules, header) = (&self.rules, self.header());
        BoundProfile { rules, key, header }
    }

    /// The header as it will stand in every token: base64url, without the dot.
    pub fn header(&self) -> &[u8] {
        let header = self.header.bytes();
        header.get(..self.rules.header_len).unwrap_or(&[])
    }

    /// The scheme's rules.
    pub const fn scheme(&self) -> &'static SchemeRules {
        self.rules.scheme
    }

    /// Who signs.
    pub const fn client_id(&self) -> &ClientId {
        &self.rules.client_id
    }

    /// When the certificates are valid; `None` where a `kid` names the key.
    pub const fn validity(&self) -> Option<&Validity> {
        self.rules.validity.as_ref()
    }

    /// Whether an assertion may be made at this time.
    ///
    /// # Errors
    /// [`ClockError`].
    pub fn check_clock(&self, now: UnixTime) -> Result<(), ClockError> {
        self.rules.check_clock(now)
    }
}

impl Rules {
    pub(super) fn check_clock(&self, now: UnixTime) -> Result<(), ClockError> {
        check_clock_is_set(now)?;
        self.validity.map_or(Ok(()), |validity| validity.check(now))
    }
}

opaque_debug! {
    [] Rules as it: scheme = it.scheme.name(), client_id = it.client_id.as_str();
    [B] Profile<B>: rules;
    [] BoundProfile<'_>: rules;
}

/// A profile with its key: what [`super::Credential`] is, in borrowed parts.
#[derive(Clone, Copy)]
pub struct BoundProfile<'a> {
    pub(super) rules: &'a Rules,
    pub(super) key: &'a VerifyingKey,
    pub(super) header: &'a [u8],
}

impl BoundProfile<'_> {
    pub(super) fn midstate(self) -> Sha256 {
        self.rules.midstate.clone()
    }
}
