//! Key references: one URI for each way to reach a key.

mod opened;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod provision;
mod signer;
mod unwrapper;
#[cfg(feature = "yubihsm")]
mod yubihsm;

use core::fmt;
use core::str::FromStr;
use std::io;

use privyseal_hsm::uri::UriError;
use privyseal_hsm::{PinSources, Prompt, Secret, SecretProvider};
#[cfg(feature = "pkcs11")]
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Unwrapper, Pkcs11Uri, PoolOptions};
#[cfg(feature = "yubihsm")]
use privyseal_yubihsm::{YubihsmSigner, YubihsmUnwrapper, YubihsmUri};

use super::{KeyError, KeyUriError, SignerFailure};
#[cfg(feature = "gateway")]
use privyseal_gateway::{DeviceKey, DeviceUri, Limits};

pub use opened::OpenedKey;
pub use privyseal_hsm::SignerOptions;
pub use signer::KeySigner;
pub use unwrapper::KeyUnwrapper;

/// How long the rate limit of a device is waited for: a person has confirmed a login by then, which must not be lost.
#[cfg(feature = "gateway")]
const UNWRAP_WAIT: core::time::Duration = core::time::Duration::from_secs(60);

/// Where a key is. The part before the first colon says how it is reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeyUri {
    /// `pkcs11:` (RFC 7512): a smartcard, a token or a network HSM behind a PKCS #11 module.
    #[cfg(feature = "pkcs11")]
    Pkcs11(Pkcs11Uri),
    /// `yubihsm:`: a YubiHSM 2, through its connector.
    #[cfg(feature = "yubihsm")]
    Yubihsm(YubihsmUri),
    /// `device:`: a gateway, over a serial line. It is no signer: it builds and signs by itself.
    #[cfg(feature = "gateway")]
    Device(DeviceUri),
}

impl KeyUri {
    /// `pin-value`: a PIN or password in clear.
    pub fn pin_value(&self) -> Option<&Secret> {
        match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => uri.pin_value(),
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => uri.pin_value(),
            #[cfg(feature = "gateway")]
            Self::Device(_) => None,
        }
    }

    /// `pin-source`: where the PIN is.
    pub fn pin_source(&self) -> Option<&str> {
        match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => uri.pin_source(),
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => uri.pin_source(),
            #[cfg(feature = "gateway")]
            Self::Device(_) => None,
        }
    }

    /// The same from any folder: paths of the working folder are named from the root.
    ///
    /// # Errors
    /// The working folder has no name, or none that is UTF-8.
    pub fn absolute(&self) -> io::Result<Self> {
        Ok(match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => Self::Pkcs11(uri.absolute()?),
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => Self::Yubihsm(uri.absolute()?),
            #[cfg(feature = "gateway")]
            Self::Device(ref uri) => Self::Device(uri.clone()),
        })
    }

    /// What the reference says of its PIN or password, and otherwise the environment and `prompt`.
    pub fn pin_sources<'w>(
        &self,
        prompt: Prompt,
        warn: impl FnMut(&str) + Send + 'w,
    ) -> PinSources<'w> {
        PinSources::new(self.pin_value(), self.pin_source(), prompt, warn)
    }

    /// A gateway has no PIN and no attributes of a token: what `policy` says of them would not be kept.
    ///
    /// # Errors
    /// [`KeyUriError::NoPin`] and [`KeyUriError::NoAttributes`].
    pub fn check_policy(&self, policy: &SignerOptions) -> Result<(), KeyUriError> {
        match *self {
            #[cfg(feature = "gateway")]
            Self::Device(ref uri) if policy.login.spend_final_try => {
                Err(KeyUriError::NoPin(uri.to_string()))
            }
            #[cfg(feature = "gateway")]
            Self::Device(_) if policy.key != privyseal_hsm::KeyPolicy::default() => {
                Err(KeyUriError::NoAttributes)
            }
            _ => Ok(()),
        }
    }

    /// Opens the key for signing: at most one login, and none where the PIN's last try would be spent
    /// unless `policy` says so. The signer keeps the PIN (wiped when it is dropped), for keys that want
    /// it for every signature and for a login that is lost.
    ///
    /// A `device:` key is no signer and is refused here: see [`KeyUri::open_any`].
    ///
    /// # Errors
    /// [`KeyError`]: the reference does not fit the policy, or the signer, its token or its PIN.
    pub fn open(
        &self,
        pins: &mut dyn SecretProvider,
        policy: &SignerOptions,
    ) -> Result<KeySigner, KeyError> {
        match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => {
                let pool = Pkcs11Pool::open_as(
                    uri,
                    pins,
                    PoolOptions::default().signer(policy.keep_pin(true)),
                );
                Ok(pool.map_err(SignerFailure::new)?.into())
            }
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => {
                let signer = YubihsmSigner::open_as(uri, pins, &policy.keep_pin(true));
                Ok(signer.map_err(SignerFailure::new)?.into())
            }
            #[cfg(feature = "gateway")]
            Self::Device(_) => Err(KeyUriError::NoSigner.into()),
        }
    }

    /// Opens the key for what its public half is good for, and for assertions: a device, or else what
    /// [`KeyUri::open`] opens.
    ///
    /// # Errors
    /// As [`KeyUri::open`]; [`KeyError::Device`] also for a device whose policy is for content keys.
    pub fn open_any(
        &self,
        pins: &mut dyn SecretProvider,
        policy: &SignerOptions,
    ) -> Result<OpenedKey, KeyError> {
        match *self {
            #[cfg(feature = "gateway")]
            Self::Device(ref uri) => {
                self.check_policy(policy)?;
                let key = DeviceKey::open(uri)?;
                key.check_signs()?;
                Ok(OpenedKey::Device(Box::new(key)))
            }
            #[cfg(any(feature = "pkcs11", feature = "yubihsm"))]
            _ => self
                .open(pins, policy)
                .map(|signer| OpenedKey::Signer(Box::new(signer))),
        }
    }

    /// Opens the key for decryption, as [`KeyUri::open`] does for signing.
    ///
    /// # Errors
    /// As [`KeyUri::open_any`]; [`KeyError::Device`] also for a device whose policy is for signing.
    pub fn open_unwrapper(
        &self,
        pins: &mut dyn SecretProvider,
        policy: &SignerOptions,
    ) -> Result<KeyUnwrapper, KeyError> {
        match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => {
                let key = Pkcs11Unwrapper::open_as(uri, pins, &policy.keep_pin(true));
                let key = key.map_err(SignerFailure::new)?;
                let notes = key.notes().iter().map(ToString::to_string).collect();
                Ok(KeyUnwrapper::new(key).with_notes(notes))
            }
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => {
                let key = YubihsmUnwrapper::open_as(uri, pins, &policy.keep_pin(true));
                Ok(KeyUnwrapper::new(key.map_err(SignerFailure::new)?))
            }
            #[cfg(feature = "gateway")]
            Self::Device(ref uri) => {
                self.check_policy(policy)?;
                let limits = Limits::default().wait(UNWRAP_WAIT);
                let key = DeviceKey::open_within(uri, limits)?;
                key.check_unwraps()?;
                Ok(KeyUnwrapper::new(key))
            }
        }
    }
}

impl FromStr for KeyUri {
    type Err = KeyUriError;

    fn from_str(text: &str) -> Result<Self, KeyUriError> {
        // A line that was copied has blanks around it.
        let text = text.trim_ascii();
        let (scheme, _) = text.split_once(':').ok_or(KeyUriError::NoScheme)?;
        // Schemes are case-insensitive (RFC 3986 section 3.1).
        let uri: Result<Self, UriError> = match scheme.to_ascii_lowercase().as_str() {
            #[cfg(feature = "pkcs11")]
            "pkcs11" => text.parse().map(Self::Pkcs11),
            #[cfg(feature = "yubihsm")]
            "yubihsm" => text.parse().map(Self::Yubihsm),
            #[cfg(feature = "gateway")]
            "device" => text.parse().map(Self::Device),
            _ => return Err(KeyUriError::UnknownScheme),
        };
        uri.map_err(KeyUriError::Uri)
    }
}

/// Ready to paste, without a PIN.
impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(ref uri) => uri.fmt(f),
            #[cfg(feature = "yubihsm")]
            Self::Yubihsm(ref uri) => uri.fmt(f),
            #[cfg(feature = "gateway")]
            Self::Device(ref uri) => uri.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_decides() {
        for text in ["pkcs11:token=T;object=K", "PKCS11:token=T"] {
            assert!(matches!(text.parse(), Ok(KeyUri::Pkcs11(_))), "{text}");
        }
        assert!(matches!("yubihsm:key-id=1".parse(), Ok(KeyUri::Yubihsm(_))));
        assert!(matches!(
            " device:/dev/ttyACM0\n".parse(),
            Ok(KeyUri::Device(_))
        ));
        for (text, words) in [
            ("", "is no URI"),
            ("key.pem", "is no URI"),
            ("yubihsm:keyid=1", "none of host, port"),
            ("device:", "names no serial port"),
            ("file:/etc/key.pem", "not known"),
        ] {
            let error = text.parse::<KeyUri>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn neither_errors_nor_display_repeat_a_pin() {
        let uri: KeyUri = "pkcs11:token=T?pin-value=471147".parse().unwrap();
        assert!(!format!("{uri} {uri:?}").contains("471147"));
        for text in ["pkcs11:tok en?pin-value=471147", "471147", "x:471147"] {
            let error = text.parse::<KeyUri>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("471147"), "{error}");
        }
    }
}
