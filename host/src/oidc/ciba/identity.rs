//! Who it was: the claims of the id_token and of the UserInfo response, and the token that they came with.

use privyseal_core::UnixTime;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::oauth::AccessToken;
use crate::oidc::OidcError;
use crate::oidc::id_token::AskedAcr;

/// What is known about a person, from one authentication. `Debug` shows no claims.
#[non_exhaustive]
pub struct Identity {
    /// The access token; the id_token came in the same response, encrypted mostly.
    pub access: AccessToken,
    /// The claims of the id_token; without one, those of the UserInfo response are all there is.
    pub id_token: Option<Map<String, Value>>,
    /// Why they are missing, where an id_token came: nothing is wrong with it, but it could not be judged.
    pub id_token_error: Option<OidcError>,
    /// The claims of the UserInfo response, if it was asked.
    pub userinfo: Option<Map<String, Value>>,
    /// Why they are missing, where it was asked. The id_token counts all the same: the person has confirmed, and
    /// cannot be asked again for nothing.
    pub userinfo_error: Option<OidcError>,
}

impl Identity {
    /// `sub`: the person's permanent identifier.
    pub fn subject(&self) -> &str {
        let claims = self.id_token.as_ref().or(self.userinfo.as_ref());
        let sub = claims.and_then(|claims| claims.get("sub")?.as_str());
        sub.unwrap_or_default()
    }
}

/// What the token endpoint gave, and what it must fit.
pub(super) struct Tokens {
    pub(super) access: AccessToken,
    pub(super) auth_req_id: Zeroizing<String>,
    pub(super) asked_acr: AskedAcr,
    pub(super) asked_at: Option<UnixTime>,
}

privyseal_core::opaque_debug! { [] Identity: id_token_error, userinfo_error; }
