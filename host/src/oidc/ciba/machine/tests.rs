use super::*;
use crate::base::seal::SealKey;
use crate::oauth::{self, RequestKind};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn asked(person: &str) -> AuthenticationOptions {
    AuthenticationOptions {
        scope: "openid service:TEST".to_owned(),
        user_identifier_token: person.to_owned().into(),
        ..AuthenticationOptions::default()
    }
}

/// What a server says, as it comes back.
fn said(status: u16, body: &str) -> CibaEvent<'static> {
    let response = Response {
        status,
        retry_after: None,
        location: None,
        media_type: None,
        challenge: None,
        max_age: None,
        date: None,
        body: Zeroizing::new(body.as_bytes().to_vec()),
    };
    let url: Url = "https://idp.example/x".parse().unwrap();
    let response = oauth::success(&url, RequestKind::CibaTokens, response, None);
    CibaEvent::Response(CibaResponse {
        outcome: match response {
            Ok(response) => Ok(Answer::Said(url, Box::new(response))),
            Err(error) => Err(error.into()),
        },
        issuer: "https://idp.example".to_owned(),
        came_at: UnixTime::from_secs(1_800_000_000).unwrap(),
        random: 0,
    })
}

#[track_caller]
fn sends(step: &CibaStep, what: &str) {
    let CibaStep::Send(request) = step else {
        panic!("{step:?}");
    };
    let due = match &request.0.stage {
        Stage::Discovery(_) => "user discovery",
        Stage::Authentication => "authentication",
        Stage::Tokens { .. } => "tokens",
        Stage::Claims { .. } => "claims",
        Stage::Over => "nothing",
    };
    assert_eq!(due, what);
}

#[track_caller]
fn waits(step: &CibaStep, until: Duration) {
    assert!(
        matches!(step, CibaStep::Wait(found) if *found == until),
        "{step:?}"
    );
}

const PENDING: &str = r#"{"error":"authorization_pending"}"#;
const ASKED: &str = r#"{"auth_req_id":"a1","expires_in":120,"interval":2}"#;
const TOKENS: &str = r#"{"access_token":"t","token_type":"Bearer","id_token":"x.y.z"}"#;

#[test]
fn from_the_code_to_the_tokens() {
    let mut flow = CibaFlow::begin(&asked(""));
    sends(&flow.step(s(0), CibaEvent::Tick), "user discovery");
    let session =
        r#"{"user_discovery_session_id":"s","status":"PENDING_USER_DISCOVERY","qr_code":"/9j/"}"#;
    let CibaStep::ShowQr(image) = flow.step(s(0), said(200, session)) else {
        panic!("{flow:?}");
    };
    assert_eq!(image.as_bytes(), [0xff, 0xd8, 0xff]);
    waits(&flow.step(s(0), CibaEvent::Tick), s(5));
    sends(&flow.step(s(5), CibaEvent::Tick), "user discovery");
    let known = r#"{"status":"USER_DISCOVERED","user_identifier_token":"u"}"#;
    sends(&flow.step(s(6), said(200, known)), "authentication");
    assert_eq!(flow.expose_auth_req_id(), None);
    waits(&flow.step(s(7), said(200, ASKED)), s(9));
    assert_eq!(flow.expose_auth_req_id(), Some("a1"));
    sends(&flow.step(s(9), CibaEvent::Tick), "tokens");
    waits(&flow.step(s(9), said(400, PENDING)), s(11));
    sends(&flow.step(s(11), CibaEvent::Tick), "tokens");
    sends(&flow.step(s(12), said(200, TOKENS)), "claims");
    assert_eq!(flow.state(), Some(State::Tokens));
}

/// An answer without an interval means the default, also after one with another; one that comes while the person is
/// waited for counts.
#[test]
fn the_interval_is_that_of_the_last_answer() {
    let session =
        r#"{"user_discovery_session_id":"s","status":"PENDING_USER_DISCOVERY","interval":1}"#;
    let silent = session.replace(r#","interval":1"#, "");
    let mut flow = CibaFlow::begin(&asked(""));
    flow.step(s(0), CibaEvent::Tick);
    waits(&flow.step(s(0), said(200, session)), s(1));
    flow.step(s(1), CibaEvent::Tick);
    waits(&flow.step(s(1), said(200, &silent)), s(6));

    let mut flow = CibaFlow::begin(&asked("u"));
    flow.step(s(0), CibaEvent::Tick);
    waits(&flow.step(s(0), said(200, ASKED)), s(2));
    flow.step(s(2), CibaEvent::Tick);
    let slower = r#"{"error":"authorization_pending","interval":9}"#;
    waits(&flow.step(s(2), said(400, slower)), s(11));
    flow.step(s(11), CibaEvent::Tick);
    waits(&flow.step(s(11), said(400, PENDING)), s(20));
}

/// A request that is under way is not sent twice, and nothing is done after the end.
#[test]
fn one_request_at_a_time() {
    let mut flow = CibaFlow::begin(&asked("u"));
    sends(&flow.step(s(0), CibaEvent::Tick), "authentication");
    waits(&flow.step(s(1), CibaEvent::Tick), Duration::MAX);
    waits(&flow.step(s(1), CibaEvent::Ping("a1")), Duration::MAX);
    waits(&flow.step(s(2), said(200, ASKED)), s(4));
    sends(&flow.step(s(4), CibaEvent::Tick), "tokens");
    let denied = flow.step(s(4), said(400, r#"{"error":"access_denied"}"#));
    assert!(matches!(denied, CibaStep::Failed(CibaError::Oidc(_))));
    assert_eq!(flow.state(), None);
    waits(&flow.step(s(5), CibaEvent::Tick), Duration::MAX);
    waits(&flow.step(s(5), said(200, TOKENS)), Duration::MAX);
}

#[test]
fn a_ping_counts_for_its_own_flow_only() {
    let mut options = asked("u");
    options.client_notification_token = Some("n".to_owned().into());
    let mut flow = CibaFlow::begin(&options);
    flow.step(s(0), CibaEvent::Tick);
    waits(&flow.step(s(0), said(200, ASKED)), s(30));
    waits(&flow.step(s(1), CibaEvent::Ping("a2")), s(30));
    sends(&flow.step(s(2), CibaEvent::Ping("a1")), "tokens");
    // The person may take longer than the server will wait.
    waits(&flow.step(s(2), said(400, PENDING)), s(4));
    let over = flow.step(s(120), CibaEvent::Tick);
    let state = State::Authentication;
    assert!(
        matches!(over, CibaStep::Failed(CibaError::TimedOut { state: found }) if found == state)
    );
}

/// At each stage, with the request that was under way sent again.
#[test]
fn a_stored_flow_goes_on_elsewhere() {
    let key = SealKey::generate().unwrap();
    let stored = |flow: &CibaFlow| {
        let sealed = flow.seal(&key, b"browser").unwrap();
        assert!(CibaFlow::open(&sealed, &key, b"other").is_err());
        assert!(sealed.len() < 16 * 1024, "{}", sealed.len());
        CibaFlow::open(&sealed, &key, b"browser").unwrap()
    };
    let mut options = asked("");
    options.acr_values = Some(privyseal_core::payload::AcrValues::Advanced);
    options.requested_expiry = Some(300);
    options.id_token_claims = vec!["acr".to_owned(), "\u{e9}\"\\".to_owned()];
    options.client_notification_token = Some("n".repeat(1024).into());
    let mut flow = stored(&CibaFlow::begin(&options));
    sends(&flow.step(s(0), CibaEvent::Tick), "user discovery");
    flow = stored(&flow);
    sends(&flow.step(s(1), CibaEvent::Tick), "user discovery");
    let session = r#"{"user_discovery_session_id":"s","status":"PENDING_USER_DISCOVERY"}"#;
    waits(&flow.step(s(1), said(200, session)), s(6));
    flow = stored(&flow);
    sends(&flow.step(s(6), CibaEvent::Tick), "user discovery");
    let known = r#"{"status":"USER_DISCOVERED","user_identifier_token":"u"}"#;
    flow.step(s(6), said(200, known));
    let again = stored(&flow).kept.asked;
    assert_eq!(again.user_identifier_token.as_str(), "u");
    options.user_identifier_token = again.user_identifier_token.clone();
    assert!(again == options, "{again:?}");
    let id = "x".repeat(super::super::response::MAX_AUTH_REQ_ID);
    flow.step(s(7), said(200, &ASKED.replace("a1", &id)));
    flow = stored(&flow);
    sends(&flow.step(s(7), CibaEvent::Ping(&id)), "tokens");
    flow.step(s(8), said(200, TOKENS));
    flow = stored(&flow);
    let due = flow.step(s(8), CibaEvent::Tick);
    sends(&due, "claims");
    let Stage::Claims { access, .. } = &flow.kept.stage else {
        panic!("{flow:?}");
    };
    assert_eq!((access.expose(), flow.kept.userinfo), ("t", true));
    let shown = format!("{flow:?}");
    assert!(
        !shown.contains("xxx") && !shown.contains("x.y.z"),
        "{shown}"
    );
}
