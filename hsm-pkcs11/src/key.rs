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
use crate::object::{self, ObjectName, flag};
use crate::raw::KeyUse;
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

/// Finds the public keys of `keys` that do not show their own: in public keys, then in certificates, of the same `CKA_ID`.
/// That is one search for all, or for the one.
fn find_public_keys(session: &OpenSession, keys: &mut [KeyFacts]) -> Result<(), CallError> {
    for in_certificates in [false, true] {
        let is_lacking =
            |it: &&mut KeyFacts| it.public == Err(KeyUnfit::NoPublicKey) && !it.name.id.is_empty();
        let lacking: Vec<_> = keys.iter_mut().filter(is_lacking).collect();
        let found = match lacking.as_slice() {
            [] => return Ok(()),
            _ if in_certificates => {
                let all = certificate::all(session)?.into_iter();
                let all = all.filter_map(|it| Some((it.name, Ok(it.public?))));
                all.collect()
            }
            [key] => public_keys(session, Some(&key.name.id))?,
            _ => public_keys(session, None)?,
        };
        for key in lacking {
            let its = |(name, public): &&NamedPublicKey| {
                name.id == key.name.id && *public != Err(KeyUnfit::NoPublicKey)
            };
            if let Some((_, public)) = found.iter().find(its) {
                key.public.clone_from(public);
            }
        }
    }
    Ok(())
}

type NamedPublicKey = (ObjectName, Result<RsaPublicKey, KeyUnfit>);

/// The public RSA keys on the token, or those with this `CKA_ID`.
pub(crate) fn public_keys(
    session: &OpenSession,
    id: Option<&[u8]>,
) -> Result<Vec<NamedPublicKey>, CallError> {
    let rsa = CKK_RSA.to_ne_bytes();
    let mut wanted = vec![(CKA_KEY_TYPE, rsa.as_slice())];
    wanted.extend(id.map(|id| (CKA_ID, id)));
    let mut found = Vec::new();
    for holder in object::find(session, CKO_PUBLIC_KEY, &wanted)? {
        let kinds = [CKA_LABEL, CKA_ID, CKA_MODULUS, CKA_PUBLIC_EXPONENT];
        let [label, id, modulus, exponent] = object::read::<WORDS, _>(session, holder, kinds)?;
        found.push((ObjectName::new(label, id), public_key(modulus, exponent)));
    }
    Ok(found)
}
