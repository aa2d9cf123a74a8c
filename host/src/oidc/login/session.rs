//! A person who is logged in.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use privyseal_core::UnixTime;
use privyseal_hsm::lock;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{BrowserUrl, ID_TOKEN, Issued, LoginError};
use crate::base::seal::SealKey;
use crate::base::{clock, events};
use crate::jose::JoseError;
use crate::oauth::{AccessToken, Diagnosis, OAuthError, RefreshToken, RequestKind, stored_token};
use crate::oidc::id_token::AskedAcr;
use crate::oidc::{OidcError, RelyingParty};

/// What a sealed one is for.
const PURPOSE: &str = "privyseal session 2";

/// Who is logged in, and their tokens, which go to the provider of the login only ([`OidcError::OtherProvider`]). Threads
/// may share it; only a refresh waits for another one. `Debug` shows none of it.
pub struct Session {
    claims: Map<String, Value>,
    state: Mutex<State>,
    /// Whose turn it is to refresh.
    turn: Mutex<()>,
    /// How many refreshes have ended.
    ended: AtomicUsize,
}

/// What a refresh changes, in the shape in which it is sealed.
#[derive(Serialize, Deserialize)]
struct State {
    /// As it was signed.
    id_token: Zeroizing<String>,
    #[serde(with = "stored_token")]
    access: Arc<AccessToken>,
    /// In seconds since 1970.
    expires_at: Option<u64>,
    /// Not while it is under way.
    refresh: Option<Zeroizing<String>>,
    /// How the last one failed, for the threads that waited for it.
    #[serde(skip)]
    failure: Option<Arc<LoginError>>,
}

impl Session {
    pub(super) fn new(
        mut access: AccessToken,
        id_token: Zeroizing<String>,
        claims: Map<String, Value>,
        asked_at: UnixTime,
    ) -> Self {
        let state = State {
            id_token,
            refresh: taken(&mut access),
            expires_at: expiry(&access, asked_at),
            access: Arc::new(access),
            failure: None,
        };
        Self::of(claims, state)
    }

    const fn of(claims: Map<String, Value>, state: State) -> Self {
        Self {
            claims,
            state: Mutex::new(state),
            turn: Mutex::new(()),
            ended: AtomicUsize::new(0),
        }
    }

    /// Encrypted, for a database: another process can go on with it. `binding` is what else must be the same when it is
    /// opened, such as the name of the browser's session. While a refresh is under way its refresh token is left out,
    /// for it is good once; so of several processes that open one, one refreshes.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`] if there is no randomness.
    pub fn seal(&self, key: &SealKey, binding: &[u8]) -> Result<String, LoginError> {
        Ok(key.seal(PURPOSE, binding, &(&self.claims, &*self.state()))?)
    }

    /// Opens what [`Session::seal`] made.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`] around [`BaseError::Sealed`](crate::base::BaseError::Sealed).
    pub fn open(sealed: &str, key: &SealKey, binding: &[u8]) -> Result<Self, LoginError> {
        let (claims, state) = key.open(PURPOSE, binding, sealed)?;
        Ok(Self::of(claims, state))
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

    /// When that one expires, where the provider says so.
    pub fn expires_at(&self) -> Option<UnixTime> {
        UnixTime::from_secs(self.state().expires_at?).ok()
    }

    /// Whether there is a refresh token, or a refresh is under way whose outcome can be waited for.
    pub fn can_refresh(&self) -> bool {
        let is_under_way = matches!(self.turn.try_lock(), Err(TryLockError::WouldBlock));
        is_under_way || self.state().refresh.is_some()
    }

    /// A new access token for the refresh token, which is good once: threads that want one while a request is under
    /// way get what comes of it. Where nobody knows whether it was spent, it is not used again.
    ///
    /// # Errors
    ///
    /// [`LoginError::NoRefreshToken`]; [`LoginError::Shared`] around how the request of this thread or another one
    /// failed ([`RelyingParty::renew`]), or the response is about somebody else.
    pub fn refresh(&self, login: &RelyingParty) -> Result<Arc<AccessToken>, LoginError> {
        let asked_at = clock::now()?;
        let ended = self.ended.load(Ordering::SeqCst);
        let _turn = lock(&self.turn);
        if self.ended.load(Ordering::SeqCst) != ended {
            return self.state().outcome();
        }
        let refresh = self.state_at(login)?.refresh.take();
        let refresh = refresh.ok_or(LoginError::NoRefreshToken)?;
        let outcome = self.renewed(login, &RefreshToken::new(&*refresh));
        let mut state = self.state();
        state.take(outcome, refresh, asked_at);
        self.ended.fetch_add(1, Ordering::SeqCst);
        state.outcome()
    }

    /// OpenID Connect Core section 12.2: a new id_token is of the same person and the same login.
    fn renewed(&self, login: &RelyingParty, refresh: &RefreshToken) -> Result<Issued, LoginError> {
        let mut issued = login.renewed(refresh, |_| {})?;
        if let Some(error) = &issued.id_token_error {
            events::warn!(%error, "the id_token that came is left out: it cannot be judged now");
            issued.access.forget_id_token();
        }
        if let Some((_, claims)) = &issued.id_token {
            for name in ["sub", "auth_time", "nonce"] {
                let new = claims.get(name);
                if (name == "sub" || new.is_some()) && new != self.claims.get(name) {
                    let what = "is another than at the login (OpenID Connect Core section 12.2)";
                    let error = JoseError::claim(name, what).of(ID_TOKEN);
                    return Err(LoginError::spent(RequestKind::Refresh, true, error));
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
    pub fn userinfo(&self, login: &RelyingParty) -> Result<Map<String, Value>, LoginError> {
        let access = Arc::clone(&self.state_at(login)?.access);
        let (id_token, acr) = (Some(&self.claims), AskedAcr::default());
        Ok(login.userinfo_of(&mut login.http.runtime(), &access, id_token, acr, true)?)
    }

    /// Where the browser is sent to end the session at the provider, too (OpenID Connect RP-Initiated Logout 1.0).
    /// With `back_to`, registered for that, it comes back.
    ///
    /// # Errors
    ///
    /// [`LoginError::Oidc`] if the provider offers none, or one that cannot be used.
    pub fn logout_url(
        &self,
        login: &RelyingParty,
        back_to: Option<&str>,
    ) -> Result<BrowserUrl, LoginError> {
        let endpoint = login.endpoint("end_session_endpoint")?;
        let state = self.state_at(login)?;
        let mut members = vec![("id_token_hint", state.id_token.as_str())];
        members.extend(back_to.map(|uri| ("post_logout_redirect_uri", uri)));
        BrowserUrl::new(endpoint, &members)
    }

    /// Ends the session without the person's browser ([`RelyingParty::end_session`]).
    ///
    /// # Errors
    ///
    /// [`LoginError::NoRefreshToken`]; as [`RelyingParty::end_session`].
    pub fn logout(self, login: &RelyingParty) -> Result<(), LoginError> {
        let refresh = self.state_at(login)?.refresh.take();
        let refresh = refresh.ok_or(LoginError::NoRefreshToken)?;
        login.end_session(&RefreshToken::new(&*refresh))
    }

    /// Makes the refresh token worthless, or where there is none, the access token ([`RelyingParty::revoke`]).
    ///
    /// # Errors
    ///
    /// As [`RelyingParty::revoke`].
    pub fn revoke(self, login: &RelyingParty) -> Result<(), LoginError> {
        let state = self.state_at(login)?;
        match &state.refresh {
            Some(refresh) => login.revoke(refresh),
            None => login.revoke(state.access.expose()),
        }
    }

    /// What is for the provider of the login alone.
    fn state_at(&self, login: &RelyingParty) -> Result<MutexGuard<'_, State>, LoginError> {
        login.judge_provider(self.claims.get("iss").and_then(Value::as_str))?;
        Ok(self.state())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Takes what came for a refresh token.
    fn take(
        &mut self,
        outcome: Result<Issued, LoginError>,
        refresh: Zeroizing<String>,
        asked_at: UnixTime,
    ) {
        match outcome {
            Ok(Issued {
                mut access,
                id_token,
                ..
            }) => {
                // RFC 6749 section 6: without a new one the old one goes on.
                self.refresh = Some(taken(&mut access).unwrap_or(refresh));
                self.expires_at = expiry(&access, asked_at);
                self.access = Arc::new(access);
                self.failure = None;
                if let Some((id_token, _)) = id_token {
                    self.id_token = id_token;
                }
            }
            Err(error) => {
                if !is_worthless(&error) {
                    self.refresh = Some(refresh);
                }
                self.failure = Some(Arc::new(error));
            }
        }
    }

    /// Of the last refresh.
    fn outcome(&self) -> Result<Arc<AccessToken>, LoginError> {
        match &self.failure {
            Some(error) => Err(LoginError::Shared(Arc::clone(error))),
            None => Ok(Arc::clone(&self.access)),
        }
    }
}

fn expiry(access: &AccessToken, asked_at: UnixTime) -> Option<u64> {
    let seconds = access.expires_in();
    seconds.map(|seconds| asked_at.saturating_add(seconds).as_secs())
}

fn taken(access: &mut AccessToken) -> Option<Zeroizing<String>> {
    let refresh = access.take_refresh_token();
    refresh.map(|token| Zeroizing::new(token.expose().to_owned()))
}

/// Whether a refresh token is spent, or may be, or the provider says that it is good for nothing.
fn is_worthless(error: &LoginError) -> bool {
    match error {
        LoginError::Spent { .. } => true,
        LoginError::Oidc(OidcError::OAuth(OAuthError::Refused(refusal))) => {
            refusal.diagnosis() == Diagnosis::InvalidRefreshToken
        }
        _ => false,
    }
}

privyseal_core::opaque_debug! { [] Session as it: claims = it.claims.len(); }
