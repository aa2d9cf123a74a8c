//! One client of one scheme: it issues assertions and gets access tokens with them.

mod answer;

use core::convert::Infallible;
use core::fmt;

use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::encoding::sink::Sink;
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_HEADER, MAX_TOKEN_RESPONSE};
use privyseal_core::token::TokenRequest;
use privyseal_core::{
    AssertionRequest, Audience, ClientId, CompactJws, Credential, Jti, Scheme, SignError, Signer,
    UnixTime,
};
use zeroize::Zeroizing;

use crate::access_token::AccessToken;
use crate::error::Error;
use crate::http::{BaseUrl, Http, MAX_CALL_RESPONSE, Url};
use crate::{clock, entropy};

/// A credential, the signer that has its key, and the buffers for both.
///
/// Make one and keep it: the chain is proved and the header encoded once. Each assertion is new, with
/// its own `jti`.
pub struct Client<S> {
    credential: Credential<Vec<u8>>,
    signer: S,
    token: Zeroizing<Vec<u8>>,
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
    /// `jti`; without it a random one. Whoever gives one must never give it twice.
    pub jti: Option<String>,
}

impl AssertionOptions {
    /// Checks what can be checked before a key is opened, so that a slip costs no login.
    pub fn check(&self, scheme: &Scheme) -> Result<(), Error> {
        scheme.audience(self.audience()?)?;
        self.jti.as_deref().map(Jti::new).transpose()?;
        Ok(())
    }

    fn audience(&self) -> Result<Option<Audience<'_>>, Error> {
        Ok(self.audience.as_deref().map(Audience::new).transpose()?)
    }
}

impl<S> Client<S>
where
    S: Signer,
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
        let chain = chain.prove(&RsaLinks)?;
        let header = vec![0; MAX_HEADER];
        let credential = Credential::new(scheme, client_id, &chain, signer.public_key(), header)?;
        Ok(Self {
            credential,
            signer,
            token: Zeroizing::new(vec![0; MAX_COMPACT_JWS]),
        })
    }

    /// Who signs, for which scheme, with which key.
    pub const fn credential(&self) -> &Credential<Vec<u8>> {
        &self.credential
    }

    /// A new assertion: signed, verified, and good once for as long as the scheme says.
    pub fn assertion(&mut self, options: &AssertionOptions) -> Result<CompactJws<'_>, Error> {
        let Self {
            credential,
            signer,
            token,
        } = self;
        issue(credential, signer, token, options)
    }

    /// Asks the token endpoint below `base` for an access token, with a new assertion.
    pub fn access_token(
        &mut self,
        http: &Http,
        base: &BaseUrl,
        options: &AssertionOptions,
    ) -> Result<AccessToken, Error> {
        let Self {
            credential,
            signer,
            token,
        } = self;
        let scheme = credential.scheme();
        let url = below(base, scheme.token_request.path.value)?;
        let assertion = issue(credential, signer, token, options)?;
        let request = TokenRequest::new(scheme, credential.client_id(), assertion);
        let mut form = FormBody::with_capacity(request.body_len());
        let Ok(()) = request.write_to(&mut form);

        let response = http.post_form(&url, &form.0, MAX_TOKEN_RESPONSE)?;
        answer::token(url, response, assertion.as_str())
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

/// Gets `path` below `base` with an access token, and gives the JSON that comes.
pub fn call(
    http: &Http,
    base: &BaseUrl,
    path: &str,
    token: &AccessToken,
) -> Result<Vec<u8>, Error> {
    let url = below(base, path)?;
    let response = http.get(&url, token, MAX_CALL_RESPONSE)?;
    answer::json(url, response, token.expose())
}

/// The steps of the pipeline, on buffers that are there already.
fn issue<'t, S>(
    credential: &Credential<Vec<u8>>,
    signer: &mut S,
    token: &'t mut [u8],
    options: &AssertionOptions,
) -> Result<CompactJws<'t>, Error>
where
    S: Signer,
    S::Error: Send + Sync + 'static,
{
    let random;
    let jti = if let Some(jti) = &options.jti {
        Jti::new(jti)?
    } else {
        random = entropy::jti()?;
        random.as_jti()
    };
    let request = AssertionRequest {
        audience: options.audience()?,
        now: options.now.map_or_else(clock::now, Ok)?,
        backdate: options.backdate,
        lifetime: None,
        jti,
    };
    credential
        .prepare(&request)?
        .sign(signer, token)
        .map_err(|error| match error {
            SignError::Signer(error) => Error::from_signer(error),
            SignError::Token(error) => Error::Core(error),
        })
}

/// A form that holds an assertion: its place is reserved at once, and wiped.
struct FormBody(Zeroizing<Vec<u8>>);

impl FormBody {
    fn with_capacity(len: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(len)))
    }
}

impl Sink for FormBody {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn below(base: &BaseUrl, path: &str) -> Result<Url, Error> {
    base.join(path).map_err(|error| Error::Option {
        option: "--call",
        reason: error.to_string(),
    })
}
