//! Decrypts the keys of JWEs with a key that stays on its device.

use privyseal_core::{KeyEncryption, RsaPublicKey, Unwrapper};
use privyseal_hsm::{HeldCertificate, KeyUnfit, SecretProvider, SignerOptions};
use sha2::{Digest as _, Sha256};
use yubihsm::rsa::mgf;
use zeroize::Zeroizing;

use crate::audit;
use crate::device::Device;
use crate::error::{DeviceCode, Error};
use crate::uri::YubihsmUri;

/// The SHA-1 digest of an empty label.
const EMPTY_SHA1: [u8; 20] = [
    0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60, 0x18, 0x90,
    0xaf, 0xd8, 0x07, 0x09,
];

/// Decrypts content encryption keys (`DecryptOaep`). It needs a key with the capability `decrypt-oaep`, and a session that
/// has it too.
pub struct YubihsmUnwrapper {
    uri: YubihsmUri,
    device: Device,
    key_id: u16,
    public: RsaPublicKey,
}

impl YubihsmUnwrapper {
    /// Opens the device and checks that the key that `uri` names can decrypt and is as `options` want it.
    ///
    /// # Errors
    /// The URI names no key, the device cannot be opened or has no such key, or the key is unfit.
    pub fn open_as(
        uri: &YubihsmUri,
        passwords: &mut dyn SecretProvider,
        options: &SignerOptions,
    ) -> Result<Self, Error> {
        let key_id = uri.required_key_id()?;
        let (device, _) = audit::open(uri, passwords)?;
        let facts = device.key(key_id)?;
        let unfit = |reason| Error::Key { key_id, reason };
        let properties = facts.properties(HeldCertificate::Matching).map_err(unfit)?;
        if !facts.capabilities.may_decrypt() {
            return Err(unfit(KeyUnfit::NoDecryptCapability));
        }
        options.key.check(&properties).map_err(unfit)?;
        Ok(Self {
            uri: uri.clone(),
            device,
            key_id,
            public: facts.public_key.map_err(unfit)?,
        })
    }

    /// The URI it was opened by.
    pub const fn uri(&self) -> &YubihsmUri {
        &self.uri
    }
}

impl Unwrapper for YubihsmUnwrapper {
    type Error = Error;

    fn public_key(&self) -> &RsaPublicKey {
        &self.public
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, Error> {
        if encrypted.len() != self.public.size() {
            return Err(Error::Undecipherable);
        }
        let (key_id, encrypted) = (self.key_id, encrypted.to_vec());
        // The length of the label's digest says which hash is meant.
        let (hash, label) = match algorithm {
            KeyEncryption::RsaOaep => (mgf::Algorithm::Sha1, EMPTY_SHA1.to_vec()),
            KeyEncryption::RsaOaep256 => (mgf::Algorithm::Sha256, Sha256::digest([]).to_vec()),
        };
        let plain = self.device.call("DecryptOaep", move |client| {
            client
                .decrypt_oaep(key_id, hash, encrypted.clone(), label.clone())
                .map(|plain| Zeroizing::new(plain.into_vec()))
        });
        match plain {
            Ok(plain) => {
                let room = key.get_mut(..plain.len()).ok_or(Error::Undecipherable)?;
                room.copy_from_slice(&plain);
                Ok(plain.len())
            }
            Err(error) if error.is(DeviceCode::INVALID_DATA) => Err(Error::Undecipherable),
            Err(error) => Err(error),
        }
    }
}

privyseal_core::opaque_debug! { [] YubihsmUnwrapper: uri, public; }
