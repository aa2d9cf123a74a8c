//! A private key on a token: what it says about itself, and which one a URI means.

mod find;
mod fitness;

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki_sys::{CK_MECHANISM_TYPE, CKA_ALLOWED_MECHANISMS};
use privyseal_core::RsaPublicKey;

pub(crate) use find::{again, all, select};
pub(crate) use fitness::{notes, obstacle};
use privyseal_hsm::KeyUnfit;

use crate::error::CallError;
use crate::mechanism::KeyUse;
use crate::object::{self, ObjectName};
use crate::raw::RawModule;
use crate::session::OpenSession;

/// What a private key says about itself. Absent attributes have their defaults.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one attribute of the key"
)]
pub(crate) struct KeyFacts {
    pub(crate) handle: ObjectHandle,
    pub(crate) name: ObjectName,
    /// `CKA_KEY_TYPE` is `CKK_RSA`.
    pub(crate) is_rsa: bool,
    /// `CKA_SIGN`; absent means that `C_SignInit` will tell.
    pub(crate) may_sign: bool,
    /// `CKA_DECRYPT`; absent means that `C_DecryptInit` will tell.
    pub(crate) may_decrypt: bool,
    /// `CKA_PRIVATE`, where shown.
    pub(crate) private: Option<bool>,
    /// `CKA_SENSITIVE`, where shown.
    pub(crate) sensitive: Option<bool>,
    /// `CKA_EXTRACTABLE`, where shown.
    pub(crate) extractable: Option<bool>,
    /// `CKA_ALWAYS_AUTHENTICATE`; absent means false (PKCS #11 3.1 section 4.9; NSS).
    pub(crate) always_authenticate: bool,
    /// `CKA_ALLOWED_MECHANISMS`; absent or empty means all.
    pub(crate) allowed: Vec<CK_MECHANISM_TYPE>,
    pub(crate) public: Result<RsaPublicKey, KeyUnfit>,
}

impl KeyFacts {
    /// Whether its attributes permit the use.
    pub(crate) const fn permits(&self, key_use: KeyUse) -> bool {
        match key_use {
            KeyUse::Sign => self.may_sign,
            KeyUse::Decrypt => self.may_decrypt,
        }
    }

    fn read(
        module: &RawModule,
        session: &OpenSession,
        handle: ObjectHandle,
    ) -> Result<Self, CallError> {
        let flag = |kind| object::flag(session, handle, kind);
        let name = ObjectName::read(session, handle)?;
        let is_rsa = object::attribute(session, handle, AttributeType::KeyType)?
            == Some(Attribute::KeyType(KeyType::RSA));
        let allowed = module.numbers(session, handle, CKA_ALLOWED_MECHANISMS)?;
        let public = if is_rsa {
            public_key(session, handle, &name.id)?
        } else {
            Err(KeyUnfit::NotRsa)
        };
        Ok(Self {
            handle,
            name,
            is_rsa,
            may_sign: flag(AttributeType::Sign)?.unwrap_or(true),
            may_decrypt: flag(AttributeType::Decrypt)?.unwrap_or(true),
            private: flag(AttributeType::Private)?,
            sensitive: flag(AttributeType::Sensitive)?,
            extractable: flag(AttributeType::Extractable)?,
            always_authenticate: flag(AttributeType::AlwaysAuthenticate)?.unwrap_or(false),
            allowed: allowed.unwrap_or_default(),
            public,
        })
    }
}

/// From the private key itself, or from the public key with the same `CKA_ID`.
fn public_key(
    session: &OpenSession,
    private: ObjectHandle,
    id: &[u8],
) -> Result<Result<RsaPublicKey, KeyUnfit>, CallError> {
    let mut holders = vec![private];
    if !id.is_empty() {
        holders.extend(object::find(
            session,
            &[
                Attribute::Class(ObjectClass::PUBLIC_KEY),
                Attribute::KeyType(KeyType::RSA),
                Attribute::Id(id.to_vec()),
            ],
        )?);
    }
    for holder in holders {
        let modulus = object::bytes(session, holder, AttributeType::Modulus)?;
        let exponent = object::bytes(session, holder, AttributeType::PublicExponent)?;
        if !modulus.is_empty() && !exponent.is_empty() {
            let key = RsaPublicKey::from_components(&modulus, &exponent);
            return Ok(key.map_err(KeyUnfit::PublicKey));
        }
    }
    Ok(Err(KeyUnfit::NoPublicKey))
}
