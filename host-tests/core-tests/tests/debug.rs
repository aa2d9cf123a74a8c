//! `Debug` of every public type that can hold a secret: a key, a PIN, a token.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use core::fmt::Debug;

use privyseal_core::encoding::base64::{Base64Sink, Base64UrlSink};
use privyseal_core::encoding::json::Object;
use privyseal_core::encoding::sink::{Sink as _, SliceSink};
use privyseal_core::encoding::unescape::Unescape;
use privyseal_core::kid::Kid;
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_HEADER};
use privyseal_core::payload::AuthenticationRequest;
use privyseal_core::rsa::Signature;
use privyseal_core::token::TokenResponse;
use privyseal_core::{
    AssertionRequest, Audience, ClientId, CompactJws, Credential, Jti, UnixTime, scheme,
};
use privyseal_hsm::{PinSources, Prompt, SealedInput, Secret};
use privyseal_protocol::frame::{MAX_CONTENT, TokenPiece};
use privyseal_protocol::{
    FrameDecoder, Part, Provision, Request, Response, SchemeId, SignRequest, write_frame,
};
use privyseal_test_pki::test_key;
use privyseal_test_suite::software_signer::SoftwareSigner;

/// What may not be seen, in any writing.
const SECRET: &str = "S3cr3tS3cr3t";

fn hides(name: &str, value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        let bytes = SECRET.as_bytes();
        let hex: String = privyseal_core::encoding::hex(bytes).collect();
        let list = |separator: &str| {
            let numbers: Vec<_> = bytes[..6].iter().map(u8::to_string).collect();
            numbers.join(separator)
        };
        let plain: String = shown.split_whitespace().collect();
        for written in [SECRET, "S3cr3t", &hex, &list(",")] {
            assert!(!plain.contains(written), "{name}: {shown}");
        }
    }
}

#[test]
fn of_the_core() {
    let text = SECRET;
    let mut buffer = [0; 64];
    let mut sink = SliceSink::new(&mut buffer);
    sink.write(text.as_bytes()).unwrap();
    hides("SliceSink", &sink);
    let mut encoder = Base64UrlSink::new(&mut sink);
    encoder.write(text.as_bytes()).unwrap();
    hides("Base64UrlSink", &encoder);
    let mut encoder = Base64Sink::new(&mut sink);
    encoder.write(text.as_bytes()).unwrap();
    hides("Base64Sink", &encoder);
    let mut object = Object::new(&mut sink);
    object.string("a", text);
    hides("Object", &object);
    hides("Unescape", &Unescape::new(text));
    let mut signature = Signature::new();
    signature.set(text.as_bytes()).unwrap();
    hides("Signature", &signature);

    let body =
        format!(r#"{{"access_token":"{text}","token_type":"Bearer","refresh_token":"{text}"}}"#);
    let response = TokenResponse::parse(body.as_bytes()).unwrap();
    hides("TokenResponse", &response);
    hides("Secret", &response.access_token);
}

/// A token, what signs it, and what is sent with it.
#[test]
fn of_the_pipeline() {
    let key = test_key("seal", 2048);
    let id = ClientId::new("partner").unwrap();
    let mut signer = SoftwareSigner::new(&key);
    let credential = Credential::with_kid(
        &scheme::ITSME,
        id.clone(),
        Kid::new("k").unwrap(),
        &key.public_key(),
        vec![0; MAX_HEADER],
    )
    .unwrap();
    hides("Credential", &credential);
    let now = UnixTime::from_secs(1_780_272_000).unwrap();
    let request = AssertionRequest {
        audience: Some(Audience::new("https://idp.e2e.itsme.services/v2/token").unwrap()),
        ..AssertionRequest::new(now, Jti::new("j").unwrap())
    };
    let hint = format!("{SECRET}.{SECRET}.{SECRET}");
    let asked = AuthenticationRequest {
        scope: "openid service:CODE",
        login_hint_token: &hint,
        acr_values: None,
        requested_expiry: None,
        client_notification_token: Some(SECRET),
        id_token_claims: "",
        userinfo_claims: "",
    };
    hides("AuthenticationRequest", &asked);
    let input = credential.bound().prepare_request(&request, asked).unwrap();
    hides("SigningInput of a request", &input);
    hides("SealedInput", &SealedInput::Assertion(&input));
    let input = credential.bound().prepare_login_hint(now, SECRET).unwrap();
    hides("SigningInput of a login hint", &input);

    let mut buffer = vec![0; MAX_COMPACT_JWS];
    let input = credential.prepare(&request).unwrap();
    let token: CompactJws<'_> = input.sign(&mut signer, &mut buffer).unwrap();
    let signature = token.as_str().rsplit_once('.').unwrap().1;
    assert!(!format!("{token:?}").contains(signature));
}

#[test]
fn of_the_protocol() {
    let bytes = SECRET.as_bytes();
    for part in [Part::Key, Part::Seed] {
        let chunk = Provision::Chunk {
            part,
            offset: 0,
            bytes,
        };
        hides("Provision", &chunk);
        hides("Request", &Request::Provision(chunk));
        let mut wire = Vec::new();
        let mut frame = Collected(&mut wire);
        write_frame(
            1,
            &Request::Provision(chunk),
            &mut [0; MAX_CONTENT],
            &mut frame,
        )
        .unwrap();
        let mut decoder = FrameDecoder::new();
        let (end, start) = wire.split_last().unwrap();
        for byte in start {
            assert!(decoder.feed(*byte).is_none());
        }
        hides("FrameDecoder", &decoder);
        let message = decoder.feed(*end).unwrap().unwrap();
        hides("Message", &message);
        assert_eq!(message.read(), Ok(Request::Provision(chunk)));
    }
    let (total, offset, id) = (12, 0, 1);
    let token = Response::Token {
        total,
        offset,
        bytes,
    };
    hides("Response", &token);
    let piece = TokenPiece {
        id,
        total,
        offset,
        bytes,
    };
    hides("TokenPiece", &piece);
    hides(
        "SignRequest",
        &SignRequest::new(SchemeId::of(&scheme::FIAM), 1),
    );
}

#[test]
fn of_keys_and_pins() {
    let secret = Secret::new(SECRET).unwrap();
    hides("Secret", &secret);
    hides(
        "PinSources",
        &PinSources::new(Some(&secret), None, Prompt::Never, |_| ()),
    );
}

struct Collected<'b>(&'b mut Vec<u8>);

impl privyseal_core::encoding::sink::Sink for Collected<'_> {
    type Error = core::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
