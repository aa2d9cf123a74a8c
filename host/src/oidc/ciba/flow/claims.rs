//! What the tokens say, once they are decrypted, verified and judged.

use privyseal_core::KeyEncryption;
use privyseal_core::payload::AcrValues;
use serde_json::{Map, Value};

use super::{Ciba, GRANT_TYPE, Party};
use crate::base::runtime::Runtime;
use crate::http::RetryPolicy;
use crate::oauth::{AuthenticationOptions, OAuthError};
use crate::oidc::OidcError;
use crate::oidc::ciba::CibaError;
use crate::oidc::ciba::identity::{Identity, Tokens};
use crate::oidc::decryption::{compare, decrypted};
use crate::oidc::discovery::RS256;
use crate::oidc::id_token::{self, AskedAcr, ID_TOKEN, IdTokenRules};
use crate::oidc::provider::{MAX_AHEAD, userinfo};

const REQUESTS: &str = "backchannel_authentication_request_signing_alg_values_supported";

impl<P: Runtime> Ciba<'_, P> {
    /// Checks what can be known before a person is asked `asked`: the provider's keys can be read, its clock and this one
    /// agree (where the keys were not read before), its metadata fit what is done here (with a `client_notification_token`, pings; with `userinfo`, [`Ciba::identity`] with it), and the
    /// decryption keys can do `registered`, or what the provider may use. Gives what of that they cannot do.
    ///
    /// # Errors
    ///
    /// [`CibaError`]: the authentication would end so, after the person has confirmed.
    pub fn prepare(
        &mut self,
        asked: &AuthenticationOptions,
        registered: Option<KeyEncryption>,
        userinfo: bool,
    ) -> Result<Vec<KeyEncryption>, CibaError> {
        self.registered = registered;
        let unusable = self.compare(asked, userinfo)?;
        let party = &self.party;
        let (runtime, backdate) = (&mut self.runtime, party.assertion.backdate);
        party.provider.prepare(party.http, runtime, backdate)?;
        Ok(unusable)
    }

    /// What the provider says about itself, with what would be asked.
    fn compare(
        &self,
        asked: &AuthenticationOptions,
        userinfo: bool,
    ) -> Result<Vec<KeyEncryption>, OidcError> {
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
            return Err(OidcError::Unfit(claims));
        }
        compare(metadata, &lists, self.unwrappers, self.registered, userinfo)
    }

    /// The claims of the id_token, and with `userinfo` those of the UserInfo endpoint too. What is wrong with those
    /// alone takes nothing from the id_token ([`Identity::userinfo_error`]); where that cannot be judged because the
    /// provider's keys are out of reach, they are all there is ([`Identity::id_token_error`]).
    ///
    /// # Errors
    ///
    /// [`CibaError::Oidc`]: nobody says who the person is, or what the provider sent cannot be decrypted, is not signed by
    /// it, or breaks a rule.
    pub fn identity(&mut self, tokens: &Tokens, userinfo: bool) -> Result<Identity, CibaError> {
        let id_token = tokens.access.id_token();
        let id_token = id_token.map(|token| self.id_token(tokens, &token));
        let (id_token, id_token_error) = match id_token.transpose() {
            Ok(id_token) => (id_token, None),
            // It is not wrong, but cannot be judged now.
            Err(error @ OidcError::OAuth(_)) if userinfo => (None, Some(error)),
            Err(error) => return Err(error.into()),
        };
        if id_token.is_none() && !userinfo {
            let url = self.party.provider.metadata().token_endpoint();
            let reason = "id_token is missing, and UserInfo was not to be asked, so nobody says who the person is";
            return Err(OAuthError::response(url, reason).into());
        }
        let userinfo = userinfo.then(|| {
            let judged = self.userinfo(tokens, id_token.as_ref());
            // The server wrote the response when it had the token.
            judged.map_err(|error| error.without(tokens.access.expose()))
        });
        let (userinfo, userinfo_error) = match userinfo.transpose() {
            Ok(userinfo) => (userinfo, None),
            Err(error) if id_token.is_some() => (None, Some(error)),
            Err(error) => return Err(id_token_error.unwrap_or(error).into()),
        };
        Ok(Identity {
            id_token,
            id_token_error,
            userinfo,
            userinfo_error,
        })
    }

    fn id_token(&mut self, tokens: &Tokens, token: &str) -> Result<Map<String, Value>, OidcError> {
        let jws = decrypted(ID_TOKEN, token, self.unwrappers, self.registered)?;
        let party = &self.party;
        let (runtime, rules) = (&mut self.runtime, party.rules(tokens));
        party.provider.id_token(party.http, runtime, &jws, &rules)
    }

    fn userinfo(
        &mut self,
        tokens: &Tokens,
        id_token: Option<&Map<String, Value>>,
    ) -> Result<Map<String, Value>, OidcError> {
        let party = &self.party;
        let decrypt =
            |text: &str| decrypted(userinfo::WHAT, text, self.unwrappers, self.registered);
        let policy = RetryPolicy::default();
        let (access, is_encrypted) = (&tokens.access, !self.unwrappers.is_empty());
        let (http, provider, runtime) = (party.http, party.provider, &mut self.runtime);
        let info = provider.userinfo_by(http, &policy, runtime, access, is_encrypted, decrypt);
        let (claims, _) = info?;
        let (issuer, rules) = (provider.metadata().issuer(), party.rules(tokens));
        let claims = id_token::judge_userinfo(claims, id_token, issuer, &rules, false);
        Ok(claims.map_err(|error| error.of(userinfo::WHAT))?)
    }
}

impl Party<'_> {
    /// What an id_token beside these tokens must fit; assertions date back.
    fn rules<'r>(&'r self, tokens: &'r Tokens) -> IdTokenRules<'r> {
        let slack = MAX_AHEAD.saturating_add(self.assertion.backdate);
        IdTokenRules {
            client_id: self.source.client_id().as_str(),
            not_before: tokens.asked_at.map(|at| at.saturating_sub(slack)),
            access_token: tokens.access.expose(),
            auth_req_id: Some(&tokens.auth_req_id),
            nonce: None,
            acr: tokens.asked_acr,
            waits: true,
        }
    }
}
