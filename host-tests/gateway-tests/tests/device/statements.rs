//! Login hints, authentication requests and authorization requests: made on the device, and only those that its policy
//! allows.

use privyseal_core::kid::Kid;
use privyseal_core::limits::{
    MAX_CLAIM_NAME, MAX_CLAIM_NAMES, MAX_COMPACT_JWS, MAX_HEADER, MAX_NOTIFICATION_TOKEN,
    MAX_REQUESTED_EXPIRY_SECONDS, MAX_SCOPE, MAX_USER_IDENTIFIER_TOKEN,
};
use privyseal_core::payload::{AcrValues, AuthenticationRequest, AuthorizationRequest};
use privyseal_core::scheme::{EHEALTH, ITSME};
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Jti, Signer as _, SigningInput, UnixTime,
};
use privyseal_firmware_app::fake::Button;
use privyseal_protocol::{
    Content, Event, MAX_COMPOSED, Rate, Refusal, Request, SchemeId, SignRequest, Statement,
};
use privyseal_test_base::clock::run_start;
use privyseal_test_simulators::device_host::{
    TestDevice, compose, exchange, info, sign, state, token,
};
use privyseal_test_simulators::link::{composing, frame};
use privyseal_test_suite::software_signer::SoftwareSigner;

use crate::fixture::{
    ITSME_ISSUER, ITSME_TOKEN, REALM, claim, key, policy, provisioned, requests, restart,
};
use crate::log;

const PERSON: &str = "user-identifier-token";

fn request() -> SignRequest<'static> {
    SignRequest {
        audience: Some(ITSME_ISSUER),
        nonce: Some(*b"8 bytes!"),
        ..SignRequest::new(SchemeId::of(&ITSME), run_start())
    }
}

fn authentication(login_hint_token: &str) -> AuthenticationRequest<'_> {
    AuthenticationRequest {
        scope: "openid service:CODE",
        login_hint_token,
        acr_values: Some(AcrValues::Advanced),
        requested_expiry: Some(120),
        client_notification_token: Some("token"),
        id_token_claims: "acr",
        userinfo_claims: "birthdate name",
    }
}

const AUTHORIZATION: AuthorizationRequest<'_> = AuthorizationRequest {
    redirect_uri: "https://app.example/callback",
    scope: "openid profile",
    state: "c3RhdGU",
    nonce: "bm9uY2U",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    prompt: Some("login"),
    login_hint: None,
    max_age: Some(300),
};

fn content(login_hint_token: &str) -> Content<'_> {
    Content::Authentication(authentication(login_hint_token))
}

fn contents() -> [Content<'static>; 3] {
    [
        Content::LoginHint(PERSON),
        content("a.b.c"),
        Content::Authorization(AUTHORIZATION),
    ]
}

/// What the software signer makes of the same, by the core's functions for it.
fn by_software(
    jti: &str,
    prepare: impl for<'a> Fn(&'a Credential<Vec<u8>>, &AssertionRequest<'a>) -> SigningInput<'a>,
) -> String {
    let mut signer = SoftwareSigner::new(key());
    let public_key = signer.public_key().clone();
    let (id, kid) = (ClientId::new("partner"), Kid::new("k1"));
    let (id, kid) = (id.expect("a client id"), kid.expect("a kid"));
    let credential = Credential::with_kid(&ITSME, id, kid, &public_key, vec![0; MAX_HEADER]);
    let credential = credential.expect("a credential");
    let asked = AssertionRequest {
        audience: Some(Audience::new(ITSME_ISSUER).expect("an audience")),
        ..AssertionRequest::new(
            UnixTime::from_secs(run_start()).expect("a time"),
            Jti::new(jti).expect("a jti"),
        )
    };
    let mut buffer = vec![0; MAX_COMPACT_JWS];
    let token = prepare(&credential, &asked).sign(&mut signer, &mut buffer);
    token.expect("a token").as_str().to_owned()
}

fn jti(token: &str) -> String {
    claim(token, "jti").as_str().expect("a jti").to_owned()
}

#[test]
fn every_byte_is_the_software_signers() {
    let mut device = provisioned(&policy());
    let hint = state(&mut device, request(), &Content::LoginHint(PERSON)).expect("a hint");
    let own = by_software("-", |credential, asked| {
        credential
            .bound()
            .prepare_login_hint(asked.now, PERSON)
            .expect("a hint")
    });
    assert_eq!(hint, own);
    let signed = state(&mut device, request(), &content(&hint)).expect("a request");
    let own = by_software(&jti(&signed), |credential, asked| {
        // Its text must live as long as the credential.
        let hint: &'static str = hint.clone().leak();
        credential
            .bound()
            .prepare_request(asked, authentication(hint))
            .expect("a request")
    });
    assert_eq!(signed, own);
    let asked = Content::Authorization(AUTHORIZATION);
    let signed = state(&mut device, request(), &asked).expect("a request");
    let own = by_software(&jti(&signed), |credential, asked| {
        let authorization = credential
            .bound()
            .prepare_authorization(asked, &AUTHORIZATION);
        authorization.expect("a request")
    });
    assert_eq!(signed, own);
    assert!(jti(&signed).ends_with("-3820627974657321"), "the nonce");

    let events: Vec<_> = log::check(&mut device).iter().map(|it| it.event).collect();
    let made = [
        Event::HintSigned,
        Event::AuthenticationSigned,
        Event::AuthorizationSigned,
    ];
    assert!(events.ends_with(&made), "{events:?}");
    assert_eq!(info(&mut device).counter, 3);
}

/// A policy as of old, for assertions only, allows none of them; nor does one that has another audience or scheme.
#[test]
fn what_the_policy_does_not_allow_is_refused() {
    let allowed = [
        Statement::AuthenticationRequest,
        Statement::AuthenticationRequest,
        Statement::AuthorizationRequest,
    ];
    for (content, needed) in contents().iter().zip(allowed) {
        let mut without = policy();
        without.audiences.retain(|it| it.statement != needed);
        let mut device = provisioned(&without);
        let refused = state(&mut device, request(), content);
        assert_eq!(refused, Err(Refusal::Statement), "{needed}");

        let mut device = provisioned(&policy());
        for (audience, scheme, refusal) in [
            (Some(ITSME_TOKEN), &ITSME, Refusal::Audience),
            (
                Some("https://idp.prd.itsme.services/v3"),
                &ITSME,
                Refusal::Audience,
            ),
            (Some(REALM), &EHEALTH, Refusal::Statement),
        ] {
            let elsewhere = SignRequest {
                audience,
                ..SignRequest::new(SchemeId::of(scheme), run_start())
            };
            assert_eq!(state(&mut device, elsewhere, content), Err(refusal));
        }
        let nowhere = SignRequest::new(SchemeId::of(&ITSME), run_start());
        let outcome = state(&mut device, nowhere, content);
        match content {
            Content::LoginHint(_) => drop(outcome.expect("it has no audience")),
            _ => assert_eq!(outcome, Err(Refusal::Audience)),
        }
        let long = SignRequest {
            lifetime: Some(61),
            ..request()
        };
        let refused = state(&mut device, long, content);
        assert_eq!(refused, Err(Refusal::Lifetime { max: 60 }));
        let ahead = SignRequest {
            now: run_start() + 30 * 86_400,
            ..request()
        };
        let refused = state(&mut device, ahead, content);
        assert!(
            matches!(refused, Err(Refusal::TimeAhead { .. })),
            "{refused:?}"
        );
    }
    // The audience of requests is none of assertions.
    let mut device = provisioned(&policy());
    assert_eq!(sign(&mut device, request()), Err(Refusal::Audience));
}

/// What a content says is judged by the core's rules.
#[test]
fn what_breaks_a_rule_is_refused() {
    let mut device = provisioned(&policy());
    let change = |change: fn(&mut AuthenticationRequest<'_>)| {
        let mut asked = authentication("a.b.c");
        change(&mut asked);
        Content::Authentication(asked)
    };
    for wrong in [
        Content::LoginHint(""),
        Content::LoginHint("a\u{e9}"),
        change(|it| it.scope = "openid"),
        change(|it| it.login_hint_token = "a.b"),
        change(|it| it.requested_expiry = Some(0)),
        change(|it| it.client_notification_token = Some("\"")),
        change(|it| it.userinfo_claims = "name birthdate"),
        Content::Authorization(AuthorizationRequest {
            state: "\"",
            ..AUTHORIZATION
        }),
    ] {
        let before = info(&mut device).counter;
        let refused = state(&mut device, request(), &wrong);
        assert_eq!(refused, Err(Refusal::Field), "{:?}", wrong.statement());
        assert_eq!(info(&mut device).counter, before);
    }
}

fn composed(device: &mut TestDevice, bytes: &[u8]) -> Result<(), Refusal> {
    composing(bytes).try_for_each(|piece| compose(device, &piece))
}

fn sign_composed(device: &mut TestDevice) -> Result<String, Refusal> {
    token(device, &Request::SignComposed(request()))
}

#[test]
fn a_content_serves_once_and_comes_whole() {
    let mut device = provisioned(&policy());
    let mut buffer = [0; MAX_COMPOSED];
    let content = content("a.b.c");
    let bytes = content.to_bytes(&mut buffer).expect("it fits");
    assert_eq!(sign_composed(&mut device), Err(Refusal::Content), "none");
    for (wrong, behind) in [
        (&bytes[..bytes.len() - 1], &[][..]),
        (bytes, &[0]),
        (&[9], &[]),
    ] {
        composed(&mut device, &[wrong, behind].concat()).expect("bytes are taken");
        assert_eq!(sign_composed(&mut device), Err(Refusal::Content));
    }
    composed(&mut device, bytes).expect("it is taken");
    sign_composed(&mut device).expect("a token");
    assert_eq!(sign_composed(&mut device), Err(Refusal::Content), "once");
    // A refusal takes it as well, and so does whatever is asked in between.
    composed(&mut device, bytes).expect("it is taken");
    let early = Request::SignComposed(SignRequest {
        now: 0,
        ..request()
    });
    let refused = token(&mut device, &early);
    assert!(matches!(refused, Err(Refusal::TimeBack { .. })));
    assert_eq!(sign_composed(&mut device), Err(Refusal::Content));
    for other in [Request::Info, Request::Sign(requests()[0])] {
        composed(&mut device, bytes).expect("it is taken");
        let frame = frame(1, &other);
        exchange(&mut device, &frame);
        assert_eq!(
            sign_composed(&mut device),
            Err(Refusal::Content),
            "{other:?}"
        );
    }
    // One that begins again replaces what was there.
    composed(&mut device, &[7; 700]).expect("it is taken");
    composed(&mut device, bytes).expect("it is taken");
    sign_composed(&mut device).expect("a token");
}

#[test]
fn pieces_out_of_place_are_refused() {
    let mut device = provisioned(&policy());
    let piece = |offset, bytes| Request::Compose { offset, bytes };
    let gap = piece(1, &[1; 300]);
    assert_eq!(compose(&mut device, &gap), Err(Refusal::Content));
    for offset in (0..MAX_COMPOSED).step_by(256) {
        let offset = u16::try_from(offset).expect("a small number");
        compose(&mut device, &piece(offset, &[1; 256])).expect("room");
    }
    let full = u16::try_from(MAX_COMPOSED).expect("a small number");
    for offset in [full, full - 256, u16::MAX] {
        let refused = compose(&mut device, &piece(offset, &[1]));
        assert_eq!(refused, Err(Refusal::Content));
    }
    assert_eq!(sign_composed(&mut device), Err(Refusal::Content));
    sign(&mut device, requests()[0]).expect("it goes on");
}

/// The longest of everything that the core takes is made; a device has room for it.
#[test]
fn the_longest_request_is_made() {
    let mut longest = policy();
    longest.schemes[0].kid = Some("k1");
    let mut device = provisioned(&longest);
    let person = "t".repeat(MAX_USER_IDENTIFIER_TOKEN);
    let hint = state(&mut device, request(), &Content::LoginHint(&person)).expect("a hint");
    let names: Vec<String> = (0..MAX_CLAIM_NAMES)
        .map(|at| format!("{at:0>MAX_CLAIM_NAME$}"))
        .collect();
    let names = names.join(" ");
    let scope = format!("openid service:{}", "s".repeat(MAX_SCOPE - 15));
    let token = "b".repeat(MAX_NOTIFICATION_TOKEN);
    let asked = AuthenticationRequest {
        scope: &scope,
        requested_expiry: Some(MAX_REQUESTED_EXPIRY_SECONDS),
        client_notification_token: Some(&token),
        id_token_claims: &names,
        userinfo_claims: &names,
        ..authentication(&hint)
    };
    let content = Content::Authentication(asked);
    let signed = state(&mut device, request(), &content).expect("a request");
    assert_eq!(claim(&signed, "login_hint_token"), *hint);
    let claims = claim(&signed, "claims");
    let names = claims["userinfo"].as_object().map(serde_json::Map::len);
    assert_eq!(names, Some(MAX_CLAIM_NAMES));
}

/// They count as assertions do, and a person presses the button for each.
#[test]
fn rate_button_and_restart_hold_for_them() {
    let mut policy = policy();
    policy.rate = Rate {
        assertions: 3,
        seconds: 30,
    };
    policy.presence = Some(1);
    let mut device = provisioned(&policy);
    let hint = Content::LoginHint(PERSON);
    let refused = state(&mut device, request(), &hint);
    assert_eq!(refused, Err(Refusal::Presence), "no button");
    for content in &contents()[..2] {
        device.board().button = Some(Button::new(&[false, true]));
        state(&mut device, request(), content).expect("a token");
    }
    let before = info(&mut device);
    assert_eq!((before.counter, before.rate_left), (2, 0));
    let mut device = restart(&mut device);
    let refused = state(&mut device, request(), &hint);
    assert!(matches!(refused, Err(Refusal::Rate { .. })), "{refused:?}");
    let after = info(&mut device);
    assert_eq!(
        (after.counter, after.time_floor),
        (before.counter, before.time_floor)
    );
    assert_eq!(after.time_floor, run_start());
}
