//! Setting a token up: a new key, and the certificates that belong to it.

use privyseal_hsm::{FitnessNote, NewKey, SecretProvider};
#[cfg(feature = "yubihsm")]
use privyseal_yubihsm::{audit, provision::NewObject};

use super::{KeyUri, SignerOptions};
use crate::keys::{KeyError, KeyUriError, SignerFailure};
use crate::pki::certificates::Certificates;

impl KeyUri {
    /// Generates an RSA key on the token, which signs, does nothing else and never leaves it; gives the URI that
    /// opens it, and what is worth knowing of it.
    /// `label` is its name where the URI gives none. Nothing is overwritten.
    ///
    /// # Errors
    /// [`KeyError`]: the URI does not say enough, its name is taken, or trouble with the token or its PIN.
    pub fn generate(
        &self,
        pins: &mut dyn SecretProvider,
        policy: &SignerOptions,
        new: &NewKey,
        label: Option<&str>,
    ) -> Result<(Self, Vec<FitnessNote>), KeyError> {
        match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => {
                let uri = label.map_or_else(|| uri.clone(), |label| uri.with_object(label));
                let made = privyseal_pkcs11::provision::generate_key(&uri, pins, policy.login, new);
                let made = made.map_err(SignerFailure::new)?;
                Ok((Self::Pkcs11(made.uri), made.notes))
            }
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => {
                let id = uri.required_key_id().map_err(KeyUriError::Uri)?;
                if new.always_authenticate {
                    return Err(KeyUriError::NoPinPerSignature.into());
                }
                let object = NewObject::new(id, label.unwrap_or_default(), new.domain);
                let made =
                    audit::open(uri, pins).and_then(|(it, _)| it.generate_key(&object, new.bits));
                made.map_err(SignerFailure::new)?;
                Ok((self.clone(), Vec::new()))
            }
            #[cfg(feature = "gateway")]
            Self::Device(_) => Err(KeyUriError::NotAToken.into()),
        }
    }

    /// Stores the key's certificates, leaf first, where its signers find them; gives their URIs. What is there already
    /// stays; another leaf of this key makes it an error, or is removed if `replace` says so.
    ///
    /// # Errors
    /// [`KeyError`]: the first certificate is not for the key, another is there, or trouble with the token or its PIN.
    pub fn put_chain(
        &self,
        pins: &mut dyn SecretProvider,
        policy: &SignerOptions,
        chain: &Certificates,
        replace: bool,
    ) -> Result<Vec<Self>, KeyError> {
        let ders: Vec<Vec<u8>> = chain.iter().map(<[u8]>::to_vec).collect();
        match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => {
                let put = privyseal_pkcs11::provision::put_certificates;
                let uris = put(uri, pins, policy.login, &ders, replace);
                let uris = uris.map_err(SignerFailure::new)?;
                Ok(uris.into_iter().map(Self::Pkcs11).collect())
            }
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => {
                let key = uri.required_key_id().map_err(KeyUriError::Uri)?;
                let ids =
                    audit::open(uri, pins).and_then(|(it, _)| it.put_chain(key, &ders, replace));
                let ids = ids.map_err(SignerFailure::new)?.into_iter();
                Ok(ids
                    .map(|id| Self::Yubihsm(uri.for_certificate(id)))
                    .collect())
            }
            #[cfg(feature = "gateway")]
            Self::Device(_) => Err(KeyUriError::NotAToken.into()),
        }
    }
}
