//! What a flow keeps, and how it is stored.

use privyseal_core::UnixTime;
use privyseal_core::payload::AcrValues;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{CibaFlow, Stage};
use crate::base::seal::SealKey;
use crate::oauth::AuthenticationOptions;
use crate::oidc::ciba::CibaError;
use crate::oidc::ciba::exchange::Tokens;
use crate::oidc::id_token::AskedAcr;

/// What a sealed flow is for.
const PURPOSE: &str = "privyseal ciba 1";

/// What is asked for.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    scope: String,
    #[serde(with = "secret")]
    pub(super) user_identifier_token: Zeroizing<String>,
    /// Whether the code of itsme is asked for, and not only whatever the person likes.
    advanced: Option<bool>,
    requested_expiry: Option<u64>,
    /// Empty where nothing is pinged.
    #[serde(with = "secret")]
    client_notification_token: Zeroizing<String>,
    id_token_claims: Vec<String>,
    userinfo_claims: Vec<String>,
    /// Whether UserInfo is asked, too.
    pub(super) userinfo: bool,
    /// When the provider had taken the request.
    pub(super) sent_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Stored<A, S> {
    asked: A,
    stage: S,
}

impl Asked {
    pub(super) fn new(asked: &AuthenticationOptions) -> Self {
        Self {
            scope: asked.scope.clone(),
            user_identifier_token: asked.user_identifier_token.clone(),
            advanced: asked.acr_values.map(|acr| acr == AcrValues::Advanced),
            requested_expiry: asked.requested_expiry,
            client_notification_token: asked.client_notification_token.clone().unwrap_or_default(),
            id_token_claims: asked.id_token_claims.clone(),
            userinfo_claims: asked.userinfo_claims.clone(),
            userinfo: true,
            sent_at: None,
        }
    }

    pub(super) fn options(&self) -> AuthenticationOptions {
        AuthenticationOptions {
            scope: self.scope.clone(),
            user_identifier_token: self.user_identifier_token.clone(),
            acr_values: self.advanced.map(|advanced| {
                if advanced {
                    AcrValues::Advanced
                } else {
                    AcrValues::Basic
                }
            }),
            requested_expiry: self.requested_expiry,
            client_notification_token: self
                .is_pinged()
                .then(|| self.client_notification_token.clone()),
            id_token_claims: self.id_token_claims.clone(),
            userinfo_claims: self.userinfo_claims.clone(),
        }
    }

    pub(super) fn is_pinged(&self) -> bool {
        !self.client_notification_token.is_empty()
    }

    pub(super) fn tokens(
        &self,
        auth_req_id: &Zeroizing<String>,
        response: &str,
    ) -> Result<Tokens, CibaError> {
        let asked_at = self.sent_at.map(UnixTime::from_secs).transpose();
        let asked_at = asked_at.map_err(|_| CibaError::Sealed)?;
        let acr = AskedAcr::of(&self.options());
        Tokens::kept(response, auth_req_id, acr, asked_at)
    }
}

impl CibaFlow {
    /// Encrypted, for a database: another process can go on with it. `binding` is what else must be the same when it
    /// is opened, such as the name of the browser's session.
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`] if there is no randomness.
    pub fn seal(&self, key: &SealKey, binding: &[u8]) -> Result<String, CibaError> {
        let stored = Stored {
            asked: &self.asked,
            stage: &self.stage,
        };
        Ok(key.seal_json(PURPOSE, binding, &stored)?)
    }

    /// Opens what [`CibaFlow::seal`] made. A request that was under way then is sent again. Of several processes that
    /// open it, one goes on: that is for the one who stores it to see to.
    ///
    /// # Errors
    ///
    /// [`CibaError::Sealed`].
    pub fn open(sealed: &str, key: &SealKey, binding: &[u8]) -> Result<Self, CibaError> {
        let json = key.open(PURPOSE, binding, sealed);
        let stored: Stored<Asked, Stage> = json
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or(CibaError::Sealed)?;
        Ok(Self {
            asked: stored.asked,
            stage: stored.stage,
            in_flight: false,
        })
    }
}

/// A text that is wiped.
pub(super) mod secret {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(in super::super) fn serialize<S: Serializer>(
        text: &Zeroizing<String>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(in super::super) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(from).map(Zeroizing::new)
    }
}
