//! One client of one scheme: it issues assertions and gets access tokens with them.

mod answer;
mod assertion;
mod authentication;
mod form;
mod introspection;
mod source;

use core::fmt;

use privyseal_core::cert::Chain;
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Jti, Scheme, Signer, SigningInput, UnixTime,
};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::http::{BaseUrl, Http, MAX_CALL_RESPONSE, Url};
use crate::oauth::access_token::AccessToken;
use crate::pki::links::HostLinks;
use crate::{base::clock, base::entropy};

pub use assertion::Assertion;
pub use authentication::AuthenticationOptions;
pub use form::Form;
pub(crate) use form::FormBody;
pub use introspection::Introspection;
pub use source::AssertionSource;

/// A credential, and the signer that has its key.
///
/// Make one, keep it and share it between threads: the chain is proved and the header encoded once. Each
/// assertion is new, with its own `jti`, and is signed with a clone of the signer, which is a handle to the same
/// key. What is asked for with one is in [`AssertionSource`], which a gateway is too.
pub struct Client<S> {
    credential: Credential<Vec<u8>>,
    signer: S,
}

/// What may be said about one assertion. The default is right for almost everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssertionOptions {
    /// `aud`; without it the scheme's own, where the scheme has one.
    pub audience: Option<String>,
    /// The time of issue; without it the machine's clock.
    pub now: Option<UnixTime>,
    /// Seconds by which `iat` is dated back, for servers whose clock is behind; see
    /// [`privyseal_core::limits::MAX_BACKDATE_SECONDS`].
    pub backdate: u64,
    /// `exp - iat` in seconds; without it the scheme's default.
    pub lifetime: Option<u64>,
    /// `jti`; without it a random one. Whoever gives one must never give it twice.
    pub jti: Option<String>,
}

impl AssertionOptions {
    /// Checks what can be checked before a key is opened, so that a slip costs no login.
    pub fn check(&self, scheme: &Scheme) -> Result<(), Error> {
        scheme.audience(self.audience()?)?;
        let rule = scheme.lifetime;
        rule.value.choose(self.lifetime, rule.source)?;
        self.jti.as_deref().map(Jti::new).transpose()?;
        Ok(())
    }

    pub(crate) fn audience(&self) -> Result<Option<Audience<'_>>, Error> {
        Ok(self.audience.as_deref().map(Audience::new).transpose()?)
    }

    pub(crate) fn moment(&self) -> Result<UnixTime, Error> {
        Ok(self.now.map_or_else(clock::now, Ok)?)
    }

    /// The given `jti`, or a new one.
    fn jti(&self) -> Result<String, Error> {
        match &self.jti {
            Some(jti) => Ok(jti.clone()),
            None => Ok(entropy::jti()?.as_jti().as_str().to_owned()),
        }
    }

    pub(crate) fn request<'a>(
        &'a self,
        now: UnixTime,
        jti: &'a str,
    ) -> Result<AssertionRequest<'a>, Error> {
        Ok(AssertionRequest {
            audience: self.audience()?,
            now,
            backdate: self.backdate,
            lifetime: self.lifetime,
            jti: Jti::new(jti)?,
        })
    }
}

impl<S> Client<S>
where
    S: Signer + Clone,
    S::Error: Send + Sync + 'static,
{
    /// A client named `client_id` under `scheme`, whose leaf in `chain` belongs to the key of `signer`.
    /// Proves the chain.
    pub fn new(
        scheme: &'static Scheme,
        client_id: ClientId,
        chain: Chain<'_>,
        signer: S,
    ) -> Result<Self, Error> {
        let chain = chain.prove(&HostLinks)?;
        let header = vec![0; MAX_HEADER];
        let credential = Credential::new(scheme, client_id, &chain, signer.public_key(), header)?;
        Ok(Self { credential, signer })
    }

    /// A client named `client_id` under `scheme`, whose key the receiver knows as `kid`.
    pub fn with_kid(
        scheme: &'static Scheme,
        client_id: ClientId,
        kid: Kid<'_>,
        signer: S,
    ) -> Result<Self, Error> {
        let header = vec![0; MAX_HEADER];
        let credential = Credential::with_kid(scheme, client_id, kid, signer.public_key(), header)?;
        Ok(Self { credential, signer })
    }

    /// Who signs, for which scheme, with which key.
    pub const fn credential(&self) -> &Credential<Vec<u8>> {
        &self.credential
    }

    /// A new assertion: signed, verified, and good once for as long as the scheme says.
    pub fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, Error> {
        let jti = options.jti()?;
        let request = options.request(options.moment()?, &jti)?;
        self.signed(self.credential.prepare(&request)?)
    }

    fn signed(&self, input: SigningInput<'_>) -> Result<Assertion, Error> {
        let mut buffer = Zeroizing::new(vec![0; input.token_len()]);
        input
            .sign(&mut self.signer.clone(), &mut buffer)
            .map(Assertion::from)
            .map_err(Error::from_sign)
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

/// Gets `path` below `base` with an access token, and gives the JSON that comes. Tries again as the options of
/// `http` say.
pub fn call(
    http: &Http,
    base: &BaseUrl,
    path: &str,
    token: &AccessToken,
) -> Result<Vec<u8>, Error> {
    let url = below(base, path)?;
    http.reading(|http| {
        let response = http.get(&url, token, MAX_CALL_RESPONSE)?;
        answer::json(&url, response, token.expose())
    })
}

/// Where `scheme` has its token endpoint below `base`.
fn token_url(scheme: &Scheme, base: &BaseUrl) -> Result<Url, Error> {
    below(base, scheme.token_request.path.value)
}

fn below(base: &BaseUrl, path: &str) -> Result<Url, Error> {
    base.join(path).map_err(|error| Error::Option {
        option: "--call",
        reason: error.to_string(),
    })
}
