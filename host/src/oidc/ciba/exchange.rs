//! What came back from the provider.

use core::fmt;

use privyseal_core::UnixTime;
use zeroize::Zeroizing;

use super::CibaError;
use crate::http::{Response, Url};
use crate::oauth::{AccessToken, OAuthError, Refusal, RequestKind};
use crate::oidc::id_token::AskedAcr;

/// A response, and what was sent for it.
pub(super) struct Exchange {
    pub(super) response: Response,
    pub(super) url: Url,
    kind: RequestKind,
    sent: Vec<Zeroizing<String>>,
}

impl Exchange {
    pub(super) fn new(
        response: Response,
        url: &Url,
        kind: RequestKind,
        sent: Vec<Zeroizing<String>>,
    ) -> Self {
        Self {
            response,
            url: url.clone(),
            kind,
            sent,
        }
    }

    /// A response, to nothing that was sent.
    #[cfg(test)]
    pub(super) fn of(response: Response) -> Self {
        let base: crate::http::BaseUrl = "https://idp.example".parse().expect("a URL");
        let url = base.join("/x").expect("a path");
        Self::new(response, &url, RequestKind::CibaTokens, Vec::new())
    }

    /// What the server said no with. Nothing that was sent is repeated, however short it is.
    pub(super) fn refused(&self) -> OAuthError {
        let sent = self.sent.iter().map(|secret| secret.as_str());
        Refusal::new(&self.url, self.kind, &self.response, sent).into()
    }
}

/// What the token endpoint gave. `Debug` shows none of it.
pub struct Tokens {
    /// For the UserInfo endpoint.
    pub access: AccessToken,
    /// As it came: encrypted, mostly. itsme's document calls it optional.
    pub id_token: Option<Zeroizing<String>>,
    pub(super) auth_req_id: Zeroizing<String>,
    pub(super) asked_acr: AskedAcr,
    pub(super) asked_at: Option<UnixTime>,
}

impl Tokens {
    /// Those of a response that was kept.
    pub(super) fn kept(
        response: &str,
        auth_req_id: &Zeroizing<String>,
        asked_acr: AskedAcr,
        asked_at: Option<UnixTime>,
    ) -> Result<Self, CibaError> {
        let body = Zeroizing::new(response.as_bytes().to_vec());
        let access = AccessToken::from_response(body).map_err(|_| CibaError::Sealed)?;
        Ok(Self {
            id_token: access.id_token(),
            access,
            auth_req_id: auth_req_id.clone(),
            asked_acr,
            asked_at,
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}
