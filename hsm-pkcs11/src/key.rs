//! A private key on a token: what it says about itself, and which one a URI means.

mod find;
mod fitness;

use cryptoki_sys::{
    CK_MECHANISM_TYPE, CK_OBJECT_HANDLE, CKA_ALLOWED_MECHANISMS, CKA_ALWAYS_AUTHENTICATE,
    CKA_DECRYPT, CKA_EXTRACTABLE, CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKA_MODULUS, CKA_PRIVATE,
    CKA_PUBLIC_EXPONENT, CKA_SENSITIVE, CKA_SIGN, CKK_RSA, CKO_PUBLIC_KEY,
};
use privyseal_core::RsaPublicKey;
use privyseal_hsm::KeyUnfit;

pub(crate) use find::{again, all, select};
pub(crate) use fitness::{check, notes};

use crate::certificate;
use crate::error::CallError;
use crate::mechanism::KeyUse;
use crate::object::{self, ObjectName, flag};
use crate::raw::Attribute;
use crate::session::OpenSession;

/// Room for an attribute of a key, in words: the modulus of RSA-4096, with one byte more.
const WORDS: usize = 130;

/// What a private key says about itself. Absent attributes have their defaults.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one attribute of the key"
)]
pub(crate) struct KeyFacts {
    pub(crate) handle: CK_OBJECT_HANDLE,
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

    fn read(session: &OpenSession, handle: CK_OBJECT_HANDLE) -> Result<Self, CallError> {
        let [
            label,
            id,
            kind,
            modulus,
            exponent,
            sign,
            decrypt,
            private,
            sensitive,
            extractable,
            always,
            allowed,
        ] = object::read::<WORDS, _>(
            session,
            handle,
            [
                CKA_LABEL,
                CKA_ID,
                CKA_KEY_TYPE,
                CKA_MODULUS,
                CKA_PUBLIC_EXPONENT,
                CKA_SIGN,
                CKA_DECRYPT,
                CKA_PRIVATE,
                CKA_SENSITIVE,
                CKA_EXTRACTABLE,
                CKA_ALWAYS_AUTHENTICATE,
                CKA_ALLOWED_MECHANISMS,
            ],
        )?;
        let is_rsa = object::numbers(kind.as_deref()) == [CKK_RSA];
        Ok(Self {
            handle,
            name: ObjectName::new(label, id),
            is_rsa,
            may_sign: flag(sign.as_deref()).unwrap_or(true),
            may_decrypt: flag(decrypt.as_deref()).unwrap_or(true),
            private: flag(private.as_deref()),
            sensitive: flag(sensitive.as_deref()),
            extractable: flag(extractable.as_deref()),
            always_authenticate: flag(always.as_deref()).unwrap_or(false),
            allowed: object::numbers(allowed.as_deref()),
            public: if is_rsa {
                public_key(modulus, exponent)
            } else {
                Err(KeyUnfit::NotRsa)
            },
        })
    }
}

fn public_key(
    modulus: Option<Vec<u8>>,
    exponent: Option<Vec<u8>>,
) -> Result<RsaPublicKey, KeyUnfit> {
    match (modulus, exponent) {
        (Some(modulus), Some(exponent)) if !modulus.is_empty() && !exponent.is_empty() => {
            RsaPublicKey::from_components(&modulus, &exponent).map_err(KeyUnfit::PublicKey)
        }
        _ => Err(KeyUnfit::NoPublicKey),
    }
}

/// Finds what private keys do not show themselves in the public key with the same `CKA_ID`, or in the certificate.
/// One search for all.
fn find_public_keys(session: &OpenSession, keys: &mut [KeyFacts]) -> Result<(), CallError> {
    let mut lacking: Vec<&mut KeyFacts> = keys
        .iter_mut()
        .filter(|key| key.public == Err(KeyUnfit::NoPublicKey) && !key.name.id.is_empty())
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let rsa = CKK_RSA.to_ne_bytes();
    let mut wanted = vec![(CKA_KEY_TYPE, rsa.as_slice())];
    if let [key] = lacking.as_slice() {
        wanted.push((CKA_ID, &key.name.id));
    }
    let found = read_public(session, &wanted)?.into_iter();
    let found: Vec<_> = found.map(|(name, key)| (name.id, key)).collect();
    give(&mut lacking, &found);
    if lacking.is_empty() {
        return Ok(());
    }
    let certificates = certificate::all(session)?.into_iter();
    let found: Vec<_> = certificates
        .filter_map(|found| Some((found.name.id, Ok(found.public?))))
        .collect();
    give(&mut lacking, &found);
    Ok(())
}

/// A public key, and how its object is called.
type NamedPublicKey = (ObjectName, Result<RsaPublicKey, KeyUnfit>);

fn read_public(
    session: &OpenSession,
    wanted: &[Attribute<'_>],
) -> Result<Vec<NamedPublicKey>, CallError> {
    let mut found = Vec::new();
    for holder in object::find(session, CKO_PUBLIC_KEY, wanted)? {
        let kinds = [CKA_LABEL, CKA_ID, CKA_MODULUS, CKA_PUBLIC_EXPONENT];
        let [label, id, modulus, exponent] = object::read::<WORDS, _>(session, holder, kinds)?;
        found.push((ObjectName::new(label, id), public_key(modulus, exponent)));
    }
    Ok(found)
}

/// All RSA public keys, and how their objects are called.
pub(crate) fn public_keys(
    session: &OpenSession,
) -> Result<Vec<(ObjectName, Option<RsaPublicKey>)>, CallError> {
    let rsa = CKK_RSA.to_ne_bytes();
    let found = read_public(session, &[(CKA_KEY_TYPE, &rsa)])?.into_iter();
    Ok(found.map(|(name, key)| (name, key.ok())).collect())
}

/// Gives each key the public key that was found under its `CKA_ID`; `lacking` keeps those without one.
fn give(lacking: &mut Vec<&mut KeyFacts>, found: &[(Vec<u8>, Result<RsaPublicKey, KeyUnfit>)]) {
    lacking.retain_mut(|key| {
        let its = |(id, public): &&(Vec<u8>, _)| {
            *id == key.name.id && *public != Err(KeyUnfit::NoPublicKey)
        };
        if let Some((_, public)) = found.iter().find(its) {
            key.public.clone_from(public);
        }
        key.public == Err(KeyUnfit::NoPublicKey)
    });
}
