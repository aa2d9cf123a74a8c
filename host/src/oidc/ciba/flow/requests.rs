//! One request and its response.

use privyseal_core::Unwrapper;
use privyseal_core::limits::MAX_TOKEN_RESPONSE;
use zeroize::Zeroizing;

use super::Ciba;
use crate::base::runtime::Runtime;
use crate::http::retry::{RetryPolicy, retry_within};
use crate::http::{BaseUrl, Url};
use crate::oauth::{
    AssertionOptions, AudienceParts, Form, OAuthError, REQUEST, RequestKind, SignedRequest,
};
use crate::oidc::ciba::CibaError;
use crate::oidc::ciba::discovery;
use crate::oidc::ciba::exchange::Exchange;
use crate::oidc::ciba::machine::{Answer, Authenticated, CibaRequest, CibaResponse, Due};

/// `grant_type` (CIBA Core section 10.1).
pub(super) const GRANT_TYPE: &str = "urn:openid:params:grant-type:ciba";

/// The largest response of the backchannel authentication endpoint, in bytes.
const MAX_ACKNOWLEDGEMENT: usize = 16 * 1024;

impl<U, P> Ciba<'_, U, P>
where
    U: Unwrapper,
    U::Error: Send + Sync + 'static,
    P: Runtime,
{
    /// Sends what a flow asks for, with a new assertion, and waits for the response as long as a request may take (claims
    /// may wait a minute and a half for keys that lag behind); not for a person. Where a server that was asked for
    /// something new is busy, it is asked again.
    pub fn send(&mut self, request: CibaRequest) -> CibaResponse {
        let outcome = self.answer(request.0);
        let random = self.runtime.random().unwrap_or_default();
        CibaResponse { outcome, random }
    }

    fn answer(&mut self, due: Due) -> Result<Answer, CibaError> {
        let exchange = match due {
            Due::Session(None) => {
                let url = self.below(discovery::PATH)?;
                let kind = RequestKind::NewDiscovery;
                self.ask_a_busy_server(|flow| flow.post(&url, kind, &[], discovery::MAX_ANSWER))
            }
            Due::Session(Some(id)) => {
                let url = self.below(&discovery::path_of(&id))?;
                self.post(&url, RequestKind::Discovery, &[], discovery::MAX_ANSWER)
            }
            Due::Authentication(asked) => {
                let metadata = self.provider.metadata();
                let url = match metadata.backchannel_authentication_endpoint() {
                    Some(url) => url.clone(),
                    None => self.below("/backchannel/authentication")?,
                };
                self.ask_a_busy_server(|flow| {
                    let options = flow.options(REQUEST)?;
                    let request = SignedRequest::Authentication(&asked);
                    let request = flow.client.signed_request(&options, request)?;
                    let (kind, members) =
                        (RequestKind::Backchannel, [("request", request.as_str())]);
                    flow.post(&url, kind, &members, MAX_ACKNOWLEDGEMENT)
                })
            }
            Due::Tokens(id) => {
                let url = self.provider.metadata().token_endpoint().clone();
                let members = [("grant_type", GRANT_TYPE), ("auth_req_id", id.as_str())];
                self.post(&url, RequestKind::CibaTokens, &members, MAX_TOKEN_RESPONSE)
            }
            Due::Claims(tokens, userinfo) => {
                let identity = self.identity(&tokens, userinfo)?;
                let tokens = *tokens;
                return Ok(Answer::Claims(Box::new(Authenticated { identity, tokens })));
            }
        };
        Ok(Answer::Said(Box::new(exchange?)))
    }

    /// Does `request`, and again where the server has not begun with it: with new assertions.
    fn ask_a_busy_server(
        &mut self,
        mut request: impl FnMut(&mut Self) -> Result<Exchange, OAuthError>,
    ) -> Result<Exchange, OAuthError> {
        retry_within(&RetryPolicy::default(), self, Self::runtime, |flow| {
            let exchange = request(flow)?;
            match exchange.response.status {
                429 | 503 => Err(exchange.refused()),
                _ => Ok(exchange),
            }
        })
    }

    fn runtime(&mut self) -> &mut dyn Runtime {
        &mut self.runtime
    }

    /// Posts `members`, and who sends them, with a new assertion for that endpoint.
    fn post(
        &mut self,
        url: &Url,
        kind: RequestKind,
        members: &[(&str, &str)],
        max: usize,
    ) -> Result<Exchange, OAuthError> {
        let options = self.options(match kind {
            RequestKind::NewDiscovery | RequestKind::Discovery => "discovery",
            RequestKind::Backchannel => "backchannel",
            _ => "token",
        })?;
        let mut assertion = self.client.assertion(&options)?;
        if let Some(provider) = &self.recipient {
            assertion = assertion.encrypted_to(provider)?;
        }
        let form = Form::new(url, members, kind, max);
        let body = form.body(Some(self.client.client_id().as_str()), &assertion);
        let response = self.http.post_form(url, &body, max)?;
        let sent = form.secrets(&assertion);
        Ok(Exchange {
            response,
            now: self.runtime.now()?,
            url: url.clone(),
            kind,
            sent: sent.map(|text| Zeroizing::new(text.to_owned())).collect(),
        })
    }

    fn options(&mut self, endpoint: &str) -> Result<AssertionOptions, OAuthError> {
        let base = self.base()?;
        let given = self.assertion.audience.as_deref();
        let is_request = endpoint == REQUEST;
        let parts = AudienceParts {
            // The issuer as it calls itself; itsme's endpoints are below it, with one slash.
            audience: if is_request {
                Some(self.provider.metadata().issuer())
            } else {
                given
            },
            endpoint: Some(endpoint),
            base_url: Some(base.as_str()),
            realm: None,
        };
        Ok(AssertionOptions {
            audience: parts.choose(self.client.scheme())?,
            now: Some(self.runtime.now()?),
            jti: None,
            ..self.assertion.clone()
        })
    }

    pub(super) fn below(&self, path: &str) -> Result<Url, OAuthError> {
        Ok(self.base()?.join(path)?)
    }

    /// itsme's paths are below the issuer.
    fn base(&self) -> Result<BaseUrl, OAuthError> {
        Ok(self.provider.metadata().issuer().parse()?)
    }
}
