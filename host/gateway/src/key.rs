//! The public side of a device's key: what can be known, shown and checked without signing.

use der::{Decode as _, Reader as _, SliceReader, asn1::AnyRef};
use privyseal_core::cert::Certificate;
use privyseal_core::{KeyEncryption, RsaPublicKey, UnixTime, Unwrapper};
use privyseal_protocol::{Content, DeviceState, Policy, Refusal, SignRequest};
use zeroize::Zeroizing;

use crate::device::{Device, Limits, UNWRAP};
use crate::error::{DeviceError, untrue};
use crate::info::DeviceInfo;
use crate::uri::DeviceUri;

/// A device that has a key, with its public key, its certificates and its policy. The three were read
/// from it and fit each other; whose they are only a certificate says, or `key-sha256` in the URI.
#[derive(Debug)]
pub struct DeviceKey {
    device: Device,
    /// Where it is opened again when it was away; nothing for a line that somebody else opened.
    uri: Option<DeviceUri>,
    /// Its line broke and was let go, so that somebody else may have the port now.
    is_away: bool,
    public_key: RsaPublicKey,
    certificates: Vec<Vec<u8>>,
    policy: Vec<u8>,
}

impl DeviceKey {
    /// Opens the line and reads all three. A device that was away, unplugged for example, is looked for there again
    /// when it is to sign.
    ///
    /// # Errors
    /// As [`Device::open`] and [`DeviceKey::of`].
    pub fn open(uri: &DeviceUri) -> Result<Self, DeviceError> {
        Self::open_within(uri, Limits::default())
    }

    /// The same within other limits.
    ///
    /// # Errors
    /// As [`DeviceKey::open`].
    pub fn open_within(uri: &DeviceUri, limits: Limits) -> Result<Self, DeviceError> {
        let mut key = Self::of(Device::open(uri, limits)?)?;
        key.uri = Some(uri.clone());
        Ok(key)
    }

    /// Of a device that is open.
    ///
    /// # Errors
    /// [`DeviceError::NoKey`], [`DeviceError::Uncertified`], [`DeviceError::Locked`]; [`DeviceError::Untrue`] if the three
    /// cannot be read or do not fit each other.
    pub fn of(mut device: Device) -> Result<Self, DeviceError> {
        match (device.info().key, device.info().state) {
            (None, _) => return Err(DeviceError::NoKey),
            (_, DeviceState::Uncertified) => return Err(DeviceError::Uncertified),
            (_, DeviceState::Locked) => return Err(DeviceError::Locked),
            _ => {}
        }
        let public_key = device.public_key()?;
        let chain = device.chain()?;
        let certificates = certificates(&chain)
            .ok_or_else(|| DeviceError::untrue("its certificate chain cannot be read"))?;
        let policy = device.policy()?;
        let key = Self {
            device,
            uri: None,
            is_away: false,
            public_key,
            certificates,
            policy,
        };
        key.policy()?;
        Ok(key)
    }

    /// How long its device may take.
    pub const fn limits(&self) -> Limits {
        self.device.limits()
    }

    /// As [`Device::sign`].
    pub(crate) fn sign(
        &mut self,
        request: SignRequest<'_>,
        content: Option<&Content<'_>>,
        presence: Option<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, DeviceError> {
        self.asked(|device| device.sign(request, content, presence))
    }

    /// What its device gives, also where that was away and is there again.
    fn asked<T>(
        &mut self,
        ask: impl Fn(&mut Device) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        if !self.is_away {
            let outcome = ask(&mut self.device);
            let Err(DeviceError::Line { .. } | DeviceError::Closed { .. }) = outcome else {
                return outcome;
            };
            if self.uri.is_none() {
                return outcome;
            }
            self.device.exchange.release();
            self.is_away = true;
        }
        if let Some(uri) = &self.uri {
            let again = Self::open_within(uri, self.limits())?;
            if !self.is_same(&again) {
                return untrue(
                    "it was away, and is another device now, or has another key or policy",
                );
            }
            *self = again;
        }
        ask(&mut self.device)
    }

    /// That it unwraps content keys, and signs nothing.
    ///
    /// # Errors
    /// [`DeviceError::Signs`] if its policy is another one.
    pub fn check_unwraps(&self) -> Result<(), DeviceError> {
        let unwraps = self.policy()?.unwraps();
        unwraps.then_some(()).ok_or(DeviceError::Signs)
    }

    /// That it signs, and unwraps no content keys.
    ///
    /// # Errors
    /// [`DeviceError::Unwraps`] if its policy is another one.
    pub fn check_signs(&self) -> Result<(), DeviceError> {
        let signs = !self.policy()?.unwraps();
        signs.then_some(()).ok_or(DeviceError::Unwraps)
    }

    /// As [`Device::set_time`].
    ///
    /// # Errors
    /// As [`Device::set_time`].
    pub fn set_time(&mut self, now: u64, signature: &[u8]) -> Result<u64, DeviceError> {
        self.asked(|device| device.set_time(now, signature))
    }

    fn is_same(&self, other: &Self) -> bool {
        self.info().device == other.info().device
            && self.public_key == other.public_key
            && self.certificates == other.certificates
            && self.policy == other.policy
    }

    /// When the first of its certificates ends, if it has any.
    pub fn not_after(&self) -> Option<UnixTime> {
        let read = self
            .certificates
            .iter()
            .map(|der| Certificate::from_der(der));
        read.flatten()
            .map(|certificate| certificate.not_after())
            .min()
    }

    /// The public key.
    pub const fn public_key(&self) -> &RsaPublicKey {
        &self.public_key
    }

    /// The certificates, DER, in the order in which they were provisioned: leaf first. Empty where no scheme
    /// needs them.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// What the device says of itself.
    pub const fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    /// Whether it signs.
    pub fn is_ready(&self) -> bool {
        self.info().state == DeviceState::Ready
    }

    /// What the device may sign.
    ///
    /// # Errors
    /// None: the policy was read when the key was opened.
    pub fn policy(&self) -> Result<Policy<'_>, DeviceError> {
        Policy::from_bytes(&self.policy)
            .ok_or_else(|| DeviceError::untrue("its policy cannot be read"))
    }

    /// The policy and what it allows, a line each.
    ///
    /// # Errors
    /// As [`DeviceKey::policy`].
    pub fn policy_lines(&self) -> Result<Vec<String>, DeviceError> {
        self.policy()
            .map(|policy| crate::policy::show::lines(&policy))
    }

    /// The policy as JSON.
    ///
    /// # Errors
    /// As [`DeviceKey::policy`].
    pub fn policy_json(&self) -> Result<serde_json::Value, DeviceError> {
        self.policy()
            .map(|policy| crate::policy::show::json(&policy))
    }
}

/// What it gives cannot be checked: whoever made the ciphertext knows the content key, and nobody else does. What is decrypted
/// with another one does not pass its own check.
impl Unwrapper for DeviceKey {
    type Error = DeviceError;

    fn public_key(&self) -> &RsaPublicKey {
        self.public_key()
    }

    fn unwrap_key(
        &mut self,
        algorithm: KeyEncryption,
        encrypted: &[u8],
        key: &mut [u8],
    ) -> Result<usize, DeviceError> {
        if algorithm != KeyEncryption::RsaOaep256 {
            return Err(DeviceError::KeyEncryption { algorithm });
        }
        let undecipherable = || DeviceError::Refused {
            asked: UNWRAP,
            refusal: Refusal::Ciphertext,
        };
        if encrypted.len() != self.public_key.size() {
            return Err(undecipherable());
        }
        let presence = self.policy()?.presence;
        let unwrapped = self.asked(|device| device.unwrap(encrypted, presence))?;
        let room = key.get_mut(..unwrapped.len()).ok_or_else(undecipherable)?;
        room.copy_from_slice(&unwrapped);
        Ok(unwrapped.len())
    }
}

/// Splits DER values that stand one after the other.
fn certificates(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let mut certificates = Vec::new();
    while !reader.is_finished() {
        let der = reader.tlv_bytes().ok()?;
        AnyRef::from_der(der).ok()?;
        certificates.push(der.to_vec());
    }
    Some(certificates)
}
