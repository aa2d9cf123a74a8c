//! Devices that lie, though they have the key: nothing of what they give is printed.

use privyseal_protocol::{Part, Response};
use privyseal_test_base::clock::run_start;
use privyseal_test_judges::decode::{Parts, to_base64url};
use privyseal_test_pki::{TestKey, TestPki, test_key};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::proxy::{self, Alter, between};
use crate::stage::{Outcome, Stage, sign_at};
use privyseal_test_simulators::link::frame;

/// Signs with the command, through a proxy that lies.
fn sign_through(stage: &Stage, name: &str, alter: Alter, scheme: &str, more: &[&str]) -> Outcome {
    let socket = stage.path(name);
    between(&socket, &stage.sim.socket(), alter);
    let uri = format!("device:unix:{}", socket.display());
    sign_at(&uri, scheme, more)
}

/// Signs any header and payload at all.
fn forge(key: &TestKey, header: &str, payload: &str) -> String {
    let input = format!(
        "{}.{}",
        to_base64url(header.as_bytes()),
        to_base64url(payload.as_bytes())
    );
    let signature = SoftwareSigner::sign_message(key.private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_proxy_that_alters_nothing_is_not_noticed() {
    let stage = Stage::provisioned();
    let alter = proxy::token(str::to_owned);
    sign_through(&stage, "honest", alter, "fiam", &[]).token();
}

/// Each is signed with the right key, so only the content can tell.
#[test]
fn other_claims_than_were_asked_for() {
    type Change = fn(&mut Value);
    let stage = Stage::provisioned();
    let cases: [(&str, Change, &str); 8] = [
        (
            "aud",
            |claims| claims["aud"] = "EU.EORI.NL000000001".into(),
            "another aud",
        ),
        (
            "iss",
            |claims| claims["iss"] = "EU.EORI.NL000000001".into(),
            "another iss",
        ),
        (
            "sub",
            |claims| claims["sub"] = "EU.EORI.NL000000001".into(),
            "another sub",
        ),
        (
            "exp",
            |claims| claims["exp"] = (run_start() + 3600).into(),
            "another exp",
        ),
        (
            "iat",
            |claims| claims["iat"] = (run_start() + 3600).into(),
            "another iat",
        ),
        (
            "more",
            |claims| claims["scope"] = "all".into(),
            "another scope",
        ),
        (
            "jti",
            |claims| claims["jti"] = "1".into(),
            "jti of its token does not begin with its id",
        ),
        (
            "nonce",
            |claims| {
                let jti = claims["jti"].as_str().unwrap();
                claims["jti"] = format!("{}-{}", &jti[..jti.len() - 17], "0".repeat(16)).into();
            },
            "this request's nonce",
        ),
    ];
    for (name, change, words) in cases {
        let key = stage.key.clone();
        let alter = proxy::token(move |token| {
            let parts = Parts::of(token);
            let mut claims = parts.claims();
            change(&mut claims);
            forge(&key, &text(&parts.header), &claims.to_string())
        });
        sign_through(&stage, name, alter, "fiam", &[])
            .is_refused(3, &["the device is not believed", words]);
    }
}

/// The login hint comes first, then the request that carries it: either may be another one.
#[test]
fn other_requests_than_were_asked_for() {
    type Change = fn(&mut Value);
    let stage = Stage::provisioned();
    let person = stage.write("user", b"person");
    let asked = [
        "--endpoint",
        "request",
        "--scope",
        "openid service:CODE",
        "--user-identifier-token-file",
        &person,
        "--userinfo-claim",
        "name",
    ];
    let honest = proxy::token(str::to_owned);
    let request = sign_through(&stage, "honest", honest, "itsme", &asked).token();
    let hint = Parts::of(&request).claims()["login_hint_token"].clone();
    let hint = Parts::of(hint.as_str().unwrap()).claims();
    assert_eq!(hint["value"], "person");
    let cases: [(&str, usize, Change, &str); 7] = [
        (
            "person",
            0,
            |it| it["value"] = "another".into(),
            "another value",
        ),
        ("type", 0, |it| it["type"] = "phone".into(), "another type"),
        ("jti", 0, |it| it["jti"] = "1".into(), "another jti"),
        (
            "scope",
            1,
            |it| it["scope"] = "openid service:B".into(),
            "another scope",
        ),
        (
            "hint",
            1,
            |it| it["login_hint_token"] = "a.b.c".into(),
            "another login_hint_token",
        ),
        (
            "claims",
            1,
            |it| it["claims"]["userinfo"] = json!({"iban": null}),
            "another claims",
        ),
        ("sub", 1, |it| it["sub"] = "partner".into(), "another sub"),
    ];
    for (name, place, change, words) in cases {
        let (key, mut at) = (stage.key.clone(), 0);
        let alter = proxy::token(move |token| {
            let (parts, is_meant) = (Parts::of(token), at == place);
            at += 1;
            let mut claims = parts.claims();
            if is_meant {
                change(&mut claims);
            }
            forge(&key, &text(&parts.header), &claims.to_string())
        });
        sign_through(&stage, name, alter, "itsme", &asked)
            .is_refused(3, &["the device is not believed", words]);
    }
    // A hint is the same each time; an old request is not taken for a new one.
    let mut at = 0;
    let alter = proxy::token(move |token| {
        at += 1;
        if at == 2 {
            request.clone()
        } else {
            token.to_owned()
        }
    });
    sign_through(&stage, "old", alter, "itsme", &asked)
        .is_refused(3, &["not believed", "this request's nonce"]);
}

#[test]
fn an_old_token_is_not_taken_for_a_new_one() {
    let stage = Stage::provisioned();
    let old = stage.sign("fiam", &[]).token();
    let alter = proxy::token(move |_| old.clone());
    sign_through(&stage, "old", alter, "fiam", &[])
        .is_refused(3, &["not believed", "this request's nonce"]);
}

#[test]
fn another_form_of_the_same_claims() {
    let stage = Stage::provisioned();
    let key = stage.key.clone();
    let alter = proxy::token(move |token| {
        let parts = Parts::of(token);
        let spaced = text(&parts.payload).replace(',', ", ");
        forge(&key, &text(&parts.header), &spaced)
    });
    sign_through(&stage, "spaced", alter, "fiam", &[])
        .is_refused(3, &["not written in canonical JSON"]);
}

#[test]
fn another_header() {
    let stage = Stage::provisioned();
    for (name, scheme, options, change) in [
        ("none", "fiam", &[][..], json!({"alg": "none"})),
        (
            "kid",
            "itsme",
            &["--endpoint", "token"],
            json!({"kid": "k2"}),
        ),
        ("crit", "fiam", &[], json!({"crit": ["x"]})),
    ] {
        let key = stage.key.clone();
        let alter = proxy::token(move |token| {
            let parts = Parts::of(token);
            let mut header = parts.header();
            for (name, value) in change.as_object().unwrap() {
                header[name] = value.clone();
            }
            forge(&key, &header.to_string(), &text(&parts.payload))
        });
        sign_through(&stage, name, alter, scheme, options)
            .is_refused(3, &["not believed", "another header"]);
    }
}

#[test]
fn a_signature_that_is_none_or_another_keys() {
    type Change = Box<dyn FnMut(&str) -> String + Send>;
    let stage = Stage::provisioned();
    let other = test_key("seal", 2048);
    let cases: [(&str, Change, &str); 5] = [
        (
            "key",
            Box::new(move |token| {
                let parts = Parts::of(token);
                forge(&other, &text(&parts.header), &text(&parts.payload))
            }),
            "not signed by its key",
        ),
        (
            "flipped",
            Box::new(|token| {
                let place = token.len() - 100;
                let letter = if &token[place..=place] == "A" {
                    "B"
                } else {
                    "A"
                };
                format!("{}{letter}{}", &token[..place], &token[place + 1..])
            }),
            "not signed by its key",
        ),
        (
            "cut",
            Box::new(|token| token[..token.len() - 2].to_owned()),
            "not signed by its key",
        ),
        (
            "letters",
            Box::new(|token| token.replace('.', "!")),
            "no token",
        ),
        ("empty", Box::new(|_| ".A.".to_owned()), "payload"),
    ];
    for (name, alter, words) in cases {
        sign_through(&stage, name, proxy::token(alter), "fiam", &[])
            .is_refused(3, &["not believed", words]);
    }
}

/// Says that the device has another key, in info and when the key is read.
fn other_key(key: &TestKey) -> Alter {
    let spki = key.spki_der();
    let digest: [u8; 32] = Sha256::digest(&spki).into();
    Box::new(move |id, response| match response {
        Response::Info(mut info) => {
            info.key = Some(digest);
            frame(id, &Response::Info(info))
        }
        Response::Data {
            part: Part::PublicKey,
            ..
        } => {
            let data = Response::Data {
                part: Part::PublicKey,
                total: u32::try_from(spki.len()).unwrap(),
                offset: 0,
                bytes: &spki,
            };
            frame(id, &data)
        }
        response => frame(id, &response),
    })
}

#[test]
fn another_key_than_it_should_have() {
    let stage = Stage::provisioned();
    let other = test_key("seal", 2048);
    sign_through(&stage, "leaf", other_key(&other), "fiam", &[])
        .is_refused(3, &["not believed", "certificate is for another key"]);
    // Without a certificate only a pin in the URI, or the signature, can tell.
    let itsme = ["--endpoint", "token"];
    sign_through(&stage, "kid", other_key(&other), "itsme", &itsme)
        .is_refused(3, &["not believed", "not signed by its key"]);

    let keys = stage.device("info", &["--json"]).json();
    let digest = keys["key_sha256"].as_str().unwrap();
    let pinned = format!("pinned?key-sha256={digest}");
    between(
        &stage.path("pinned"),
        &stage.sim.socket(),
        other_key(&other),
    );
    let uri = format!("device:unix:{}", stage.path(&pinned).display());
    sign_at(&uri, "itsme", &itsme).is_refused(3, &["not the one that key-sha256 of the URI names"]);
}

/// A device that is another one altogether, with a chain of its own: the chain that is known tells.
#[test]
fn another_device_with_a_key_and_a_chain_of_its_own() {
    let stage = Stage::provisioned();
    let expected = test_key("seal", 2048);
    let expected = TestPki::new().seal_chain(&expected);
    let pem = privyseal_test_pki::pem_chain(&expected);
    let file = stage.write("expected.pem", pem.as_bytes());
    stage
        .sign("fiam", &["--chain", &file])
        .is_refused(2, &["the device signs for another certificate chain"]);
}

#[test]
fn a_log_that_was_altered() {
    let stage = Stage::provisioned();
    stage.sign("fiam", &[]).token();
    let socket = stage.path("log");
    between(
        &socket,
        &stage.sim.socket(),
        Box::new(|id, response| match response {
            Response::Entry { record } => {
                let mut record = record.to_vec();
                // The counter of the signature: nobody is to see that it was made.
                if record[4] == privyseal_protocol::Event::Signed.code() {
                    record[16] ^= 1;
                }
                frame(id, &Response::Entry { record: &record })
            }
            response => frame(id, &response),
        }),
    );
    let uri = format!("device:unix:{}", socket.display());
    crate::stage::run(&["device", "log", "--device", &uri], b"")
        .is_refused(3, &["not believed", "not linked", "the log was changed"]);
}
