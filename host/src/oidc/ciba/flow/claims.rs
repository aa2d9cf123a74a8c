//! What the tokens say, once they are decrypted, verified and judged.

use privyseal_core::KeyEncryption;
use privyseal_core::payload::AcrValues;

use super::{Ciba, GRANT_TYPE};
use crate::base::runtime::Runtime;
use crate::oauth::{AccessToken, AuthenticationOptions, OAuthError};
use crate::oidc::OidcError;
use crate::oidc::ciba::machine::Kept;
use crate::oidc::ciba::{CibaError, Identity};
use crate::oidc::discovery::RS256;
use crate::oidc::id_token::{AskedAcr, IdTokenRules};
use crate::oidc::provider::MAX_AHEAD;

const REQUESTS: &str = "backchannel_authentication_request_signing_alg_values_supported";

impl<P: Runtime> Ciba<'_, P> {
    /// Checks what can be known before a person is asked `asked`: the provider's keys can be read, its clock and this one
    /// agree (where the keys were not read before), its metadata fit what is done here (with a `client_notification_token`, pings; with `userinfo`, UserInfo too), and the
    /// decryption keys can do what was registered, or what the provider may use. Gives what of that they cannot do.
    ///
    /// # Errors
    ///
    /// [`CibaError`]: the authentication would end so, after the person has confirmed.
    pub fn prepare(
        &mut self,
        asked: &AuthenticationOptions,
        userinfo: bool,
    ) -> Result<Vec<KeyEncryption>, CibaError> {
        // Of the person nothing is known yet.
        asked
            .hinted("a.b.c", |request| request.check())
            .map_err(|error| OAuthError::Core(error.into()))?;
        let metadata = self.party.provider.metadata();
        let is_pinged = asked.client_notification_token.is_some();
        let modes = if is_pinged { ["ping"] } else { ["poll"] };
        let acr = asked.acr_values;
        let acr = acr.map(|acr| AskedAcr::good(acr).map(AcrValues::name));
        let mut lists: Vec<(_, &[&str])> = vec![
            ("grant_types_supported", &[GRANT_TYPE]),
            ("backchannel_token_delivery_modes_supported", &modes),
            (REQUESTS, RS256),
        ];
        lists.extend(acr.iter().map(|names| ("acr_values_supported", &names[..])));
        let claims = "claims_parameter_supported";
        let asks_claims = !(asked.id_token_claims.is_empty() && asked.userinfo_claims.is_empty());
        if asks_claims && metadata.says_no(claims) {
            return Err(OidcError::Unfit(claims).into());
        }
        Ok(self.party.prepared(&mut self.runtime, &lists, userinfo)?)
    }

    /// What the tokens say, with `userinfo` by that endpoint too. What is wrong with that alone takes nothing from the
    /// id_token; where that cannot be judged because the provider's keys are out of reach, UserInfo is all there is.
    pub(super) fn identity(
        &mut self,
        kept: &Kept,
        auth_req_id: &str,
        access: &AccessToken,
    ) -> Result<Identity, CibaError> {
        let (party, runtime, userinfo) = (self.party, &mut self.runtime, kept.userinfo);
        let slack = MAX_AHEAD.saturating_add(party.assertion.backdate);
        let rules = IdTokenRules {
            client_id: party.source.client_id().as_str(),
            not_before: kept.sent_at.map(|at| at.saturating_sub(slack)),
            access_token: access.expose(),
            auth_req_id: Some(auth_req_id),
            nonce: None,
            acr: AskedAcr::of(&kept.asked),
            waits: true,
        };
        let id_token = access.id_token();
        let id_token = id_token.map(|token| party.id_token(runtime, &token, &rules));
        let (id_token, id_token_error) = match id_token.transpose() {
            Ok(id_token) => (id_token.map(|(_, claims)| claims), None),
            // It is not wrong, but cannot be judged now.
            Err(error @ OidcError::OAuth(_)) if userinfo => (None, Some(error)),
            Err(error) => return Err(error.into()),
        };
        if id_token.is_none() && !userinfo {
            let url = party.provider.metadata().token_endpoint();
            let reason = "id_token is missing, and UserInfo was not to be asked, so nobody says who the person is";
            return Err(OAuthError::response(url, reason).into());
        }
        let userinfo = userinfo
            .then(|| party.userinfo_of(runtime, access, id_token.as_ref(), rules.acr, false));
        let (userinfo, userinfo_error) = match userinfo.transpose() {
            Ok(userinfo) => (userinfo, None),
            Err(error) if id_token.is_some() => (None, Some(error)),
            Err(error) => return Err(id_token_error.unwrap_or(error).into()),
        };
        Ok(Identity {
            access: access.clone(),
            id_token,
            id_token_error,
            userinfo,
            userinfo_error,
        })
    }
}
