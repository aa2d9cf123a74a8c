//! Assertions from a device, believed only when they are what the core itself would have made.

mod compare;

use core::fmt;
use std::sync::{Mutex, PoisonError};

use privyseal_core::cert::Certificate;
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::scheme::KeyReference;
use privyseal_core::{ClientId, Credential, RsaPublicKey, Scheme};
use privyseal_protocol::{NONCE_LEN, SchemeId, SignRequest};

use super::error::DeviceError;
use super::key::DeviceKey;
use crate::error::Error;
use crate::jose::kid_form::KidChoice;
use crate::oauth::client::{Assertion, AssertionOptions, AssertionSource};
use crate::pki::certificates::Certificates;
use crate::pki::links::HostLinks;
use crate::pki::party_id;

/// One client of one scheme, whose assertions a device makes.
///
/// The device's own word decides who signs and with which key; what the caller expects of both is
/// compared with it once, here. Then for each assertion: a nonce goes out with the request, and what comes
/// back must be, byte by byte, the token that the core builds from the same request under the device's
/// `jti`, which ends in the nonce; its signature must be by the key of the leaf certificate.
pub struct DeviceClient {
    /// One request at a time.
    key: Mutex<DeviceKey>,
    scheme: SchemeId,
    credential: Credential<Vec<u8>>,
    max_lifetime: u64,
    presence: Option<u8>,
}

/// What the caller knows of the device's key already. What is `None` the device may decide.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// `iss` and `sub`.
    pub client_id: Option<ClientId>,
    /// The chain in the header, in any order.
    pub chain: Option<Certificates>,
    /// The `kid` in the header.
    pub kid: Option<KidChoice>,
}

impl DeviceClient {
    /// A client of `scheme`, if the device serves it and is what the caller expects.
    pub fn new(
        key: DeviceKey,
        scheme: &'static Scheme,
        expected: &Expected,
    ) -> Result<Self, Error> {
        let policy = key.policy()?;
        let id = SchemeId::of(scheme);
        let entry = id.and_then(|id| Some((id, *policy.scheme(id)?)));
        let Some((id, entry)) = entry else {
            let served = policy.schemes.iter().map(|entry| entry.scheme.rules().name);
            let served = served.collect::<Vec<_>>().join(", ");
            let reason = format!(
                "is {}, for which this device was not provisioned; it serves {served}",
                scheme.name
            );
            return Err(Error::Option {
                option: "--scheme",
                reason,
            });
        };
        let client_id = party_id::given(scheme, entry.client_id)?;
        if let Some(wanted) = expected.client_id.as_ref().filter(|id| **id != client_id) {
            return Err(contradicts("--client-id", wanted, &client_id));
        }
        let credential = match scheme.key_reference.value {
            KeyReference::Kid => with_kid(scheme, client_id, &key, entry.kid, expected)?,
            _ => with_chain(scheme, client_id, &key, expected)?,
        };
        let (max_lifetime, presence) = (policy.max_lifetime.into(), policy.presence);
        drop(policy); // It borrows the key.
        Ok(Self {
            scheme: id,
            credential,
            max_lifetime,
            presence,
            key: Mutex::new(key),
        })
    }

    /// Who signs, for which scheme, with which key.
    pub const fn credential(&self) -> &Credential<Vec<u8>> {
        &self.credential
    }

    /// Seconds within which someone must press the device's button, if its policy demands that.
    pub const fn presence(&self) -> Option<u8> {
        self.presence
    }

    /// A new assertion: made by the device, compared and verified here.
    pub fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, Error> {
        if options.jti.is_some() {
            let reason = "is not for a device, which makes each jti itself and never one twice";
            return Err(Error::Option {
                option: "--jti",
                reason: reason.to_owned(),
            });
        }
        let options = self.complete(options)?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(Error::Entropy)?;
        let request = SignRequest {
            scheme: self.scheme,
            audience: options.audience.as_deref(),
            now: options.moment()?.as_secs(),
            backdate: narrow(options.backdate),
            lifetime: options.lifetime.map(narrow),
            nonce: Some(nonce),
        };
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let token = key.device.sign(request, self.presence)?;
        let device = key.info().device;
        drop(key);
        compare::own_copy(
            &self.credential,
            &options,
            &compare::JtiForm { device, nonce },
            &token,
        )
    }

    /// The same options with nothing left to the device. What the core would refuse is refused here, and
    /// spends none of the device's rate.
    fn complete(&self, options: &AssertionOptions) -> Result<AssertionOptions, Error> {
        let scheme = self.credential.scheme();
        options.check(scheme)?;
        let rule = scheme.lifetime;
        let audience = scheme.audience(options.audience()?)?;
        let default = rule
            .value
            .default
            .min(self.max_lifetime)
            .max(rule.value.min);
        let completed = AssertionOptions {
            audience: Some(audience.as_str().to_owned()),
            now: Some(options.moment()?),
            lifetime: Some(options.lifetime.unwrap_or(default)),
            ..options.clone()
        };
        // The jti does not matter yet.
        let request = completed.request(completed.moment()?, "-")?;
        self.credential.prepare(&request)?;
        Ok(completed)
    }
}

impl AssertionSource for DeviceClient {
    fn scheme(&self) -> &'static Scheme {
        self.credential.scheme()
    }

    fn client_id(&self) -> &ClientId {
        self.credential.client_id()
    }

    fn public_key(&self) -> &RsaPublicKey {
        self.credential.public_key()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, Error> {
        Self::assertion(self, options)
    }
}

impl fmt::Debug for DeviceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceClient")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

fn with_chain(
    scheme: &'static Scheme,
    client_id: ClientId,
    key: &DeviceKey,
    expected: &Expected,
) -> Result<Credential<Vec<u8>>, Error> {
    if expected.kid.is_some() {
        let reason = format!(
            "is not for {}, which sends its chain and no kid",
            scheme.title
        );
        return Err(Error::Option {
            option: "--kid",
            reason,
        });
    }
    let certificates = key.certificates();
    let chain = certificates.chain()?;
    if let Some(wanted) = &expected.chain {
        let same = wanted
            .chain()?
            .certificates()
            .iter()
            .map(Certificate::as_der)
            .eq(chain.certificates().iter().map(Certificate::as_der));
        if !same {
            return Err(Error::Option {
                option: "--chain",
                reason: "is another chain than the one that the device signs for".to_owned(),
            });
        }
    }
    let chain = chain.prove(&HostLinks)?;
    let header = vec![0; MAX_HEADER];
    Credential::new(scheme, client_id, &chain, key.public_key(), header).map_err(
        |error| match error {
            privyseal_core::Error::KeyMismatch => {
                DeviceError::untrue("its certificate is for another key than it says").into()
            }
            error => error.into(),
        },
    )
}

fn with_kid(
    scheme: &'static Scheme,
    client_id: ClientId,
    key: &DeviceKey,
    kid: Option<&str>,
    expected: &Expected,
) -> Result<Credential<Vec<u8>>, Error> {
    if expected.chain.is_some() {
        let reason = format!("is not for {}, which names its key by kid", scheme.title);
        return Err(Error::Option {
            option: "--chain",
            reason,
        });
    }
    let kid = kid.ok_or_else(|| DeviceError::untrue("its policy has no kid for this scheme"))?;
    if let Some(wanted) = &expected.kid {
        let wanted = wanted.text(key.public_key())?;
        if wanted != kid {
            return Err(contradicts("--kid", &wanted, kid));
        }
    }
    let header = vec![0; MAX_HEADER];
    Ok(Credential::with_kid(
        scheme,
        client_id,
        Kid::new(kid)?,
        key.public_key(),
        header,
    )?)
}

fn contradicts(option: &'static str, given: &str, provisioned: &str) -> Error {
    let reason = format!("is {given}, and the device was provisioned with {provisioned}");
    Error::Option { option, reason }
}

/// The core has checked the value: it fits.
fn narrow<T: TryFrom<u64> + From<u8>>(value: u64) -> T {
    T::try_from(value).unwrap_or(T::from(u8::MAX))
}
