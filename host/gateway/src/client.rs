//! Assertions and other statements from a device, believed only when they are what the core itself would have made.

mod compare;

use core::time::Duration;
use std::sync::Mutex;

use privyseal_core::cert::{Certificate, Chain, ChainError, RsaLinks};
use privyseal_core::credential::AssertionRequest;
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::scheme::{KeyReference, Lifetime};
use privyseal_core::{Audience, ClientId, CompactJws, Credential, Jti, SchemeRules, UnixTime};
use privyseal_hsm::lock;
use privyseal_protocol::{
    Content, NONCE_LEN, Policy, SchemeId, SchemePolicy, SignRequest, Statement,
};

use crate::error::{ClientError, DeviceError};
use crate::key::DeviceKey;

/// One client of one scheme, whose assertions and other statements a device makes.
///
/// The device's own word decides who signs and with which key; what the caller expects of both is
/// compared with it once, here. Then for each assertion: a nonce goes out with the request, and what comes
/// back must be, byte by byte, the token that the core builds from the same request under the device's
/// `jti`, which ends in the nonce; its signature must be by the key of the leaf certificate.
pub struct DeviceClient {
    /// It makes one assertion at a time.
    key: Mutex<DeviceKey>,
    scheme: SchemeId,
    credential: Credential<Vec<u8>>,
    max_lifetime: u64,
    presence: Option<u8>,
    wait: Duration,
}

/// What the caller knows of the device's key already. What is `None` the device may decide.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Expected {
    /// `iss` and `sub`.
    pub client_id: Option<ClientId>,
    /// The chain in the header, DER, in any order.
    pub chain: Option<Vec<Vec<u8>>>,
    /// The `kid` in the header.
    pub kid: Option<String>,
}

impl DeviceClient {
    /// A client of `scheme`, if the device serves it and is what the caller expects.
    ///
    /// # Errors
    /// [`ClientError`] says what is not as expected.
    pub fn new(
        key: DeviceKey,
        scheme: &'static SchemeRules,
        expected: &Expected,
    ) -> Result<Self, ClientError> {
        key.check_signs()?;
        let policy = key.policy()?;
        let SchemePolicy {
            scheme: id,
            client_id,
            kid,
        } = *entry(&policy, scheme, expected)?;
        let client_id = ClientId::new(client_id)?;
        scheme.check_client_id(&client_id)?;
        if let Some(wanted) = expected.client_id.as_ref().filter(|id| **id != client_id) {
            return Err(ClientError::ClientId {
                expected: wanted.as_str().to_owned(),
                provisioned: client_id.as_str().to_owned(),
            });
        }
        let credential = match scheme.key_reference().value() {
            KeyReference::Kid => with_kid(scheme, client_id, &key, kid, expected)?,
            KeyReference::X5cWithRoot | KeyReference::X5tS256 => {
                with_chain(scheme, client_id, &key, expected)?
            }
        };
        let (max_lifetime, presence) = (policy.max_lifetime.into(), policy.presence);
        drop(policy); // It borrows the key.
        Ok(Self {
            scheme: id,
            credential,
            max_lifetime,
            presence,
            wait: key.limits().wait,
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

    /// How long a caller may wait for the rate limit ([`DeviceError::retry_after`]), and ask again with the time of then.
    pub const fn wait(&self) -> Duration {
        self.wait
    }

    /// A new assertion in `buffer`, which [`MAX_COMPACT_JWS`](privyseal_core::limits::MAX_COMPACT_JWS) bytes
    /// always hold: made by the device, compared and verified here. The audience is the scheme's own
    /// unless one is given, and the lifetime (`exp - iat`, in seconds) the scheme's or the policy's.
    /// `backdate` is by how many seconds `iat` is dated back. The device makes the `jti`, and never one twice.
    ///
    /// # Errors
    /// [`ClientError::Core`] for what the core refuses, which spends none of the device's rate;
    /// [`ClientError::Device`] if the device refuses, or gives another token than was asked for.
    pub fn assertion<'b>(
        &self,
        audience: Option<Audience<'_>>,
        now: UnixTime,
        backdate: u64,
        lifetime: Option<u64>,
        buffer: &'b mut [u8],
    ) -> Result<CompactJws<'b>, ClientError> {
        let audience = Some(self.credential.scheme().choose_audience(audience)?);
        self.stated(None, (audience, now, backdate, lifetime), buffer)
    }

    /// A new statement of this content: a signed authentication request, an authorization request, or the login hint of
    /// the former, which has no audience and no times. Else as [`DeviceClient::assertion`].
    ///
    /// # Errors
    /// As [`DeviceClient::assertion`].
    pub fn statement<'b>(
        &self,
        content: &Content<'_>,
        audience: Option<Audience<'_>>,
        now: UnixTime,
        backdate: u64,
        lifetime: Option<u64>,
        buffer: &'b mut [u8],
    ) -> Result<CompactJws<'b>, ClientError> {
        self.stated(Some(content), (audience, now, backdate, lifetime), buffer)
    }

    fn stated<'b>(
        &self,
        content: Option<&Content<'_>>,
        (audience, now, backdate, lifetime): (Option<Audience<'_>>, UnixTime, u64, Option<u64>),
        buffer: &'b mut [u8],
    ) -> Result<CompactJws<'b>, ClientError> {
        let statement = content.map_or(Statement::Assertion, Content::statement);
        let own = statement.lifetime(self.credential.scheme());
        let within = |rule: Lifetime| rule.default().min(self.max_lifetime).max(rule.min());
        let request = AssertionRequest {
            audience,
            now,
            backdate,
            lifetime: lifetime.or(own.map(within)),
            // It does not matter yet.
            jti: Jti::new("-")?,
        };
        compare::prepare(&self.credential, content, &request)?;

        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(DeviceError::Entropy)?;
        let asked = SignRequest {
            scheme: self.scheme,
            audience: request.audience.map(Audience::as_str),
            now: now.as_secs(),
            backdate: narrow(backdate),
            lifetime: request.lifetime.map(narrow),
            nonce: Some(nonce),
        };
        let mut key = lock(&self.key);
        let token = key.sign(asked, content, self.presence)?;
        let device = key.info().device;
        drop(key);
        let form = compare::JtiForm { device, nonce };
        compare::own_copy(&self.credential, content, &request, &form, &token, buffer)
    }
}

privyseal_core::opaque_debug! { [] DeviceClient: credential; }

/// What the policy says of the scheme. Users' own schemes of one form are told apart by what the caller expects.
fn entry<'p>(
    policy: &'p Policy<'p>,
    scheme: &SchemeRules,
    expected: &Expected,
) -> Result<&'p SchemePolicy<'p>, ClientError> {
    let serving = policy.schemes.iter().filter(|it| it.scheme.serves(scheme));
    let meant = serving.clone().filter(|entry| {
        let id = expected.client_id.as_ref();
        let kid = expected.kid.as_deref();
        id.is_none_or(|id| id.as_str() == entry.client_id) && (kid.is_none() || kid == entry.kid)
    });
    let several = || ClientError::Several {
        scheme: scheme.name(),
    };
    match (meant.clone().count(), serving.clone().count()) {
        (1, _) => meant.clone().next(),
        // What differs is named later.
        (0, 1) => serving.clone().next(),
        (0, 0) => {
            let served = policy.schemes.iter();
            let served = served.map(|entry| entry.scheme.rules().name());
            return Err(ClientError::Scheme {
                scheme: scheme.name(),
                served: served.collect::<Vec<_>>().join(", "),
            });
        }
        _ => None,
    }
    .ok_or_else(several)
}

fn with_chain(
    scheme: &'static SchemeRules,
    client_id: ClientId,
    key: &DeviceKey,
    expected: &Expected,
) -> Result<Credential<Vec<u8>>, ClientError> {
    if expected.kid.is_some() {
        let title = scheme.title();
        return Err(ClientError::NeedlessKid { title });
    }
    let chain = ordered(key.certificates())?;
    if let Some(wanted) = &expected.chain {
        let wanted = ordered(wanted)?;
        let wanted = wanted.certificates().iter().map(Certificate::as_der);
        if !wanted.eq(chain.certificates().iter().map(Certificate::as_der)) {
            return Err(ClientError::Chain);
        }
    }
    // The device has proved RSA links only.
    let chain = chain.prove(&RsaLinks)?;
    let (key, header) = (key.public_key(), vec![0; MAX_HEADER]);
    let credential = match (scheme.key_reference().value(), chain.leaf()) {
        (KeyReference::X5tS256, Some(leaf)) => {
            Credential::with_certificate(scheme, client_id, leaf, key, header)
        }
        _ => Credential::new(scheme, client_id, &chain, key, header),
    };
    credential.map_err(|error| match error {
        privyseal_core::Error::KeyMismatch => {
            DeviceError::untrue("its certificate is for another key than it says").into()
        }
        error => error.into(),
    })
}

fn ordered(certificates: &[Vec<u8>]) -> Result<Chain<'_>, ChainError> {
    Chain::order(&certificates.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn with_kid(
    scheme: &'static SchemeRules,
    client_id: ClientId,
    key: &DeviceKey,
    kid: Option<&str>,
    expected: &Expected,
) -> Result<Credential<Vec<u8>>, ClientError> {
    if expected.chain.is_some() {
        let title = scheme.title();
        return Err(ClientError::NeedlessChain { title });
    }
    let kid = kid.ok_or_else(|| DeviceError::untrue("its policy has no kid for this scheme"))?;
    if let Some(wanted) = expected.kid.as_ref().filter(|wanted| **wanted != kid) {
        return Err(ClientError::Kid {
            expected: wanted.clone(),
            provisioned: kid.to_owned(),
        });
    }
    let (kid, header) = (Kid::new(kid)?, vec![0; MAX_HEADER]);
    Ok(Credential::with_kid(
        scheme,
        client_id,
        kid,
        key.public_key(),
        header,
    )?)
}

/// The core has checked the value: it fits.
fn narrow<T: TryFrom<u64> + From<u8>>(value: u64) -> T {
    T::try_from(value).unwrap_or(T::from(u8::MAX))
}
