//! What a signed authentication request asks (CIBA Core section 7.1.1).

use privyseal_core::payload::{AcrValues, AuthenticationRequest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What an authentication request asks. Its tokens are wiped, and `Debug` does not show them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthenticationOptions {
    /// `scope`: `openid`, `service:CODE`, and more, with one space between them.
    pub scope: String,
    /// The `user_identifier_token` of the discovery session: for which user.
    pub user_identifier_token: Zeroizing<String>,
    /// How the user must prove who they are; the server's default where there is none.
    #[serde(with = "acr")]
    pub acr_values: Option<AcrValues>,
    /// Seconds that the request may wait for the user.
    pub requested_expiry: Option<u64>,
    /// The bearer token of the ping callback.
    pub client_notification_token: Option<Zeroizing<String>>,
    /// Claims wanted in the id_token, in any order, each once.
    pub id_token_claims: Vec<String>,
    /// Claims wanted from the UserInfo endpoint, in any order, each once.
    pub userinfo_claims: Vec<String>,
}

impl AuthenticationOptions {
    /// What is asked, with the `login_hint_token` that was made of its person.
    pub(crate) fn hinted<T>(
        &self,
        login_hint_token: &str,
        take: impl FnOnce(AuthenticationRequest<'_>) -> T,
    ) -> T {
        let token = self.client_notification_token.as_deref();
        take(AuthenticationRequest {
            scope: &self.scope,
            login_hint_token,
            acr_values: self.acr_values,
            requested_expiry: self.requested_expiry,
            client_notification_token: token.map(String::as_str),
            id_token_claims: &sorted(&self.id_token_claims),
            userinfo_claims: &sorted(&self.userinfo_claims),
        })
    }
}

/// In the order that canonical JSON wants.
fn sorted(names: &[String]) -> String {
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

privyseal_core::opaque_debug! {
    [] AuthenticationOptions: scope, acr_values, requested_expiry, id_token_claims, userinfo_claims;
}

/// By its name.
mod acr {
    use privyseal_core::payload::AcrValues;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes it so"
    )]
    pub(super) fn serialize<S: Serializer>(
        acr: &Option<AcrValues>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        acr.map(AcrValues::name).serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Option<AcrValues>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        Ok(name.and_then(|name| AcrValues::by_name(&name)))
    }
}
