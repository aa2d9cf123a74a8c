//! A person logs in at Keycloak's own pages, as eHealth has it (section 5.3.1).

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;

use privyseal::Error;
use privyseal::base::seal::SealKey;
use privyseal::oauth::Diagnosis;
use privyseal::oidc;
use privyseal::oidc::login::{LoginError, LoginOptions, LoginState, Prompt, Session};
use privyseal::oidc::rotation::{CACHE, Rotation};
use privyseal_test_pki::test_key;
use privyseal_test_servers::browser::{Browser, Place, chromium};
use privyseal_test_servers::keycloak::JwksServer;
use privyseal_test_servers::relying_party::RelyingParty;
use privyseal_test_suite::flow::{self, Outcome};
use serde_json::{Value, json};

use crate::stage::{Stage, client, client_key, jwk_set};

const CLIENT: &str = "hospital";
const REDIRECT: &str = "https://app.example/cb";
const LOGIN: &[(&str, &str)] = &[("username", "alice"), ("password", "for-tests-only")];

/// A realm with a person in it, and eHealth's rules for refresh tokens.
fn realm(name: &str) -> Stage {
    let rules = json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": 0});
    let stage = Stage::new(name, &rules);
    let person = json!({
        "username": "alice", "enabled": true, "email": "alice@example.org", "emailVerified": true,
        "firstName": "Alice", "lastName": "Example",
        "credentials": [{"type": "password", "value": "for-tests-only", "temporary": false}],
    });
    stage
        .keycloak
        .admin("POST", &format!("/{name}/users"), &person);
    stage
}

/// A client that may send persons there, and must use PKCE.
fn register(stage: &Stage, jwks: &str, more: &Value) {
    let mut client = json!({
        "standardFlowEnabled": true,
        "redirectUris": [REDIRECT, "http://127.0.0.1/*"],
        "attributes": {
            "use.jwks.url": "true", "jwks.url": JwksServer::start(jwks).url(),
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": REDIRECT,
        },
    });
    for (name, value) in more.as_object().unwrap() {
        match (client[name].as_object_mut(), value.as_object()) {
            (Some(known), Some(more)) => known.extend(more.clone()),
            _ => client[name] = value.clone(),
        }
    }
    stage
        .keycloak
        .create_client_with(&stage.realm, CLIENT, &client);
}

/// The library's client, registered there.
fn registered(name: &str, more: &Value) -> (Stage, oidc::RelyingParty) {
    let stage = realm(name);
    let key = client_key();
    register(&stage, &jwk_set(&[("2026-1", &key)]), more);
    let source = Arc::new(client(CLIENT, "2026-1", &key));
    let provider = Arc::new(stage.provider());
    let login =
        oidc::RelyingParty::new(source, stage.http.clone(), provider).assertion(stage.options());
    (stage, login)
}

fn asked() -> LoginOptions {
    let mut asked = LoginOptions::new(REDIRECT);
    "openid profile email".clone_into(&mut asked.scope);
    asked
}

/// What the browser of who logs in comes back with.
fn callback(stage: &Stage, login: &oidc::RelyingParty) -> (Browser, String, LoginState) {
    let (url, state) = login.start(&asked()).unwrap();
    let mut browser = stage.keycloak.browser();
    let callback = browser.walk(url.as_str(), &[LOGIN]);
    assert!(callback.starts_with(REDIRECT), "{callback}");
    (browser, callback, state)
}

fn session(stage: &Stage, login: &oidc::RelyingParty) -> (Browser, Session) {
    let (browser, callback, state) = callback(stage, login);
    (browser, login.finish(&callback, state).unwrap())
}

/// The code in the error of a refusal.
#[track_caller]
fn refused(error: LoginError, code: &str) {
    let error = Error::from(error);
    let found = error.refusal().and_then(|refusal| refusal.code());
    assert_eq!(found, Some(code), "{error}");
}

/// Without what differs from login to login.
fn lasting(claims: &Value) -> Value {
    let mut claims = claims.clone();
    for name in ["exp", "iat", "jti", "at_hash", "nonce", "sid", "auth_time"] {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

#[test]
fn both_clients_say_the_same_about_a_person() {
    let (stage, login) = registered("login", &json!({}));
    let (_, session) = session(&stage, &login);
    let claims = Value::from(session.claims().clone());
    assert_eq!(claims["preferred_username"], "alice");
    assert_eq!(claims["email"], "alice@example.org");
    assert!(claims["at_hash"].is_string());
    let userinfo = Value::from(session.userinfo(&login).unwrap());

    let setup = json!({
        "issuer": stage.issuer(), "client_id": CLIENT, "kid": "2026-1",
        "key": client_key().pkcs8_pem(), "redirect_uri": REDIRECT, "scope": "openid profile email",
    });
    let other = RelyingParty::start(&stage.keycloak.ca_file(), &setup);
    let callback = stage.keycloak.browser().walk(other.url(), &[LOGIN]);
    let said = other.finish(&callback);
    assert_eq!(lasting(&said["id_token"]), lasting(&claims));
    assert_eq!(said["userinfo"], userinfo);
}

/// With the scripts of its pages, in Chromium.
#[test]
fn a_person_logs_in_with_a_real_browser() {
    let (_stage, login) = registered("login-browser", &json!({}));
    let (url, state) = login.start(&asked()).unwrap();
    let callback = chromium(url.as_str(), REDIRECT, &[LOGIN]);
    let session = login.finish(&callback, state).unwrap();
    assert_eq!(session.claims()["preferred_username"], "alice");
}

#[test]
fn a_stored_login_is_finished_by_another_process() {
    let (stage, login) = registered("login-stored", &json!({}));
    let (_, callback, state) = callback(&stage, &login);
    let key = SealKey::generate().unwrap();
    let cookie = state.seal(&key, b"").unwrap();
    let open = || LoginState::open(&cookie, &key, b"").unwrap();
    let session = login.finish(&callback, open()).unwrap();
    assert!(session.subject().len() > 10);
    // The code is good once, whoever has the cookie too.
    let error = login.finish(&callback, open()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("does not accept the code"), "{text}");
    refused(error, "invalid_grant");
}

/// Keycloak judges each: a code of another login, and one whose PKCE does not fit.
#[test]
fn a_code_of_another_login_is_good_for_nothing() {
    let (stage, login) = registered("login-stolen", &json!({}));
    let (_, stolen, _) = callback(&stage, &login);
    let (_, own, state) = callback(&stage, &login);
    let error = login.finish(&stolen, state).unwrap_err();
    assert!(error.to_string().contains("state is not"), "{error}");

    let (url, state) = login.start(&asked()).unwrap();
    let own_state = parameter(url.as_str(), "state");
    let code = parameter(&own, "code");
    let injected = format!("code={code}&state={own_state}&iss={}", stage.issuer());
    refused(login.finish(&injected, state).unwrap_err(), "invalid_grant");

    // Without a challenge Keycloak would not even ask the person.
    let (url, state) = login.start(&asked()).unwrap();
    let plain = url
        .as_str()
        .replace("code_challenge_method=S256", "code_challenge_method=plain");
    let callback = stage.keycloak.browser().walk(&plain, &[]);
    let error = login.finish(&callback, state).unwrap_err();
    assert!(error.to_string().contains("invalid_request"), "{error}");
}

fn parameter(url: &str, name: &str) -> String {
    let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
    rest.split('&').next().unwrap().to_owned()
}

#[test]
fn a_refresh_token_is_spent_once_however_many_threads_ask() {
    let (stage, login) = registered("login-refresh", &json!({}));
    let (_, session) = session(&stage, &login);
    let first = session.access_token().expose().to_owned();
    let begin = Barrier::new(8);
    let tokens: Vec<String> = thread::scope(|scope| {
        let refresh = || {
            scope.spawn(|| {
                begin.wait();
                session.refresh(&login).unwrap().expose().to_owned()
            })
        };
        let threads: Vec<_> = (0..8).map(|_| refresh()).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(tokens.iter().all(|token| *token != first));
    // A second use would have ended the session.
    assert!(session.can_refresh());
    let again = session.refresh(&login).unwrap();
    assert!(login.introspect(again.expose()).unwrap().is_active());
    session.userinfo(&login).unwrap();
}

#[test]
fn a_realm_that_takes_signed_requests_only() {
    let must =
        json!({"request.object.required": "request only", "request.object.signature.alg": "RS256"});
    let (stage, login) = registered("login-signed", &json!({ "attributes": must }));
    let mut signed = asked();
    signed.signed_request = true;
    let (url, state) = login.start(&signed).unwrap();
    let callback = stage.keycloak.browser().walk(url.as_str(), &[LOGIN]);
    let session = login.finish(&callback, state).unwrap();
    assert_eq!(session.claims()["preferred_username"], "alice");

    let (plain, state) = login.start(&asked()).unwrap();
    match stage.keycloak.browser().open(plain.as_str()) {
        Place::Page(page) => assert!(page.html().contains("nvalid"), "{}", page.html()),
        Place::Elsewhere(callback) => {
            let error = login.finish(&callback, state).unwrap_err();
            assert!(error.to_string().contains("invalid_request"), "{error}");
        }
    }
}

/// The plan for a new signing key, played at a realm that keeps the keys that it has read.
#[test]
fn a_signing_key_is_replaced_without_a_failed_login() {
    let stage = realm("login-rotation");
    let (old, new) = (client_key(), test_key("keycloak-client-2", 2048));
    let sets = [jwk_set(&[("2026-1", &old)]), jwk_set(&[("2026-2", &new)])];
    let jwks = JwksServer::start(&sets[0]);
    register(
        &stage,
        &sets[0],
        &json!({"attributes": {"jwks.url": jwks.url()}}),
    );
    let provider = Arc::new(stage.provider());
    let begin = privyseal::base::clock::now().unwrap();
    let plan = Rotation::plan(sets[0].as_bytes(), sets[1].as_bytes(), begin, CACHE).unwrap();
    for step in plan.steps() {
        jwks.publish(&step.publish.to_string());
        // With what the realm has read, and with what it reads when that is old.
        for is_old in [false, true] {
            if is_old {
                let path = format!("/{}/clear-keys-cache", stage.realm);
                stage.keycloak.admin("POST", &path, &json!({}));
            }
            let kid = step.sign_with[0].as_str();
            let key = if kid == "2026-1" { &old } else { &new };
            let source = Arc::new(client(CLIENT, kid, key));
            let login = oidc::RelyingParty::new(source, stage.http.clone(), Arc::clone(&provider));
            session(&stage, &login.assertion(stage.options()));
        }
    }
}

#[test]
fn what_ends_a_session() {
    let (stage, login) = registered("login-end", &json!({}));
    let active = |token: &str| login.introspect(token).unwrap().is_active();

    // Directly.
    let (_, one) = session(&stage, &login);
    let access = one.access_token();
    assert!(active(access.expose()));
    one.logout(&login).unwrap();
    assert!(!active(access.expose()));

    // By the browser, which comes back.
    let (mut browser, two) = session(&stage, &login);
    let url = two.logout_url(&login, Some(REDIRECT)).unwrap();
    let Place::Elsewhere(back) = browser.open(url.as_str()) else {
        panic!("a question");
    };
    assert!(back.starts_with(REDIRECT), "{back}");
    assert!(!active(two.access_token().expose()));
    let error = two.refresh(&login).unwrap_err();
    assert!(
        error.to_string().contains("has expired, was revoked"),
        "{error}"
    );
    assert!(matches!(
        two.refresh(&login),
        Err(LoginError::NoRefreshToken)
    ));

    // By its refresh token's end; one more time is no error.
    let (_, three) = session(&stage, &login);
    let access = three.access_token();
    three.revoke(&login).unwrap();
    assert!(!active(access.expose()));
    login.revoke(access.expose()).unwrap();
}

#[test]
fn a_person_who_allows_or_not() {
    let (stage, login) = registered("login-consent", &json!({"consentRequired": true}));
    let (url, state) = login.start(&asked()).unwrap();
    let mut browser = stage.keycloak.browser();
    let no = browser.walk(url.as_str(), &[LOGIN, &[("cancel", "No")]]);
    let error = Error::from(login.finish(&no, state).unwrap_err());
    assert_eq!(error.refusal().unwrap().code(), Some("access_denied"));

    let (url, state) = login.start(&asked()).unwrap();
    let mut browser = stage.keycloak.browser();
    let yes = browser.walk(url.as_str(), &[LOGIN, &[("accept", "Yes")]]);
    login.finish(&yes, state).unwrap();
    // Where they take it back.
    let account = login.consent_url().unwrap();
    assert_eq!(account, format!("{}/account", stage.issuer()));
    assert!(matches!(
        browser.open(&format!("{account}/")),
        Place::Page(_)
    ));
}

#[test]
fn nothing_is_shown_where_nothing_shall_be() {
    let (stage, login) = registered("login-silent", &json!({}));
    let mut silent = asked();
    silent.prompt = Some(Prompt::None);
    let (url, state) = login.start(&silent).unwrap();
    let callback = stage.keycloak.browser().walk(url.as_str(), &[]);
    let error = Error::from(login.finish(&callback, state).unwrap_err());
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.diagnosis(), Diagnosis::LoginRequired, "{refusal}");

    // Who is logged in comes back at once; and again with a login, which auth_time tells.
    let (mut browser, _) = session(&stage, &login);
    let (url, state) = login.start(&silent).unwrap();
    login
        .finish(&browser.walk(url.as_str(), &[]), state)
        .unwrap();
    let mut fresh = asked();
    fresh.prompt = Some(Prompt::Login);
    fresh.max_age = Some(60);
    let (url, state) = login.start(&fresh).unwrap();
    let session = login
        .finish(&browser.walk(url.as_str(), &[LOGIN]), state)
        .unwrap();
    assert!(session.claims()["auth_time"].is_u64());
}

/// The command, with a key in a SoftHSM token.
#[test]
fn by_command() {
    let stage = realm("login-command");
    let client = flow::Client::new();
    let set = client.run(&["jwks"], &[]).json().to_string();
    register(&stage, &set, &json!({}));
    let cacert = stage.keycloak.ca_file();
    let base_url = stage.keycloak.base_url();
    let run = |words: &[&str]| {
        let common = [
            "--scheme",
            "ehealth",
            "--client-id",
            CLIENT,
            "--realm",
            &stage.realm,
        ];
        let words = [words, &common, &["--base-url", &base_url]].concat();
        let mut command = client.command(&words);
        command.arg("--cacert").arg(&cacert);
        command
    };

    let words = [
        "login",
        "--scope",
        "profile email",
        "--userinfo",
        "--show-tokens",
    ];
    let report = log_in(&stage, run(&words));
    assert_eq!(report["id_token"]["preferred_username"], "alice");
    assert_eq!(report["userinfo"]["email"], "alice@example.org");
    let token = |report: &Value, name: &str| client.file(name, report[name].as_str().unwrap());

    let file = token(&report["tokens"], "refresh_token");
    let file = file.to_str().unwrap();
    let renewed = Outcome::of(&mut run(&["refresh", "--refresh-token-file", file])).json();
    assert_eq!(renewed["token_type"], "Bearer");
    let spent = Outcome::of(&mut run(&["refresh", "--refresh-token-file", file]));
    spent.failed(
        1,
        "the refresh token has expired, was revoked, or was used before",
    );
    assert!(!spent.stderr.contains("eyJ"), "{}", spent.stderr);

    // That was taken for theft, and ended the session.
    let access = token(&renewed, "access_token");
    let introspect = ["introspect", access.to_str().unwrap()];
    assert_eq!(Outcome::of(&mut run(&introspect)).json()["active"], false);
    let revoke = ["revoke", access.to_str().unwrap()];
    assert_eq!(Outcome::of(&mut run(&revoke)).code, Some(0));
    let none = client.file("none", "\n");
    for words in ["revoke", "introspect"] {
        let said = Outcome::of(&mut run(&[words, none.to_str().unwrap()]));
        said.failed(2, "is no token: one line of visible characters");
    }
    let late = Outcome::of(&mut run(&["login", "--wait", "1"]));
    late.failed(1, "nobody came back from the login within 1 s");
    let other = Outcome::of(&mut run(&[
        "logout",
        "--refresh-token-file",
        access.to_str().unwrap(),
    ]));
    assert_eq!(other.code, Some(1), "{}", other.stderr);

    // Under a scheme of one's own, at the issuer.
    let issuer = stage.issuer();
    let text = format!(
        "[scheme.plain]\nkey = \"kid\"\naudience = \"{issuer}\"\nlifetime = 60\n\
         [scheme.plain.token-request]\npath = \"/protocol/openid-connect/token\"\nbase-url = \"{issuer}\"\n"
    );
    let scheme = client.file("plain.toml", text);
    let scheme = ["--scheme", scheme.to_str().unwrap()];
    let words = ["login", "--client-id", CLIENT, "--signed-request"];
    let mut command = client.command(&[&words[..], &scheme].concat());
    command.arg("--cacert").arg(&cacert);
    let report = log_in(&stage, command);
    assert_eq!(report["id_token"]["preferred_username"], "alice");
}

/// What a login says that a person ends well.
fn log_in(stage: &Stage, mut command: Command) -> Value {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = said.find_map(|line| line.ok().filter(|line| line.starts_with("https://")));
    let callback = stage.keycloak.browser().walk(&url.unwrap(), &[LOGIN]);
    let page = get(&callback);
    assert!(page.contains("You can close this page"), "{page}");
    let mut report = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut report).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{:?}", said.last());
    serde_json::from_str(&report).unwrap()
}

fn get(url: &str) -> String {
    use std::io::Write as _;
    let rest = url.strip_prefix("http://").unwrap();
    let (address, target) = rest.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET /{target} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}
