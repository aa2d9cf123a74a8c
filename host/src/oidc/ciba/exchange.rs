//! What came back from the provider.

use privyseal_core::UnixTime;
use zeroize::Zeroizing;

use crate::http::{Response, Url};
use crate::oauth::{AccessToken, OAuthError, Refusal, RequestKind};
use crate::oidc::id_token::{AskedAcr, IdTokenRules};
use crate::oidc::provider::MAX_AHEAD;

/// A response, and what was sent for it.
pub(super) struct Exchange {
    pub(super) response: Response,
    /// When it came.
    pub(super) now: UnixTime,
    pub(super) url: Url,
    pub(super) kind: RequestKind,
    pub(super) sent: Vec<Zeroizing<String>>,
}

impl Exchange {
    /// What the server said no with. Nothing that was sent is repeated, however short it is.
    pub(super) fn refused(&self) -> OAuthError {
        let sent = self.sent.iter().map(|secret| secret.as_str());
        Refusal::new(&self.url, self.kind, &self.response, sent).into()
    }
}

/// What the token endpoint gave. `Debug` shows none of it.
pub struct Tokens {
    /// For the UserInfo endpoint; the id_token came in the same response, encrypted mostly.
    pub access: AccessToken,
    pub(super) auth_req_id: Zeroizing<String>,
    pub(super) asked_acr: AskedAcr,
    pub(super) asked_at: Option<UnixTime>,
}

impl Tokens {
    /// What an id_token beside them must fit; assertions date back by `backdate`.
    pub(super) fn rules<'r>(&'r self, client_id: &'r str, backdate: u64) -> IdTokenRules<'r> {
        let slack = MAX_AHEAD.saturating_add(backdate);
        IdTokenRules {
            client_id,
            not_before: self.asked_at.map(|at| at.saturating_sub(slack)),
            access_token: self.access.expose(),
            auth_req_id: Some(&self.auth_req_id),
            nonce: None,
            acr: self.asked_acr,
        }
    }
}

privyseal_core::opaque_debug! { [] Tokens; }
