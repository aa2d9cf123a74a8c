//! A session in a browser's login, whose provider misbehaves afterwards: what becomes of its refresh token.

use core::time::Duration;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use privyseal::base::clock;
use privyseal::base::seal::SealKey;
use privyseal::http::RetryPolicy;
use privyseal::oauth::{Assertion, AssertionOptions, AssertionSource, OAuthError};
use privyseal::oidc::discovery::ProviderMetadata;
use privyseal::oidc::login::{LoginError, LoginOptions, Session};
use privyseal::oidc::{OidcError, RelyingParty};
use privyseal::{Provider, SigningClient};
use privyseal_core::kid::Kid;
use privyseal_core::scheme::ITSME;
use privyseal_core::{ClientId, Credential};
use privyseal_test_pki::test_key;
use privyseal_test_servers::bad_server::{BadServer, Reply, Site};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

use crate::ciba::{jwks, jwks_of, signed, signed_by};
use crate::stage::http;

const CLIENT: &str = "partner";

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);

/// Says that it is reached, and waits until it is open.
type Gate = Arc<Mutex<Option<(Sender<()>, Receiver<()>)>>>;

/// A client whose assertions come when the test says so, once it has a gate.
struct Gated {
    client: SigningClient<SoftwareSigner>,
    gate: Gate,
}

impl AssertionSource for Gated {
    fn credential(&self) -> &Credential<Vec<u8>> {
        self.client.credential()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        if let Some((reached, open)) = self.gate.lock().unwrap().take() {
            reached.send(()).unwrap();
            open.recv_timeout(LONG).unwrap();
        }
        self.client.assertion(options)
    }
}

struct Stage {
    server: BadServer,
    login: RelyingParty,
    session: Result<Session, LoginError>,
    gate: Gate,
}

impl Stage {
    /// Somebody has logged in; from then on the server replies so.
    fn new(replies: Vec<Reply>) -> Self {
        Self::with(replies, |claims| signed(&claims))
    }

    /// The same, with an id_token that is made of those claims.
    fn with(replies: Vec<Reply>, id_token: impl FnOnce(Value) -> String) -> Self {
        Self::answering(replies, |claims| tokens("first", Some(&id_token(claims))))
    }

    /// The same, where the code is answered so.
    fn answering(mut replies: Vec<Reply>, answer: impl FnOnce(Value) -> Reply) -> Self {
        let site = Site::new("127.0.0.1");
        let issuer = site.base_url();
        let metadata = json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "token_endpoint": format!("{issuer}/token"),
            "authorization_endpoint": format!("{issuer}/auth"), "end_session_endpoint": format!("{issuer}/end"),
        });
        let metadata = ProviderMetadata::from_bytes(&issuer, metadata.to_string().as_bytes());
        let provider = Arc::new(Provider::new(metadata.unwrap()));
        let (id, kid) = (ClientId::new(CLIENT).unwrap(), Kid::new("k1").unwrap());
        let signer = SoftwareSigner::new(&test_key("seal", 2048));
        let gate = Arc::default();
        let source = Gated {
            client: SigningClient::with_kid(&ITSME, id, kid, signer).unwrap(),
            gate: Arc::clone(&gate),
        };
        let http = http(site.certificate(), LONG);
        let options = AssertionOptions::default().audience(&issuer);
        let login = RelyingParty::new(Arc::new(source), http, provider);
        let mut login = login.assertion(options);
        login.retry = RetryPolicy::NEVER;
        let (url, state) = login
            .start(&LoginOptions::new("https://app.example/cb"))
            .unwrap();
        let parameter = |name: &str| {
            let (_, rest) = url.as_str().split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let now = clock::now().unwrap().as_secs();
        let claims = json!({
            "iss": issuer, "aud": CLIENT, "sub": "alice", "iat": now, "exp": now + 300,
            "nonce": parameter("nonce"),
        });
        replies.splice(..0, [jwks(), answer(claims)]);
        let server = site.open(replies);
        let session = login.finish(&format!("code=c&state={}", parameter("state")), state);
        Self {
            server,
            login,
            session,
            gate,
        }
    }

    fn session(&self) -> &Session {
        self.session.as_ref().unwrap()
    }
}

/// A token response; its refresh token is called like it.
fn tokens(name: &str, id_token: Option<&str>) -> Reply {
    let mut body = json!({
        "access_token": name, "token_type": "Bearer", "expires_in": 300, "refresh_token": format!("r-{name}"),
    });
    if let Some(id_token) = id_token {
        body["id_token"] = id_token.into();
    }
    Reply::json("200 OK", &body.to_string())
}

/// The code is spent, and the provider's new key is not shown yet.
#[test]
fn keys_that_lag_behind_cost_no_login() {
    for behind in [
        jwks(),
        Reply::json("404 No", "{}"),
        Reply::busy("503 Busy", "1"),
    ] {
        let stage = Stage::with(vec![behind, jwks_of("op-2")], |claims| {
            signed_by("op-2", &claims)
        });
        assert_eq!(stage.session().subject(), "alice");
        assert_eq!(stage.server.requests().len(), 4);
    }
}

/// A code is good once, too.
#[test]
fn a_code_whose_fate_is_unknown_is_said_to_be_spent() {
    for (reply, is_unknown) in [
        (Reply::Close, true),
        (Reply::json("500 Broken", "{}"), true),
        (Reply::json("408 Late", "{}"), true),
        (Reply::json("200 OK", "{}"), true),
        (Reply::json("400 No", r#"{"error":"invalid_grant"}"#), false),
        (Reply::busy("429 Busy", "1"), false),
    ] {
        let stage = Stage::answering(Vec::new(), |_| reply.clone());
        let error = stage.session.unwrap_err();
        let says = error.to_string().ends_with("; the code may be spent");
        assert_eq!(says, is_unknown, "{reply:?}: {error}");
    }
}

/// Once tokens came it is spent, whatever becomes of them.
#[test]
fn a_code_for_which_tokens_came_is_said_to_be_spent() {
    let other = |claims: Value| tokens("first", Some(&signed(&json!({"iss": claims["iss"]}))));
    let (none, odd) = (|_| tokens("first", None), |_| tokens("first", Some("a.b")));
    for answer in [&other as &dyn Fn(Value) -> Reply, &none, &odd] {
        let error = Stage::answering(Vec::new(), answer).session.unwrap_err();
        let is_said = matches!(
            error,
            LoginError::Spent {
                is_code: true,
                is_known: true,
                ..
            }
        );
        assert!(
            is_said && error.to_string().ends_with("; the code is spent"),
            "{error}"
        );
    }
}

/// What may be spent is not sent again, and what is not stays good.
#[test]
fn a_refresh_token_whose_fate_is_unknown_is_not_used_again() {
    let no = |error: &str| Reply::json("400 No", &format!(r#"{{"error":"{error}"}}"#));
    for (reply, is_spent, is_good) in [
        (Reply::busy("503 Busy", "1"), true, false),
        (Reply::json("500 Broken", "{}"), true, false),
        (Reply::json("200 OK", "{}"), true, false),
        (Reply::of_type("200 OK", "text/html", "<html>"), true, false),
        (Reply::Close, true, false),
        (no("temporarily_unavailable"), true, false),
        (no("invalid_grant"), false, false),
        (no("invalid_client"), false, true),
        (Reply::busy("429 Busy", "1"), false, true),
    ] {
        let stage = Stage::new(vec![reply.clone()]);
        let session = stage.session();
        let LoginError::Shared(error) = session.refresh(&stage.login).unwrap_err() else {
            panic!("{reply:?}");
        };
        let says = error
            .to_string()
            .ends_with("; the refresh token may be spent");
        assert_eq!(says, is_spent, "{reply:?}: {error}");
        assert_eq!(session.can_refresh(), is_good, "{reply:?}: {error}");
        assert_eq!(session.access_token().expose(), "first");
        assert_eq!(stage.server.requests().len(), 3, "{reply:?}");
    }
}

/// The new tokens are not thrown away because the provider has a new key, too, and does not show it yet.
#[test]
fn a_refresh_whose_id_token_cannot_be_judged_now_keeps_the_tokens() {
    let other = signed_by("op-2", &json!({"sub": "alice"}));
    let broken = Reply::json("500 Broken", "{}");
    let stage = Stage::new(vec![
        tokens("second", Some(&other)),
        broken,
        tokens("third", None),
    ]);
    let session = stage.session();
    let second = session.refresh(&stage.login).unwrap();
    assert_eq!(second.expose(), "second");
    let response: Value = serde_json::from_slice(second.expose_response()).unwrap();
    assert_eq!(response["id_token"], "", "nobody is to believe it");
    assert_eq!(session.refresh(&stage.login).unwrap().expose(), "third");
    let last = stage.server.requests().pop().unwrap();
    assert!(last.contains("refresh_token=r-second"), "{last}");
}

/// Whoever asks meanwhile has the old token, or waits for the new one; the refresh token goes once.
#[test]
fn no_lock_is_held_while_the_provider_is_asked() {
    let stage = Stage::new(vec![tokens("second", None), tokens("third", None)]);
    let session = stage.session();
    let (reached, is_reached) = channel();
    let (open, opened) = channel();
    *stage.gate.lock().unwrap() = Some((reached, opened));
    let key = SealKey::generate().unwrap();
    thread::scope(|scope| {
        let refresh = || session.refresh(&stage.login).unwrap().expose().to_owned();
        let first = scope.spawn(refresh);
        is_reached.recv_timeout(LONG).unwrap();
        assert_eq!(session.access_token().expose(), "first");
        assert!(session.can_refresh(), "it is under way");
        let sealed = session.seal(&key, b"").unwrap();
        assert!(!Session::open(&sealed, &key, b"").unwrap().can_refresh());
        let second = scope.spawn(refresh);
        open.send(()).unwrap();
        assert_eq!(first.join().unwrap(), "second");
        // It waited, or came late and spent the next one.
        assert!(["second", "third"].contains(&&*second.join().unwrap()));
    });
    let asked = stage.server.requests();
    let sent = asked
        .iter()
        .filter(|request| request.contains("refresh_token=r-first"));
    assert_eq!(sent.count(), 1);
}

#[test]
fn a_stored_session_goes_on_elsewhere() {
    let stage = Stage::new(vec![tokens("second", None)]);
    let key = SealKey::generate().unwrap();
    let sealed = stage.session().seal(&key, b"browser").unwrap();
    assert!(!sealed.contains("first"));
    let opened = Session::open(&sealed, &key, b"browser").unwrap();
    assert_eq!(opened.claims(), stage.session().claims());
    assert_eq!(opened.subject(), "alice");
    assert_eq!(opened.access_token().expose(), "first");
    let until = stage.session().expires_at().unwrap();
    assert!(until.as_secs() >= clock::now().unwrap().as_secs() + 200);
    assert_eq!(opened.expires_at(), Some(until));
    assert_eq!(
        opened.logout_url(&stage.login, None).unwrap(),
        stage.session().logout_url(&stage.login, None).unwrap()
    );
    assert_eq!(opened.refresh(&stage.login).unwrap().expose(), "second");
    assert!(opened.expires_at().unwrap() >= until);
    let last = stage.server.requests().pop().unwrap();
    assert!(last.contains("refresh_token=r-first"), "{last}");
    for error in [
        Session::open(&sealed, &key, b"another"),
        Session::open(&sealed, &SealKey::generate().unwrap(), b"browser"),
        Session::open("", &key, b"browser"),
    ] {
        assert!(error.unwrap_err().to_string().contains("cannot be opened"));
    }
    // A login that waits is no session.
    let (_, login) = stage
        .login
        .start(&LoginOptions::new("https://app.example/cb"))
        .unwrap();
    let login = login.seal(&key, b"").unwrap();
    let error = Session::open(&login, &key, b"").unwrap_err();
    assert!(error.to_string().contains("cannot be opened"), "{error}");
}

/// OpenID Connect Core section 12.2: nothing of it is sent to another provider, and nothing of that one is believed.
#[test]
fn a_session_and_a_login_are_for_their_provider_alone() {
    let (stage, other) = (Stage::new(Vec::new()), Stage::new(Vec::new()));
    let key = SealKey::generate().unwrap();
    let sealed = stage.session().seal(&key, b"").unwrap();
    let opened = || Session::open(&sealed, &key, b"").unwrap();
    let (session, login) = (opened(), &other.login);
    let options = LoginOptions::new("https://app.example/cb");
    let (_, begun) = stage.login.start(&options).unwrap();
    for error in [
        match session.refresh(login).unwrap_err() {
            LoginError::Shared(error) => panic!("{error}"),
            error => error,
        },
        session.userinfo(login).unwrap_err(),
        session.logout_url(login, None).unwrap_err(),
        opened().logout(login).unwrap_err(),
        opened().revoke(login).unwrap_err(),
        login.finish("code=c", begun).unwrap_err(),
    ] {
        let is_said = matches!(&error, LoginError::Oidc(OidcError::OtherProvider(_)));
        assert!(is_said, "{error}");
    }
    assert!(session.can_refresh());
    assert_eq!(other.server.requests().len(), 2, "of its own login");
}

/// A page that asks the person whether they want to leave is no end of a session.
#[test]
fn a_page_is_no_logout() {
    let page = Reply::of_type(
        "200 OK",
        "text/html",
        "<html>Do you want to log out?</html>",
    );
    for (reply, words) in [
        (Reply::Raw("HTTP/1.1 204 Gone\r\n\r\n".to_owned()), None),
        (Reply::of_type("200 OK", "text/html", ""), None),
        (Reply::json("200 OK", "{}"), None),
        (page, Some("the session may go on")),
        (
            Reply::json("200 OK", r#"{"status":"confirmation_required"}"#),
            Some("the session may go on"),
        ),
        (
            Reply::json("400 No", r#"{"error":"invalid_grant"}"#),
            Some("the refresh token has expired"),
        ),
    ] {
        let stage = Stage::new(vec![reply.clone()]);
        let error = stage.session.unwrap().logout(&stage.login).err();
        let error = error.map(|error| error.to_string());
        match (&error, words) {
            (None, None) => {}
            (Some(error), Some(words)) => assert!(error.contains(words), "{error}"),
            _ => panic!("{reply:?}: {error:?}"),
        }
    }
}

#[test]
fn an_id_token_that_is_encrypted_is_called_so() {
    let stage = Stage::with(Vec::new(), |_| "a.b.c.d.e".to_owned());
    let error = stage.session.unwrap_err().to_string();
    assert!(error.contains("the id_token is encrypted"), "{error}");
}
