//! A key: what the device says about it, and whether it may sign.

mod fitness;

use privyseal_core::RsaPublicKey;
use privyseal_hsm::KeyUnfit;
use yubihsm::{Capability, asymmetric, object};

use crate::device::Device;
use crate::error::{DeviceCode, Error};

pub(crate) use fitness::notes;

/// What an object may be used for: the names that `yubihsm-shell` uses, of those this crate deals with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(pub(crate) Capability);

/// What the device says about an asymmetric key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyFacts {
    /// Its id.
    pub id: u16,
    /// Its label.
    pub label: String,
    /// The domains it belongs to, from 1 to 16.
    pub domains: Vec<u8>,
    /// What it may be used for.
    pub capabilities: Capabilities,
    /// Whether it was generated on this device and never outside of one.
    pub generated: bool,
    /// Its public key, if it is an RSA key that can sign assertions.
    pub public_key: Result<RsaPublicKey, KeyUnfit>,
}

impl Capabilities {
    /// Whether it may sign with PKCS #1 v1.5.
    pub const fn may_sign(self) -> bool {
        self.0.contains(Capability::SIGN_PKCS)
    }

    /// Whether it may decrypt with OAEP.
    pub const fn may_decrypt(self) -> bool {
        self.0.contains(Capability::DECRYPT_OAEP)
    }

    /// Whether it may leave the device, encrypted under another key.
    pub const fn is_exportable(self) -> bool {
        self.0.contains(Capability::EXPORTABLE_UNDER_WRAP)
    }
}

impl Device {
    /// What the device says about asymmetric key `id`. Looked up by its id, because a list of objects
    /// ends without notice at the first one of a kind that the `yubihsm` crate does not know.
    ///
    /// # Errors
    /// There is no such key in the domains of the session, or a call of the device fails.
    pub fn key(&self, id: u16) -> Result<KeyFacts, Error> {
        let info = self
            .object_info(id, object::Type::AsymmetricKey)?
            .ok_or_else(|| Error::KeyNotFound {
                device: self.name(),
                key_id: id,
            })?;
        let public_key = match rsa_bits(info.algorithm) {
            Some(bits) => {
                let key = self.call("GetPublicKey", move |client| client.get_public_key(id))?;
                self.rsa_key(bits, &key)?
            }
            None => Err(KeyUnfit::NotRsa),
        };
        Ok(KeyFacts {
            id,
            label: label(&info),
            domains: domains(info.domains.bits()),
            capabilities: Capabilities(info.capabilities),
            generated: info.origin == object::Origin::Generated,
            public_key,
        })
    }

    /// What the session's authentication key may do, if the device tells.
    pub(crate) fn session_capabilities(&self) -> Option<Capabilities> {
        let info = self
            .object_info(self.auth_key(), object::Type::AuthenticationKey)
            .ok()??;
        Some(Capabilities(info.capabilities))
    }

    /// `None` if there is no such object.
    pub(crate) fn object_info(
        &self,
        id: u16,
        kind: object::Type,
    ) -> Result<Option<object::Info>, Error> {
        let info = self.call("GetObjectInfo", move |client| {
            client.get_object_info(id, kind)
        });
        match info {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.is(DeviceCode::OBJECT_NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The bare modulus becomes a key; the exponent is 65537 on every YubiHSM 2.
    fn rsa_key(
        &self,
        bits: u32,
        key: &asymmetric::PublicKey,
    ) -> Result<Result<RsaPublicKey, KeyUnfit>, Error> {
        if u32::try_from(key.bytes.len() * 8) != Ok(bits) {
            return Err(Error::Protocol {
                device: self.name(),
                function: "GetPublicKey",
                reason: format!("{} bytes for an RSA-{bits} key", key.bytes.len()),
            });
        }
        Ok(RsaPublicKey::from_components(&key.bytes, &[1, 0, 1]).map_err(KeyUnfit::PublicKey))
    }
}

const RSA: [(u32, asymmetric::Algorithm); 3] = [
    (2048, asymmetric::Algorithm::Rsa2048),
    (3072, asymmetric::Algorithm::Rsa3072),
    (4096, asymmetric::Algorithm::Rsa4096),
];

pub(crate) fn rsa_of(bits: u32) -> Option<asymmetric::Algorithm> {
    RSA.iter().find(|it| it.0 == bits).map(|it| it.1)
}

fn rsa_bits(algorithm: yubihsm::Algorithm) -> Option<u32> {
    let algorithm = algorithm.asymmetric()?;
    RSA.iter().find(|it| it.1 == algorithm).map(|it| it.0)
}

pub(crate) fn label(info: &object::Info) -> String {
    info.label.try_as_str().unwrap_or_default().to_owned()
}

fn domains(bits: u16) -> Vec<u8> {
    (1..=16)
        .filter(|number| bits >> (number - 1) & 1 == 1)
        .collect()
}
