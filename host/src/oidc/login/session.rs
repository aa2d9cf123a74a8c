//! A person who is logged in.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{BrowserUrl, ID_TOKEN, Issued, Login, LoginError, now};
use crate::http::retry::{FailedTry, Retryable as _};
use crate::jose::JoseError;
use crate::oauth::{AccessToken, OAuthError, RefreshToken};
use crate::oidc::OidcError;
use crate::oidc::id_token;
use crate::oidc::provider::userinfo;

/// Who is logged in, and their tokens, in memory and nowhere else. Threads may share it. `Debug` shows the names of
/// claims only.
pub struct Session {
    claims: Map<String, Value>,
    state: Mutex<State>,
    /// How many refreshes have ended.
    ended: AtomicUsize,
}

struct State {
    /// As it came.
    id_token: Zeroizing<String>,
    access: Arc<AccessToken>,
    refresh: Option<RefreshToken>,
    /// How the last refresh failed, for the threads that waited for it.
    failure: Option<Arc<LoginError>>,
}

impl Session {
    pub(super) fn new(
        mut access: AccessToken,
        id_token: Zeroizing<String>,
        claims: Map<String, Value>,
    ) -> Self {
        let refresh = access.take_refresh_token();
        Self {
            claims,
            state: Mutex::new(State {
                id_token,
                access: Arc::new(access),
                refresh,
                failure: None,
            }),
            ended: AtomicUsize::new(0),
        }
    }

    /// What the id_token of the login says, judged.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `sub`: who it is, for this issuer.
    pub fn subject(&self) -> &str {
        let sub = self.claims.get("sub").and_then(Value::as_str);
        sub.unwrap_or_default()
    }

    /// The access token that came last.
    pub fn access_token(&self) -> Arc<AccessToken> {
        Arc::clone(&self.state().access)
    }

    /// Whether there is a refresh token.
    pub fn can_refresh(&self) -> bool {
        self.state().refresh.is_some()
    }

    /// A new access token for the refresh token, which is good once: threads that want one while a request is under
    /// way get what comes of it. Where nobody knows whether it was spent, it is not used again.
    ///
    /// # Errors
    ///
    /// [`LoginError::NoRefreshToken`]; [`LoginError::Oidc`] if the provider refuses, or what it says is not
    /// accepted or about somebody else; [`LoginError::Shared`] where another thread's request failed.
    pub fn refresh(&self, login: &Login) -> Result<Arc<AccessToken>, LoginError> {
        let ended = self.ended.load(Ordering::SeqCst);
        let mut state = self.state();
        if self.ended.load(Ordering::SeqCst) != ended {
            return match &state.failure {
                Some(error) => Err(LoginError::Shared(Arc::clone(error))),
                None => Ok(Arc::clone(&state.access)),
            };
        }
        let refresh = state.refresh.take().ok_or(LoginError::NoRefreshToken)?;
        let outcome = self.renewed(login, &refresh);
        self.ended.fetch_add(1, Ordering::SeqCst);
        match outcome {
            Ok(issued) => {
                let mut access = issued.access;
                // RFC 6749 section 6: without a new one the old one goes on.
                let next = access.take_refresh_token();
                state.refresh = Some(next.unwrap_or(refresh));
                state.access = Arc::new(access);
                state.failure = None;
                if let Some((id_token, _)) = issued.id_token {
                    state.id_token = id_token;
                }
                Ok(Arc::clone(&state.access))
            }
            Err(error) => {
                if was_not_spent(&error) {
                    state.refresh = Some(refresh);
                }
                let error = state.failure.insert(Arc::new(error.into()));
                Err(LoginError::Shared(Arc::clone(error)))
            }
        }
    }

    /// OpenID Connect Core section 12.2: a new id_token is of the same person and the same login.
    fn renewed(&self, login: &Login, refresh: &RefreshToken) -> Result<Issued, OidcError> {
        let issued = login.renewed(refresh)?;
        if let Some((_, claims)) = &issued.id_token {
            for name in ["sub", "auth_time", "nonce"] {
                let is_due = name == "sub";
                let new = claims.get(name);
                if (is_due || new.is_some()) && new != self.claims.get(name) {
                    let what = "is another than at the login (OpenID Connect Core section 12.2)";
                    return Err(JoseError::claim(name, what).of(ID_TOKEN).into());
                }
            }
        }
        Ok(issued)
    }

    /// What the UserInfo endpoint says about the person.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`]: as [`crate::Provider::userinfo`], or it is about somebody else.
    pub fn userinfo(&self, login: &Login) -> Result<Map<String, Value>, LoginError> {
        let access = self.access_token();
        let client_id = login.source.client_id().as_str();
        let info = login
            .provider
            .userinfo(&login.http, now()?, &access, client_id)?;
        id_token::is_of_subject(info.claims(), &self.claims)
            .map_err(|error| error.of(userinfo::WHAT).without(access.expose()))?;
        Ok(info.claims().clone())
    }

    /// Where the browser is sent to end the session at the provider, too (OpenID Connect RP-Initiated Logout 1.0).
    /// With `back_to`, registered for that, it comes back.
    ///
    /// # Errors
    ///
    /// [`LoginError::NotOffered`].
    pub fn logout_url(
        &self,
        login: &Login,
        back_to: Option<&str>,
    ) -> Result<BrowserUrl, LoginError> {
        let endpoint = login.endpoint("end_session_endpoint")?;
        let state = self.state();
        let mut members = vec![("id_token_hint", state.id_token.as_str())];
        members.extend(back_to.map(|uri| ("post_logout_redirect_uri", uri)));
        Ok(BrowserUrl::new(endpoint, &members))
    }

    /// Ends the session without the person's browser ([`Login::end_session`]).
    ///
    /// # Errors
    ///
    /// [`LoginError::NoRefreshToken`]; as [`Login::end_session`].
    pub fn logout(self, login: &Login) -> Result<(), LoginError> {
        let refresh = self.state().refresh.take();
        login.end_session(&refresh.ok_or(LoginError::NoRefreshToken)?)
    }

    /// Makes the refresh token worthless, or where there is none, the access token ([`Login::revoke`]).
    ///
    /// # Errors
    ///
    /// As [`Login::revoke`].
    pub fn revoke(self, login: &Login) -> Result<(), LoginError> {
        let state = self.state();
        match &state.refresh {
            Some(refresh) => login.revoke(refresh.expose()),
            None => login.revoke(state.access.expose()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing was sent, or the server said that it had not begun.
fn was_not_spent(error: &OidcError) -> bool {
    let OidcError::OAuth(error) = error else {
        return false;
    };
    let last = match error {
        OAuthError::GaveUp { last, .. } => last,
        error => error,
    };
    match last {
        OAuthError::Http(_) | OAuthError::Refused(_) => {
            matches!(last.failed_try(), FailedTry::NotBegun { .. })
        }
        // There was no assertion to send.
        OAuthError::Signer(_) | OAuthError::Core(_) | OAuthError::Audience(_) => true,
        _ => false,
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.claims.keys().collect();
        f.debug_struct("Session")
            .field("claims", &names)
            .finish_non_exhaustive()
    }
}
