//! What node-oidc-provider gives, and what it refuses.

use privyseal::Provider;
use privyseal::keys::key::KeyUnwrapper;
use privyseal::oidc::discovery::ProviderMetadata;
use privyseal::oidc::login::{LoginError, LoginOptions, Prompt};
use privyseal_core::KeyEncryption;
use privyseal_test_pki::test_key;
use privyseal_test_servers::browser::{Place, chromium};
use privyseal_test_servers::relying_party::RelyingParty;
use privyseal_test_suite::software_unwrapper::SoftwareUnwrapper;
use serde_json::{Value, json};

use crate::stage::{CLIENT, FORMS, REDIRECT, Stage, asked, key, opening_key};

#[test]
fn both_clients_say_the_same_about_a_person() {
    let stage = Stage::new();
    let (callback, state) = stage.callback();
    let session = stage.login.finish(&callback, state).unwrap();
    assert_eq!(session.subject(), "alice");
    let userinfo = Value::from(session.userinfo(&stage.login).unwrap());
    assert_eq!(userinfo["email"], "jrr@example.org");

    let setup = json!({
        "issuer": stage.provider.issuer(), "client_id": CLIENT, "kid": "k1",
        "key": key().pkcs8_pem(), "redirect_uri": REDIRECT, "scope": "openid profile email",
    });
    let other = RelyingParty::start(&stage.provider.cacert(), &setup);
    let callback = stage.provider.browser().walk(other.url(), FORMS);
    let said = other.finish(&callback);
    for name in ["iss", "sub", "aud"] {
        assert_eq!(said["id_token"][name], session.claims()[name], "{name}");
    }
    for name in ["sub", "name", "email", "birthdate"] {
        assert_eq!(said["userinfo"][name], userinfo[name], "{name}");
    }
}

/// What is encrypted to this client is opened with the key that it names, from the login to a refresh; without that key it
/// is refused, and so is what is not encrypted where it must be.
#[test]
fn what_the_provider_encrypts() {
    let discovered = |http: &_, issuer: &_| Provider::discover(http, issuer).unwrap();
    let unwrapper = |name| KeyUnwrapper::new(SoftwareUnwrapper::new(&test_key(name, 2048)));
    for way in [("RSA-OAEP", "A128CBC-HS256"), ("RSA-OAEP-256", "A256GCM")] {
        let mut stage = Stage::encrypting(Some(way), discovered);
        let (callback, state) = stage.callback();
        let error = stage.login.finish(&callback, state).unwrap_err();
        assert!(
            error.to_string().contains("id_token is encrypted"),
            "{error}"
        );

        let keys = vec![unwrapper("other"), unwrapper("opening")];
        stage.login.unwrappers = keys;
        stage.login.prepare(true).unwrap();
        let (callback, state) = stage.callback();
        let session = stage.login.finish(&callback, state).unwrap();
        assert_eq!(session.subject(), "alice");
        let userinfo = session.userinfo(&stage.login).unwrap();
        assert_eq!(userinfo["email"], "jrr@example.org");
        session.refresh(&stage.login).unwrap();
        // The hint is what was signed, which the provider can read.
        let url = session.logout_url(&stage.login, None).unwrap();
        let (_, hint) = url.as_str().split_once("id_token_hint=").unwrap();
        assert_eq!(hint.split('.').count(), 3);

        stage.login.unwrappers = vec![unwrapper("other")];
        let (callback, state) = stage.callback();
        let error = stage.login.finish(&callback, state).unwrap_err();
        assert!(error.to_string().contains("cannot be decrypted"), "{error}");
    }
    // What was registered is tried before anybody is asked, and before a refresh token is spent.
    let deaf = SoftwareUnwrapper::new(&opening_key()).taking_the_other_hash();
    let mut stage = Stage::encrypting(Some(("RSA-OAEP", "A256GCM")), discovered);
    stage.login.unwrappers = vec![KeyUnwrapper::new(deaf)];
    for registered in [None, Some(KeyEncryption::RsaOaep256)] {
        stage.login.registered = registered;
        for error in [stage.login.prepare(true), stage.login.prepare_refresh()] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains("does not open what is encrypted"), "{error}");
        }
    }

    let mut stage = Stage::new();
    stage.login.unwrappers = vec![unwrapper("opening")];
    let (callback, state) = stage.callback();
    let error = stage.login.finish(&callback, state).unwrap_err();
    assert!(error.to_string().contains("is not encrypted"), "{error}");
}

/// With the scripts of its pages, in Chromium.
#[test]
fn a_person_logs_in_with_a_real_browser() {
    let stage = Stage::new();
    let asked = asked();
    let (url, state) = stage.login.start(&asked).unwrap();
    let callback = chromium(url.as_str(), REDIRECT, FORMS);
    let session = stage.login.finish(&callback, state).unwrap();
    assert_eq!(session.subject(), "alice");
}

#[test]
fn a_session_from_refresh_to_end() {
    let stage = Stage::new();
    let (callback, state) = stage.callback();
    let session = stage.login.finish(&callback, state).unwrap();
    let first = session.access_token();
    let second = session.refresh(&stage.login).unwrap();
    assert_ne!(first.expose(), second.expose());
    let said = stage.login.introspect(second.expose()).unwrap();
    assert!(said.is_active());
    session.revoke(&stage.login).unwrap();
    assert!(!stage.login.introspect(second.expose()).unwrap().is_active());
    assert!(stage.login.consent_url().is_none());
}

/// It knows no logout but that of a browser.
#[test]
fn a_provider_that_asks_the_person_has_ended_nothing() {
    let stage = Stage::new();
    let (callback, state) = stage.callback();
    let session = stage.login.finish(&callback, state).unwrap();
    let access = session.access_token();
    session.logout(&stage.login).unwrap_err();
    assert!(stage.login.introspect(access.expose()).unwrap().is_active());
}

/// Its metadata fit, and its clock does.
#[test]
fn what_is_found_before_a_login_is_not_found_here() {
    let stage = Stage::new();
    stage.login.prepare(true).unwrap();
}

/// RFC 9207: this provider names itself, so one who does not is another.
#[test]
fn a_mixed_up_issuer() {
    let stage = Stage::new();
    let (callback, state) = stage.callback();
    let issuer = callback.split("iss=").nth(1).unwrap().to_owned();
    let evil = callback.replace(&issuer, "https%3A%2F%2Fevil.example");
    let error = stage.login.finish(&evil, state).unwrap_err().to_string();
    assert!(
        error.contains("iss is https://evil.example, not"),
        "{error}"
    );

    let (callback, state) = stage.callback();
    let silent = callback.replace("iss=", "x=");
    let error = stage.login.finish(&silent, state).unwrap_err().to_string();
    assert!(error.contains("iss is missing"), "{error}");
}

#[test]
fn a_person_who_says_no() {
    let stage = Stage::new();
    let (callback, state) = stage.callback();
    let code = callback
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let no = callback.replace(&format!("code={code}"), "error=access_denied");
    let error = stage.login.finish(&no, state).unwrap_err();
    assert!(matches!(error, LoginError::Oidc(_)), "{error}");
    assert!(error.to_string().contains("said no"), "{error}");
}

/// RFC 9126: the provider has the request before the browser comes, signed or not; what was changed on the way is refused.
#[test]
fn a_pushed_request() {
    let stage = Stage::with(|_, issuer| {
        let said = json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "token_endpoint": format!("{issuer}/token"),
            "authorization_endpoint": format!("{issuer}/auth"), "require_pushed_authorization_requests": true,
            "pushed_authorization_request_endpoint": format!("{issuer}/request"),
        });
        Provider::new(ProviderMetadata::from_bytes(issuer, said.to_string().as_bytes()).unwrap())
    });
    for signed_request in [false, true] {
        let mut asked = asked();
        asked.signed_request = signed_request;
        let (url, state) = stage.login.start(&asked).unwrap();
        assert!(url.expires_at().is_some());
        let (_, query) = url.as_str().split_once('?').unwrap();
        let names: Vec<_> = query.split('&').map(|it| it.split('=').next()).collect();
        assert_eq!(names, [Some("client_id"), Some("request_uri")]);
        let callback = stage.provider.browser().walk(url.as_str(), FORMS);
        let session = stage.login.finish(&callback, state).unwrap();
        assert_eq!(session.subject(), "alice");
    }
    let elsewhere = LoginOptions::new("https://evil.example/cb");
    let error = stage.login.start(&elsewhere).unwrap_err().to_string();
    assert!(error.contains("/request: HTTP 400"), "{error}");
}

/// RFC 9101: all that is asked stands in a request that the client signed; the provider takes it, and no other.
#[test]
fn a_signed_request() {
    let stage = Stage::new();
    let mut asked = asked();
    asked.prompt = Some(Prompt::Consent);
    asked.login_hint = Some("alice \"the\" first".to_owned());
    asked.max_age = Some(3600);
    asked.signed_request = true;
    let (url, state) = stage.login.start(&asked).unwrap();
    assert!(url.expires_at().is_some());
    for name in ["state=", "nonce=", "code_challenge=", "redirect_uri="] {
        assert!(!url.as_str().contains(name), "{name}");
    }
    let callback = stage.provider.browser().walk(url.as_str(), FORMS);
    let session = stage.login.finish(&callback, state).unwrap();
    assert_eq!(session.subject(), "alice");
    assert!(session.claims()["auth_time"].is_u64(), "max_age was heard");

    let (head, signature) = url.as_str().rsplit_once('.').unwrap();
    let changed = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let refusal = match stage.provider.browser().open(&changed) {
        Place::Page(page) => page.html().to_owned(),
        Place::Elsewhere(callback) => callback,
    };
    assert!(refusal.contains("invalid_request_object"), "{refusal}");
    assert!(!refusal.contains("code="), "{refusal}");
}
