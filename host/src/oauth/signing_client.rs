//! One client of one scheme, whose assertions a signer signs.

use core::fmt;

use privyseal_core::cert::{Certificate, Chain, Validity};
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::payload::AuthorizationRequest;
use privyseal_core::{ClientId, Credential, RsaPublicKey, SchemeRules, Signer, SigningInput};
use zeroize::Zeroizing;

use super::{Assertion, AssertionOptions, AssertionSource, AuthenticationOptions, OAuthError};
use crate::base::events;
use crate::pki::links::HostLinks;

/// A credential, and the signer that has its key.
///
/// Make one, keep it and share it between threads: the chain is proved and the header encoded once. Each
/// assertion is new, with its own `jti`, and is signed with a clone of the signer, which is a handle to the same
/// key. What is asked for with one is in [`AssertionSource`], which a gateway is too.
pub struct SigningClient<S> {
    credential: Credential<Vec<u8>>,
    signer: S,
}

impl<S> SigningClient<S>
where
    S: Signer + Clone,
    S::Error: Send + Sync + 'static,
{
    /// A client named `client_id` under `scheme`, whose leaf in `chain` belongs to the key of `signer`.
    /// Proves the chain.
    ///
    /// # Errors
    ///
    /// [`privyseal_core::Error`] if chain, key, client id and scheme do not fit each other.
    pub fn new(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        chain: Chain<'_>,
        signer: S,
    ) -> Result<Self, privyseal_core::Error> {
        let chain = chain.prove(&HostLinks)?;
        let header = vec![0; MAX_HEADER];
        let credential = Credential::new(scheme, client_id, &chain, signer.public_key(), header)?;
        Ok(Self { credential, signer })
    }

    /// A client named `client_id` under `scheme`, whose key the receiver knows as `kid`.
    ///
    /// # Errors
    ///
    /// [`privyseal_core::Error`] if key, client id and scheme do not fit each other.
    pub fn with_kid(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        kid: Kid<'_>,
        signer: S,
    ) -> Result<Self, privyseal_core::Error> {
        let header = vec![0; MAX_HEADER];
        let credential = Credential::with_kid(scheme, client_id, kid, signer.public_key(), header)?;
        Ok(Self { credential, signer })
    }

    /// A client named `client_id` under `scheme`, whose certificate the receiver knows: it is named by its digest.
    ///
    /// # Errors
    ///
    /// [`privyseal_core::Error`] if key, certificate, client id and scheme do not fit each other.
    pub fn with_certificate(
        scheme: &'static SchemeRules,
        client_id: ClientId,
        certificate: &Certificate<'_>,
        signer: S,
    ) -> Result<Self, privyseal_core::Error> {
        let (key, header) = (signer.public_key(), vec![0; MAX_HEADER]);
        let credential = Credential::with_certificate(scheme, client_id, certificate, key, header)?;
        Ok(Self { credential, signer })
    }

    /// Who signs, for which scheme, with which key.
    pub const fn credential(&self) -> &Credential<Vec<u8>> {
        &self.credential
    }

    pub(crate) const fn signer(&self) -> &S {
        &self.signer
    }

    fn signed(&self, input: SigningInput<'_>) -> Result<Assertion, OAuthError> {
        let mut buffer = Zeroizing::new(vec![0; input.token_len()]);
        input
            .sign(&mut self.signer.clone(), &mut buffer)
            .map(Assertion::from)
            .map_err(OAuthError::from)
    }
}

impl<S> fmt::Debug for SigningClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningClient")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

impl<S> AssertionSource for SigningClient<S>
where
    S: Signer + Clone + Send + Sync,
    S::Error: Send + Sync + 'static,
{
    fn scheme(&self) -> &'static SchemeRules {
        self.credential.scheme()
    }

    fn client_id(&self) -> &ClientId {
        self.credential.client_id()
    }

    fn public_key(&self) -> &RsaPublicKey {
        self.credential.public_key()
    }

    fn validity(&self) -> Option<&Validity> {
        self.credential.validity()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        let jti = options.jti_or_new()?;
        let request = options.request(options.moment()?, &jti)?;
        let assertion = self.signed(self.credential.prepare(&request)?)?;
        events::debug!(
            scheme = self.scheme().name(),
            jti,
            "an assertion was signed"
        );
        Ok(assertion)
    }

    fn authentication_request(
        &self,
        options: &AssertionOptions,
        asked: &AuthenticationOptions,
    ) -> Result<Assertion, OAuthError> {
        let now = options.moment()?;
        let person = &asked.user_identifier_token;
        let hint = self.signed(self.credential.prepare_login_hint(now, person)?)?;
        let jti = options.jti_or_new()?;
        let request = options.request(now, &jti)?;
        asked.hinted(hint.as_str(), |asked| {
            self.signed(self.credential.prepare_request(&request, asked)?)
        })
    }

    fn authorization_request(
        &self,
        options: &AssertionOptions,
        asked: &AuthorizationRequest<'_>,
    ) -> Result<Assertion, OAuthError> {
        let jti = options.jti_or_new()?;
        let request = options.request(options.moment()?, &jti)?;
        self.signed(self.credential.prepare_authorization(&request, asked)?)
    }
}
