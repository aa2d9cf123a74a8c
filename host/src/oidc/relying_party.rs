//! A client at its provider (a "relying party"): who asks whom, and what was agreed on.

use std::sync::{Arc, Mutex};

use privyseal_core::KeyEncryption;
use privyseal_hsm::lock;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base::runtime::Runtime;
use crate::http::{Http, Response, RetryPolicy, Url};
use crate::jose::jwe::Recipient;
use crate::jose::jws::judge_userinfo;
use crate::keys::key::KeyUnwrapper;
use crate::oauth::{self, AccessToken, AssertionOptions, AssertionSource, OAuthError, RequestKind};
use crate::oidc::OidcError;
use crate::oidc::id_token::{self, AskedAcr, ID_TOKEN, IdTokenRules};
use crate::oidc::provider::{Provider, userinfo};

/// One client at one provider, for logins in a browser ([`login`](crate::oidc::login)) and for CIBA
/// ([`ciba`](crate::oidc::ciba)). Make one, keep it and share it between threads.
pub struct RelyingParty {
    pub(super) source: Arc<dyn AssertionSource>,
    pub(super) http: Http,
    pub(super) provider: Arc<Provider>,
    pub(super) assertion: AssertionOptions,
    /// How often a request is made whose predecessor the server has not begun with.
    pub retry: RetryPolicy,
    /// Encrypts every assertion to the provider ([`Provider::recipient`]), after it was signed. Where the provider
    /// refuses the client, and has another key by then, that has its place, and the request is made again.
    pub encrypt_assertions: Mutex<Option<Recipient>>,
    /// The keys to which id_tokens and UserInfo responses are encrypted, where that was agreed on when the client was
    /// registered: then none may come without encryption. While a key is replaced there are two.
    pub unwrappers: Vec<KeyUnwrapper>,
    /// How tokens are encrypted to those keys, as it was registered; `None` for each way that the provider may use.
    pub registered: Option<KeyEncryption>,
}

impl RelyingParty {
    /// `source` makes the assertions, `provider` is who is asked about persons. Nothing that comes may be encrypted.
    pub fn new(source: Arc<dyn AssertionSource>, http: Http, provider: Arc<Provider>) -> Self {
        Self {
            source,
            http,
            provider,
            assertion: AssertionOptions::default(),
            retry: RetryPolicy::default(),
            encrypt_assertions: Mutex::default(),
            unwrappers: Vec::new(),
            registered: None,
        }
    }

    /// What is said about every assertion; time and `jti` are chosen for each.
    ///
    /// For CIBA its audience is itsme's for each endpoint, unless one is given: then it is that one everywhere. Other
    /// providers take their issuer (CIBA Core section 7.1); it must be one that the caller knows, not one that a server
    /// names, or what is meant for one server could be used at another. A signed request is for the issuer in any case.
    #[must_use]
    pub fn assertion(mut self, options: AssertionOptions) -> Self {
        self.assertion = AssertionOptions {
            now: None,
            jti: None,
            ..options
        };
        self
    }

    /// The provider.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// What was begun at the provider `issuer` goes on there (OpenID Connect Core section 12.2 for one).
    pub(super) fn judge_provider(&self, issuer: Option<&str>) -> Result<(), OidcError> {
        let other = issuer.filter(|it| *it != self.provider.metadata().issuer());
        other.map_or(Ok(()), |it| Err(OidcError::OtherProvider(it.to_owned())))
    }

    /// Posts `members` with an assertion as `options` say.
    pub(super) fn post(
        &self,
        options: &AssertionOptions,
        url: &Url,
        kind: RequestKind,
        members: &[(&str, &str)],
    ) -> Result<Response, OAuthError> {
        let post = |server: Option<&Recipient>| {
            let assertion = self.source.assertion(options)?.encrypted_to(server)?;
            let (source, http) = (&self.source, &self.http);
            source.post(http, url, kind, members, &assertion)
        };
        let known = lock(&self.encrypt_assertions).clone();
        let outcome = post(known.as_ref());
        if let (Err(OAuthError::Refused(refusal)), Some(known)) = (&outcome, known)
            && refusal.diagnosis() == oauth::Diagnosis::InvalidClient
            && let Ok(new) = (self.provider).recipient(&self.http, known.algorithm, known.content)
            && new.key.public_key() != known.key.public_key()
        {
            *lock(&self.encrypt_assertions) = Some(new.clone());
            return post(Some(&new));
        }
        outcome
    }

    /// An id_token that the provider has just given, as it was signed, and its claims.
    pub(super) fn id_token(
        &self,
        runtime: &mut impl Runtime,
        token: &str,
        rules: &IdTokenRules<'_>,
    ) -> Result<(Zeroizing<String>, Map<String, Value>), OidcError> {
        let jws = self.decrypted(ID_TOKEN, token)?;
        let (provider, http) = (&self.provider, &self.http);
        let verified = provider.verify_given(http, runtime, ID_TOKEN, &jws, rules.waits)?;
        let (issuer, now) = (provider.metadata().issuer(), runtime.now()?);
        let claims = id_token::judge(&verified, issuer, now, rules);
        Ok((jws, claims.map_err(|error| error.of(ID_TOKEN))?))
    }

    /// What the UserInfo endpoint says of the person of `id_token`, or of one without, who was to prove by `acr` who they
    /// are. A signed response names issuer and client where `is_strict`.
    pub(super) fn userinfo_of(
        &self,
        runtime: &mut impl Runtime,
        access: &AccessToken,
        id_token: Option<&Map<String, Value>>,
        acr: AskedAcr,
        is_strict: bool,
    ) -> Result<Map<String, Value>, OidcError> {
        let decrypt = |text: &str| self.decrypted(userinfo::WHAT, text);
        let (provider, is_encrypted) = (&self.provider, !self.unwrappers.is_empty());
        let (claims, is_signed) =
            provider.userinfo_by(&self.http, runtime, access, is_encrypted, decrypt)?;
        let (issuer, client_id) = (provider.metadata().issuer(), self.source.client_id());
        let must_say = is_strict && is_signed;
        let judged = judge_userinfo(&claims, issuer, client_id.as_str(), must_say)
            .and_then(|()| id_token::judge_person(&claims, id_token, acr));
        // The server wrote the response when it had the token.
        judged.map_err(|error| error.of(userinfo::WHAT).without(access.expose()))?;
        Ok(claims)
    }
}

privyseal_core::opaque_debug! { [] RelyingParty: provider; }
