//! What can be known before a person is asked anything, and is found then.

use privyseal::base::clock;
use privyseal::http::RetryAfter;
use privyseal::keys::key::KeyUnwrapper;
use privyseal::oauth::AuthenticationOptions;
use privyseal::{AssertionOptions, Error, ErrorKind, UnixTime};
use privyseal_core::KeyEncryption;
use privyseal_core::payload::AcrValues;
use privyseal_test_pki::test_key;
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::software_unwrapper::SoftwareUnwrapper;
use serde_json::{Value, json};

use super::good::jwks;
use super::play::{Flow, Setting, asked, metadata};

/// A token that takes another hash for OAEP than it is asked for, which only a round trip shows: before the QR code.
#[test]
fn a_token_with_the_wrong_hash_is_found_before_anybody_is_asked() {
    let key = test_key("seal", 2048);
    let prepared = |unwrapper: &SoftwareUnwrapper, registered| {
        let server = BadServer::start(vec![jwks()]);
        let setting = Setting {
            unwrappers: vec![KeyUnwrapper::new(unwrapper.clone())],
            registered,
            ..Setting::usual(&server)
        };
        let (outcome, ..) = setting.play(|flow| flow.prepare(&asked(), true));
        let asked = usize::from(outcome.is_ok());
        assert_eq!(server.requests().len(), asked, "the keys at most");
        outcome.map_err(|error| Error::from(error).kind())
    };
    let right = SoftwareUnwrapper::new(&key);
    let wrong = right.clone().taking_the_other_hash();
    for algorithm in KeyEncryption::ALL.map(Some).into_iter().chain([None]) {
        assert_eq!(prepared(&right, algorithm), Ok(Vec::new()), "{algorithm:?}");
        assert_eq!(
            prepared(&wrong, algorithm),
            Err(ErrorKind::Key),
            "{algorithm:?}"
        );
    }
}

/// What is found where the provider says that of itself.
fn prepared(
    name: &str,
    value: Value,
    asked: &AuthenticationOptions,
    unwrappers: Vec<KeyUnwrapper>,
    userinfo: bool,
) -> Result<Vec<KeyEncryption>, Error> {
    let server = BadServer::start(vec![jwks()]);
    let mut said: Value = serde_json::from_str(&metadata(&server.base_url())).unwrap();
    said[name] = value;
    let setting = Setting {
        unwrappers,
        metadata: said.to_string(),
        ..Setting::usual(&server)
    };
    let prepare = |flow: &mut Flow<'_, '_>| flow.prepare(asked, userinfo);
    setting.play(prepare).0.map_err(Error::from)
}

/// What the provider's metadata say by which nothing that would be asked, and no answer to it, could be used.
#[test]
fn a_provider_that_offers_nothing_that_is_used_is_found_before_anybody_is_asked() {
    let encrypted = || {
        vec![KeyUnwrapper::new(SoftwareUnwrapper::new(&test_key(
            "seal", 2048,
        )))]
    };
    let mut pinged = asked();
    pinged.client_notification_token = Some("bearer".to_owned().into());
    let mut advanced = asked();
    advanced.acr_values = Some(AcrValues::Advanced);
    let polled = asked();
    let modes = "backchannel_token_delivery_modes_supported";
    let signing = "backchannel_authentication_request_signing_alg_values_supported";
    for (name, bad, good, asked) in [
        (
            "id_token_signing_alg_values_supported",
            "ES256",
            "RS256",
            &polled,
        ),
        (
            "id_token_encryption_alg_values_supported",
            "RSA1_5",
            "RSA-OAEP",
            &polled,
        ),
        (
            "id_token_encryption_enc_values_supported",
            "XC20P",
            "A256GCM",
            &polled,
        ),
        (
            "userinfo_signing_alg_values_supported",
            "none",
            "RS256",
            &polled,
        ),
        (
            "userinfo_encryption_alg_values_supported",
            "RSA1_5",
            "RSA-OAEP",
            &polled,
        ),
        (
            "userinfo_encryption_enc_values_supported",
            "XC20P",
            "A128CBC-HS256",
            &polled,
        ),
        (
            "token_endpoint_auth_methods_supported",
            "client_secret_basic",
            "private_key_jwt",
            &polled,
        ),
        (
            "token_endpoint_auth_signing_alg_values_supported",
            "PS256",
            "RS256",
            &polled,
        ),
        (
            "grant_types_supported",
            "implicit",
            "urn:openid:params:grant-type:ciba",
            &polled,
        ),
        (signing, "PS256", "RS256", &polled),
        (modes, "ping", "poll", &polled),
        (modes, "poll", "ping", &pinged),
        (
            "acr_values_supported",
            AcrValues::Basic.name(),
            AcrValues::Advanced.name(),
            &advanced,
        ),
    ] {
        let error = prepared(name, json!([bad]), asked, encrypted(), true).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(error.kind(), ErrorKind::Server, "{error}");
        prepared(name, json!([bad, good]), asked, encrypted(), true).unwrap();
        // What is not asked for may be as it likes.
        if name.starts_with("userinfo") {
            prepared(name, json!([bad]), asked, encrypted(), false).unwrap();
            prepared(name, json!([bad]), asked, Vec::new(), true).unwrap();
        }
    }
}

/// What would fail for every person: nobody is shown a QR code for it.
#[test]
fn what_is_asked_is_judged_before_anybody_is_asked() {
    let polled = asked();
    let mut claims = asked();
    claims.id_token_claims = vec!["acr".to_owned()];
    let name = "claims_parameter_supported";
    let error = prepared(name, json!(false), &claims, Vec::new(), true).unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    prepared(name, json!(true), &claims, Vec::new(), true).unwrap();
    prepared(name, json!(false), &polled, Vec::new(), true).unwrap();
    let mut hasty = asked();
    hasty.requested_expiry = Some(0);
    let mut odd = asked();
    odd.scope.push_str(" \"x\"");
    for (asked, words) in [(&hasty, "requested_expiry"), (&odd, "scope")] {
        let error = prepared("x", Value::Null, asked, Vec::new(), true).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    }
    // No address is guessed.
    let name = "userinfo_endpoint";
    let error = prepared(name, Value::Null, &polled, Vec::new(), true).unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    assert_eq!(error.kind(), ErrorKind::Server, "{error}");
    prepared(name, Value::Null, &polled, Vec::new(), false).unwrap();
}

/// By more than anybody forgives: nobody is shown a QR code for nothing.
#[test]
fn a_clock_that_is_wrong_is_found_before_anybody_is_asked() {
    let now = clock::now().unwrap().as_secs();
    for (there, age, backdate, words) in [
        (now, "", 0, None),
        (now + 120, "", 0, Some("s behind that of the provider")),
        (now - 300, "", 0, Some("s ahead of that of the provider")),
        (now - 40, "", 0, None),
        // It is later than that, or it is known.
        (now - 300, "Age: 300\r\n", 0, None),
        (now - 300, "", 250, None),
    ] {
        let date = RetryAfter::Date(UnixTime::from_secs(there).unwrap()).to_string();
        let date = date.strip_prefix("at ").unwrap();
        let Reply::Raw(keys) = jwks() else {
            panic!("it is text")
        };
        let keys = keys.replacen("\r\n", &format!("\r\nDate: {date}\r\n{age}"), 1);
        let server = BadServer::start(vec![Reply::Raw(keys)]);
        let setting = Setting {
            assertion: AssertionOptions::default().backdate(backdate),
            ..Setting::usual(&server)
        };
        let (outcome, ..) = setting.play(|flow| flow.prepare(&asked(), true));
        match (outcome.map_err(Error::from), words) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => {
                assert!(error.to_string().contains(words), "{error}");
                assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
            }
            (outcome, _) => panic!("{there} {now} {age}: {outcome:?}"),
        }
    }
}
