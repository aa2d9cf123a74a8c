//! One client of one scheme, whose assertions a signer signs.

use privyseal_core::cert::{Chain, Validity};
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::scheme::KeyReference;
use privyseal_core::{
    ClientId, Credential, RsaPublicKey, SchemeRules, Signer, SigningInput, UnixTime,
};
use zeroize::Zeroizing;

use super::{Assertion, AssertionOptions, AssertionSource, OAuthError, SignedRequest};
use crate::base::events;
use crate::pki::links::HostLinks;

/// A credential, and the signer that has its key.
///
/// Make one, keep it and share it between threads: the chain is proved and the header encoded once. Each
/// assertion is new, with its own `jti`, and is signed with a clone of the signer, which is a handle to the same
/// key. What is asked for with one is in [`AssertionSource`], which a gateway is too.
pub struct SigningClient<S> {
    credential: Credential<Vec<u8>>,
    /// The same with other chains for the key.
    others: Vec<Credential<Vec<u8>>>,
    signer: S,
}

impl<S> SigningClient<S>
where
    S: Signer + Clone,
    S::Error: Send + Sync + 'static,
{
    /// A client named `client_id` under `scheme`, whose leaf in `chain` belongs to the key of `signer`.
    /// Proves the chain, unless the scheme names the leaf by its digest: who issued it does not matter then.
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
        let credential = credential(scheme, client_id, chain, signer.public_key())?;
        Ok(Self::of(credential, signer))
    }

    /// Also with this chain for the same key: each assertion has the one that is valid then, and of several the one that
    /// ends last.
    pub(crate) fn add_chain(&mut self, chain: Chain<'_>) -> Result<(), privyseal_core::Error> {
        let (scheme, client_id) = (self.credential.scheme(), self.credential.client_id());
        let other = credential(scheme, client_id.clone(), chain, self.signer.public_key())?;
        self.others.push(other);
        Ok(())
    }

    const fn of(credential: Credential<Vec<u8>>, signer: S) -> Self {
        Self {
            credential,
            others: Vec::new(),
            signer,
        }
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
        Ok(Self::of(credential, signer))
    }

    /// Who signs, for which scheme, with which key; with the chain that was the best when the client was made.
    pub const fn credential(&self) -> &Credential<Vec<u8>> {
        &self.credential
    }

    pub(crate) const fn signer(&self) -> &S {
        &self.signer
    }

    /// Of several the one to use at that moment.
    fn credential_at(&self, now: UnixTime) -> &Credential<Vec<u8>> {
        let all = self.others.iter().chain([&self.credential]);
        let valid = all.filter_map(|credential| {
            let validity = credential.validity()?;
            let end = validity.check(now).is_ok().then_some(validity.not_after)?;
            Some((end, credential))
        });
        let last_to_end = valid.max_by_key(|(end, _)| *end);
        last_to_end.map_or(&self.credential, |(_, credential)| credential)
    }

    fn signed(&self, input: SigningInput<'_>) -> Result<Assertion, OAuthError> {
        let mut buffer = Zeroizing::new(vec![0; input.token_len()]);
        input
            .sign(&mut self.signer.clone(), &mut buffer)
            .map(Assertion::from)
            .map_err(OAuthError::from)
    }
}

fn credential(
    scheme: &'static SchemeRules,
    client_id: ClientId,
    chain: Chain<'_>,
    key: &RsaPublicKey,
) -> Result<Credential<Vec<u8>>, privyseal_core::Error> {
    let header = vec![0; MAX_HEADER];
    match (scheme.key_reference().value(), chain.leaf()) {
        (KeyReference::X5tS256, Some(leaf)) => {
            Credential::with_certificate(scheme, client_id, leaf, key, header)
        }
        _ => Credential::new(scheme, client_id, &chain.prove(&HostLinks)?, key, header),
    }
}

privyseal_core::opaque_debug! { [S] SigningClient<S>: credential; }

impl<S> AssertionSource for SigningClient<S>
where
    S: Signer + Clone + Send + Sync,
    S::Error: Send + Sync + 'static,
{
    fn credential(&self) -> &Credential<Vec<u8>> {
        &self.credential
    }

    fn validity(&self, now: UnixTime) -> Option<&Validity> {
        self.credential_at(now).validity()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        let (jti, now) = (options.jti_or_new()?, options.moment()?);
        let request = options.request(now, &jti)?;
        let assertion = self.signed(self.credential_at(now).prepare(&request)?)?;
        events::debug!(
            scheme = self.scheme().name(),
            jti,
            "an assertion was signed"
        );
        Ok(assertion)
    }

    fn signed_request(
        &self,
        options: &AssertionOptions,
        asked: SignedRequest<'_>,
    ) -> Result<Assertion, OAuthError> {
        let now = options.moment()?;
        let credential = self.credential_at(now);
        let jti = options.jti_or_new()?;
        let request = options.request(now, &jti)?;
        match asked {
            SignedRequest::Authentication(asked) => {
                let person = &asked.user_identifier_token;
                let hint = self.signed(credential.bound().prepare_login_hint(now, person)?)?;
                asked.hinted(hint.as_str(), |asked| {
                    self.signed(credential.bound().prepare_request(&request, asked)?)
                })
            }
            SignedRequest::Authorization(asked) => {
                self.signed(credential.bound().prepare_authorization(&request, asked)?)
            }
        }
    }
}
