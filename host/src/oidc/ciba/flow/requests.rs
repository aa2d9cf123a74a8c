//! One request and its response.

use privyseal_core::UnixTime;
use privyseal_core::limits::MAX_TOKEN_RESPONSE;

use super::{Ciba, Party};
use crate::base::runtime::Runtime;
use crate::http::retry::{RetryPolicy, retry};
use crate::http::{BaseUrl, Response, Url};
use crate::oauth::{
    AssertionOptions, AudienceParts, Form, OAuthError, REQUEST, RequestKind, SignedRequest,
};
use crate::oidc::ciba::CibaError;
use crate::oidc::ciba::discovery;
use crate::oidc::ciba::machine::{Answer, Authenticated, CibaRequest, CibaResponse, Due};

/// `grant_type` (CIBA Core section 10.1).
pub(super) const GRANT_TYPE: &str = "urn:openid:params:grant-type:ciba";

/// The largest response of the backchannel authentication endpoint, in bytes.
const MAX_ACKNOWLEDGEMENT: usize = 16 * 1024;

impl<P: Runtime> Ciba<'_, P> {
    /// Sends what a flow asks for, with a new assertion, and waits for the response as long as a request may take (claims
    /// may wait a minute and a half for keys that lag behind); not for a person. Where a server that was asked for
    /// something new is busy, it is asked again.
    pub fn send(&mut self, request: CibaRequest) -> CibaResponse {
        let outcome = self.answer(request.0);
        let (outcome, came_at) = match self.runtime.now() {
            Ok(now) => (outcome, now),
            Err(error) => (Err(error.into()), UnixTime::MAX),
        };
        CibaResponse {
            outcome,
            came_at,
            random: self.runtime.random().unwrap_or_default(),
        }
    }

    fn answer(&mut self, due: Due) -> Result<Answer, CibaError> {
        let (party, runtime) = (&self.party, &mut self.runtime);
        let policy = RetryPolicy::default();
        let metadata = party.provider.metadata();
        let (url, response) = match due {
            Due::Session(None) => {
                let url = party.below(discovery::PATH)?;
                let kind = RequestKind::NewDiscovery;
                let ask = |runtime: &mut dyn Runtime| party.post(runtime.now()?, &url, kind, &[]);
                let response = retry(&policy, runtime, ask);
                (url, response)
            }
            Due::Session(Some(id)) => {
                let url = party.below(&discovery::path_of(&id))?;
                let response = party.post(runtime.now()?, &url, RequestKind::Discovery, &[]);
                (url, response)
            }
            Due::Authentication(asked) => {
                let url = match metadata.backchannel_authentication_endpoint() {
                    Some(url) => url.clone(),
                    None => party.below("/backchannel/authentication")?,
                };
                let response = retry(&policy, runtime, |runtime| {
                    let now = runtime.now()?;
                    let request = SignedRequest::Authentication(&asked);
                    let options = party.options(now, REQUEST)?;
                    let request = party.source.signed_request(&options, request)?;
                    let members = [("request", request.as_str())];
                    party.post(now, &url, RequestKind::Backchannel, &members)
                });
                (url, response)
            }
            Due::Tokens(id) => {
                let url = metadata.token_endpoint().clone();
                let members = [("grant_type", GRANT_TYPE), ("auth_req_id", id.as_str())];
                let response = party.post(runtime.now()?, &url, RequestKind::CibaTokens, &members);
                (url, response)
            }
            Due::Claims(tokens, userinfo) => {
                let identity = self.identity(&tokens, userinfo)?;
                let tokens = *tokens;
                return Ok(Answer::Claims(Box::new(Authenticated { identity, tokens })));
            }
        };
        Ok(Answer::Said(url, Box::new(response?)))
    }
}

impl Party<'_> {
    /// Posts `members`, and who sends them, with a new assertion for that endpoint.
    fn post(
        &self,
        now: UnixTime,
        url: &Url,
        kind: RequestKind,
        members: &[(&str, &str)],
    ) -> Result<Response, OAuthError> {
        let (endpoint, max) = match kind {
            RequestKind::NewDiscovery | RequestKind::Discovery => {
                ("discovery", discovery::MAX_ANSWER)
            }
            RequestKind::Backchannel => ("backchannel", MAX_ACKNOWLEDGEMENT),
            _ => ("token", MAX_TOKEN_RESPONSE),
        };
        let mut assertion = self.source.assertion(&self.options(now, endpoint)?)?;
        if let Some(provider) = &self.recipient {
            assertion = assertion.encrypted_to(provider)?;
        }
        let client_id = Some(self.source.client_id().as_str());
        Form::new(url, members, kind, max).send(self.http, client_id, &assertion)
    }

    fn options(&self, now: UnixTime, endpoint: &str) -> Result<AssertionOptions, OAuthError> {
        let base = self.base()?;
        let parts = AudienceParts {
            // The issuer as it calls itself; itsme's endpoints are below it, with one slash.
            audience: match endpoint {
                REQUEST => Some(self.provider.metadata().issuer()),
                _ => self.assertion.audience.as_deref(),
            },
            endpoint: Some(endpoint),
            base_url: Some(base.as_str()),
            realm: None,
        };
        Ok(AssertionOptions {
            audience: parts.choose(self.source.scheme())?,
            now: Some(now),
            jti: None,
            ..self.assertion.clone()
        })
    }

    fn below(&self, path: &str) -> Result<Url, OAuthError> {
        Ok(self.base()?.join(path)?)
    }

    /// itsme's paths are below the issuer.
    fn base(&self) -> Result<BaseUrl, OAuthError> {
        Ok(self.provider.metadata().issuer().parse()?)
    }
}
