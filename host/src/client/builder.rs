//! What a client is made of, and whether it fits together.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use privyseal_core::kid::Kid;
use privyseal_core::scheme::KeyReference;
use privyseal_core::{ClientId, SchemeRules, Signer};
#[cfg(feature = "gateway")]
use privyseal_gateway::{DeviceClient, DeviceKey, DeviceUri, Expected};
use privyseal_hsm::{Prompt, SecretProvider, lock};

use super::error::BuildError;
use super::failover::{Failover, in_turn};
use super::key_group::{KeyGroup, Limits, Open, SIGNING_LIMIT};
use super::{Client, HeldKey};
use crate::base::{clock, events};
use crate::http::{Http, HttpOptions};
use crate::jose::jwk::{KidChoice, KidForm};
#[cfg(feature = "gateway")]
use crate::keys::KeyUriError;
use crate::keys::key::{KeySigner, KeyUri, SignerOptions};
use crate::keys::{KeyError, SignerFailure};
use crate::oauth::{OAuthError, SigningClient};
use crate::pki::PkiError;
use crate::pki::certificates::{Certificates, ChainOptions};
use crate::pki::party_id;
use crate::report::self_test;

/// Opens a key with its PIN.
type OpenKey = dyn Fn(&KeyUri, &SignerOptions) -> Result<KeySigner, KeyError> + Send + Sync;

/// Makes a [`Client`].
pub struct ClientBuilder {
    scheme: &'static SchemeRules,
    keys: Vec<KeyUri>,
    client_id: Option<String>,
    chain: Option<Certificates>,
    /// Those beside the key, where the chain is from there.
    beside_key: Option<Certificates>,
    certificate: Option<[u8; 32]>,
    kid: Option<KidChoice>,
    policy: SignerOptions,
    open_key: Arc<OpenKey>,
    limits: Limits,
    http: Option<Http>,
}

impl ClientBuilder {
    pub(super) fn new(scheme: &'static SchemeRules) -> Self {
        Self {
            scheme,
            keys: Vec::new(),
            client_id: None,
            chain: None,
            beside_key: None,
            certificate: None,
            kid: None,
            policy: SignerOptions::default(),
            open_key: Arc::new(|key, policy| {
                key.open(&mut key.pin_sources(Prompt::Never, |_| {}), policy)
            }),
            limits: Limits::default(),
            http: None,
        }
    }

    /// With this key. Further references must be of the same key: on another token, or another HSM of a
    /// cluster. Signatures are spread over them, and go on while one is away or hangs ([`super::SIGNING_LIMIT`]).
    #[must_use]
    pub fn key(mut self, uri: KeyUri) -> Self {
        self.keys.push(uri);
        self
    }

    /// With this client id, or party id; without it the one of the leaf certificate, where the scheme derives
    /// it from there.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// With these certificates, in any order; without them those beside the key.
    #[must_use]
    pub fn chain(mut self, chain: Certificates) -> Self {
        self.chain = Some(chain);
        self
    }

    /// With the certificate of this SHA-256 (of its DER); without it, of several for the key the one that is valid, of the
    /// scheme's key usage and with a path to a root.
    #[must_use]
    pub fn certificate(mut self, sha256: [u8; 32]) -> Self {
        self.certificate = Some(sha256);
        self
    }

    /// With this `kid`, for schemes that send one; without it the JWK thumbprint (RFC 7638).
    #[must_use]
    pub fn kid(mut self, kid: KidChoice) -> Self {
        self.kid = Some(kid);
        self
    }

    /// With PINs and passwords from there; without it from what the key's reference says, else the environment
    /// ([`privyseal_hsm::PinSources`]), and nobody is asked.
    #[must_use]
    pub fn pins(mut self, pins: impl SecretProvider + Send + 'static) -> Self {
        let pins = Mutex::new(pins);
        self.open_key = Arc::new(move |key, policy| key.open(&mut *lock(&pins), policy));
        self
    }

    /// With this signer for its key, which was opened before; its URI is asked for nothing more.
    #[must_use]
    pub fn opened(mut self, signer: KeySigner) -> Self {
        self.open_key = Arc::new(move |_, _| Ok(signer.clone()));
        self
    }

    /// With PINs and passwords from what `sources` says for each reference.
    #[must_use]
    pub fn pin_sources<P: SecretProvider>(
        mut self,
        sources: impl Fn(&KeyUri) -> P + Send + Sync + 'static,
    ) -> Self {
        self.open_key = Arc::new(move |key, policy| key.open(&mut sources(key), policy));
        self
    }

    /// With so much time for each of several references to open, until the others are used without it; 10 s are given where
    /// nothing is said. For who asks a person for PINs.
    #[must_use]
    pub const fn opening_limit(mut self, limit: Duration) -> Self {
        self.limits.opening = limit;
        self
    }

    /// With this policy for logins and keys.
    #[must_use]
    pub const fn access_policy(mut self, policy: SignerOptions) -> Self {
        self.policy = policy;
        self
    }

    /// With this HTTPS client; without it one that trusts the roots of the machine.
    #[must_use]
    pub fn http(mut self, http: Http) -> Self {
        self.http = Some(http);
        self
    }

    /// Checks what can be checked before the key is there: the client id, the chain, and whether the parts fit together.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn check(&self) -> Result<(), BuildError> {
        let by_kid = self.scheme.key_reference().value() == KeyReference::Kid;
        let (scheme, title) = (self.scheme, self.scheme.title());
        if by_kid && (self.chain.is_some() || self.certificate.is_some()) {
            return Err(BuildError::NeedlessChain { scheme: title });
        }
        if !by_kid && self.kid.is_some() {
            return Err(BuildError::NeedlessKid { scheme: title });
        }
        if let Some(KidChoice::Given(kid)) = &self.kid {
            Kid::new(kid)?;
        }
        if self.keys.is_empty() {
            return Err(BuildError::NoKey);
        }
        #[cfg(feature = "gateway")]
        if let [key @ KeyUri::Device(_)] = self.keys.as_slice() {
            key.check_policy(&self.policy).map_err(KeyError::from)?;
            // The gateway says who it is.
            return Ok(self.given_client_id().map(drop)?);
        }
        #[cfg(feature = "gateway")]
        if self.keys.iter().any(|key| matches!(key, KeyUri::Device(_))) {
            return Err(KeyError::from(KeyUriError::NoSigner).into());
        }
        let given = self.given_client_id()?;
        if let Some(certificates) = &self.chain {
            let wanted = self.chain_options()?;
            certificates.check_before_key(&wanted)?;
            if let (None, Ok(chain)) = (&given, certificates.chain_for(&wanted)) {
                party_id::derived(scheme, &chain)?;
            }
        }
        if given.is_none() && (by_kid || scheme.client_id_in_leaf().is_none()) {
            return Err(party_id::not_derived(scheme).into());
        }
        Ok(())
    }

    fn given_client_id(&self) -> Result<Option<ClientId>, PkiError> {
        let given = self.client_id.as_deref();
        given.map(|id| party_id::given(self.scheme, id)).transpose()
    }

    fn chain_options(&self) -> Result<ChainOptions<'static>, BuildError> {
        let mut wanted = ChainOptions::at(clock::now()?);
        wanted.scheme = Some(self.scheme);
        wanted.leaf = self.certificate;
        Ok(wanted)
    }

    /// Checks what can be checked without a PIN ([`ClientBuilder::check`]), opens the key, and checks the rest.
    ///
    /// Of several references those that are away now may come later; one must be there.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: the key, the chain, the client id, or parts that do not fit together.
    pub fn open(mut self) -> Result<Client, BuildError> {
        let http = self.http.take();
        let http = http.unwrap_or_else(|| Http::new(&HttpOptions::default()));
        self.check()?;
        #[cfg(feature = "gateway")]
        if let [KeyUri::Device(uri)] = self.keys.as_slice() {
            return Ok(Client::from_source(
                Box::new(self.device_client(uri)?),
                http,
            ));
        }
        let references = self.keys.len();
        let client = self.keyed_client()?;
        let group = client.signer().clone();
        let certificates = self.beside_key;
        let key = Box::new(GroupKey {
            group,
            references,
            certificates,
        });
        if references == 1 {
            return Ok(Client::with(Box::new(client), Some(key), http));
        }
        let client = Failover {
            client: Arc::new(client),
            references,
            limit: SIGNING_LIMIT,
        };
        Ok(Client::with(Box::new(client), Some(key), http))
    }

    /// The same without an HTTPS client: for what only a [`SigningClient`] signs, such as authentication requests. Who asks
    /// waits for a reference that hangs; who comes later does not.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::open`].
    pub fn signing_client(
        mut self,
    ) -> Result<SigningClient<impl Signer<Error = SignerFailure> + Clone + Send + Sync>, BuildError>
    {
        self.check()?;
        self.keyed_client()
    }

    fn keyed_client(&mut self) -> Result<SigningClient<KeyGroup<KeySigner>>, BuildError> {
        if self.scheme.key_reference().value() == KeyReference::Kid {
            self.with_kid()
        } else {
            self.with_chain()
        }
    }

    /// A gateway signs by itself, if it is what is expected here.
    #[cfg(feature = "gateway")]
    fn device_client(&self, uri: &DeviceUri) -> Result<DeviceClient, BuildError> {
        let mut expected = Expected::default();
        expected.client_id = self.given_client_id()?;
        let chain = self.chain.as_ref();
        expected.chain = chain.map(|chain| chain.iter().map(<[u8]>::to_vec).collect());
        let key = DeviceKey::open(uri).map_err(KeyError::from)?;
        let kid = self.kid.as_ref().map(|kid| kid.text(key.public_key()));
        expected.kid = kid.transpose()?;
        Ok(DeviceClient::new(key, self.scheme, &expected)?)
    }

    fn with_chain(&mut self) -> Result<SigningClient<KeyGroup<KeySigner>>, BuildError> {
        let scheme = self.scheme;
        let mut wanted = self.chain_options()?;
        let key = self.open_keys()?;
        wanted.key = Some(key.public_key());
        let certificates = match self.chain.take() {
            Some(certificates) => certificates,
            None => self.beside_key.insert(key.any().certificates()?).clone(),
        };
        let (chain, others) = certificates.chains_for(&wanted)?;
        let client_id = match self.given_client_id()? {
            Some(client_id) => client_id,
            None => party_id::derived(scheme, &chain)?,
        };
        let mut client = SigningClient::new(scheme, client_id, chain, key)?;
        for other in others {
            if let Err(error) = client.add_chain(other) {
                events::debug!(%error, "another certificate for the key is not used");
            }
        }
        Ok(client)
    }

    fn with_kid(&mut self) -> Result<SigningClient<KeyGroup<KeySigner>>, BuildError> {
        let scheme = self.scheme;
        let client_id = self.given_client_id()?;
        let client_id = client_id.ok_or_else(|| party_id::not_derived(scheme))?;
        let key = self.open_keys()?;
        let kid = self.kid.take();
        let kid = kid.unwrap_or(KidChoice::Computed(KidForm::Rfc7638));
        let kid = kid.text(key.public_key())?;
        let kid = Kid::new(&kid)?;
        Ok(SigningClient::with_kid(scheme, client_id, kid, key)?)
    }

    fn open_keys(&mut self) -> Result<KeyGroup<KeySigner>, BuildError> {
        let members = core::mem::take(&mut self.keys).into_iter().map(|uri| {
            let (open_key, policy) = (Arc::clone(&self.open_key), self.policy);
            let name = uri.to_string();
            let open: Open<KeySigner> = Arc::new(move || {
                let opened = open_key(&uri, &policy)?;
                events::info!(key = %uri, "a key is open");
                Ok(opened)
            });
            (name, open)
        });
        KeyGroup::open(members.collect(), self.limits)
    }
}

/// The references to a client's key.
struct GroupKey {
    group: KeyGroup<KeySigner>,
    references: usize,
    /// Those beside it, where the chain is from there.
    certificates: Option<Certificates>,
}

impl HeldKey for GroupKey {
    fn self_test(&self) -> Result<(), OAuthError> {
        let group = self.group.clone();
        let test = move || self_test(&mut group.clone()).map_err(OAuthError::from);
        match self.references {
            1 => test(),
            references => in_turn(references, SIGNING_LIMIT, test),
        }
    }

    fn try_again(&self) {
        self.group.try_again();
    }

    fn open_sessions(&self) -> usize {
        let signers = self.group.opened();
        signers.map(|signer| signer.open_sessions()).sum()
    }

    fn has_other_certificates(&self) -> bool {
        let Some(before) = &self.certificates else {
            return false;
        };
        let now = self.group.any().certificates();
        now.is_ok_and(|now| now != *before)
    }
}

privyseal_core::opaque_debug! {
    [] ClientBuilder as it: scheme = it.scheme.name(), keys, client_id;
}
