//! Tokens that are kept, and refresh tokens, which Keycloak gives to clients that may have them.

use core::time::Duration;
use std::cell::Cell;
use std::rc::Rc;

use privyseal::base::BaseError;
use privyseal::base::runtime::Runtime;
use privyseal::{AssertionSource as _, Error, TokenSource, UnixTime, base::clock};
use serde_json::json;

use crate::stage::Stage;

/// The clock here, moved by hand; nothing waits.
#[derive(Clone, Default)]
struct Moved(Rc<Cell<u64>>);

impl Runtime for Moved {
    fn now(&mut self) -> Result<UnixTime, BaseError> {
        Ok(clock::now()?.saturating_add(self.0.get()))
    }

    fn elapsed(&mut self) -> Duration {
        Duration::ZERO
    }

    fn pause(&mut self, _: Duration) {}

    fn random(&mut self) -> Result<u64, BaseError> {
        Ok(0)
    }
}

/// Refresh tokens of Keycloak, as eHealth has them: good once.
fn realm() -> serde_json::Value {
    json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": 0, "accessTokenLifespan": 10})
}

#[test]
fn a_refresh_token_is_good_once() {
    let stage = Stage::new("refresh", &realm());
    let client = stage.client(
        "refresher",
        &json!({"client_credentials.use_refresh_token": "true"}),
    );
    let (http, base, options) = (&stage.http, stage.base(), stage.options());
    let mut first = client.access_token(http, &base, &options).unwrap();
    let refresh = first.take_refresh_token().expect("a refresh token");
    assert!(refresh.expires_in().is_some());
    let mut second = client
        .refreshed_token(http, &base, &options, &refresh)
        .unwrap();
    assert_ne!(first.expose(), second.expose());
    assert!(second.take_refresh_token().is_some(), "a new one each time");
    let error = client
        .refreshed_token(http, &base, &options, &refresh)
        .map_err(Error::from)
        .unwrap_err();
    assert!(
        error
            .refusal()
            .is_some_and(|refusal| refusal.code() == Some("invalid_grant")),
        "{error}"
    );
    assert!(!error.to_string().contains(refresh.expose()), "{error}");
}

#[test]
fn a_source_keeps_its_token_then_refreshes_it_then_starts_anew() {
    let stage = Stage::new("source", &realm());
    let client = stage.client(
        "keeper",
        &json!({"client_credentials.use_refresh_token": "true"}),
    );
    let clock = Moved::default();
    let source = TokenSource::with_runtime(
        stage.http.clone(),
        stage.base(),
        stage.options(),
        clock.clone(),
    );
    let first = source.token(&client).unwrap().expose().to_owned();
    assert_eq!(source.token(&client).unwrap().expose(), first, "kept");

    // Shortly before its expiry. The assertion is some seconds ahead of Keycloak then, which it bears.
    clock.0.set(9);
    let second = source.token(&client).unwrap().expose().to_owned();
    assert_ne!(second, first);
    assert_eq!(
        session(&second),
        session(&first),
        "the refresh token was used"
    );

    clock.0.set(0);
    source.forget();
    let third = source.token(&client).unwrap().expose().to_owned();
    assert_ne!(session(&third), session(&first), "an assertion alone");

    // Its session ended: the refresh token is refused, and an assertion alone does it.
    let path = format!("/{}/sessions/{}", stage.realm, session(&third));
    stage.keycloak.admin("DELETE", &path, &json!(null));
    clock.0.set(9);
    let fourth = source.token(&client).unwrap().expose().to_owned();
    assert_ne!(session(&fourth), session(&third));
}

fn session(token: &str) -> String {
    let claims = privyseal_test_judges::decode::Parts::of(token).claims();
    claims["sid"].as_str().expect("sid").to_owned()
}
