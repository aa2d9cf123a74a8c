//! Every scheme by its own file of vectors: what is made under its rules, byte by byte, what is refused, and what is
//! found broken in a token that somebody else made.
//!
//! A new scheme is one file of rules in `core/src/scheme` and one file of vectors here.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.
#![allow(clippy::large_stack_arrays)] // headers, in a test
#![allow(clippy::print_stdout)] // which schemes were there

use std::fs;
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_check::{CheckOptions, Verdict, check, check_claims, check_header};
use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::jws::JwsParts;
use privyseal_core::kid::Kid;
use privyseal_core::limits::{MAX_CHECK_SCRATCH, MAX_HEADER};
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Error, Jti, Scheme, SchemeRules, UnixTime,
    scheme,
};
use serde_json::Value;

/// 2026-06-01.
const NOW: u64 = 1_780_272_000;

const FIXTURES: &str = "../../host-tests/fixtures/ishare-test-chain";

fn file(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn now() -> UnixTime {
    UnixTime::from_secs(NOW).unwrap()
}

/// Header and payload of an assertion, encoded, with a dot between them.
fn made(scheme: &'static Scheme, vectors: &Value, vector: &Value) -> Result<String, Error> {
    let text = |name: &str| vector[name].as_str();
    let client_id = ClientId::new(text("client_id").or(vectors["client_id"].as_str()).unwrap())?;
    let ders = ["0-leaf", "1-issuing-ca", "2-sub-ca", "3-root-ca"]
        .map(|name| file(format!("{FIXTURES}/{name}.der")));
    let chain = Chain::order(&ders.each_ref().map(Vec::as_slice))?.prove(&RsaLinks)?;
    let key = chain.leaf().unwrap().rsa_key()?;
    let buffer = [0; MAX_HEADER];
    let credential = match vectors["kid"].as_str() {
        Some(kid) => Credential::with_kid(scheme, client_id, Kid::new(kid)?, &key, buffer)?,
        None => Credential::new(scheme, client_id, &chain, &key, buffer)?,
    };
    let request = AssertionRequest {
        audience: text("audience").map(Audience::new).transpose()?,
        lifetime: vector["lifetime"].as_u64(),
        ..AssertionRequest::new(now(), Jti::new("j")?)
    };
    let mut input = heapless::Vec::<u8, 16_384>::new();
    credential.prepare(&request)?.write_to(&mut input).unwrap();
    Ok(String::from_utf8(input.to_vec()).unwrap())
}

/// The rules that `check` finds broken, but for the signature, which nobody made.
fn broken(
    token: &str,
    scheme: Option<&'static Scheme>,
) -> (Option<&'static str>, Vec<&'static str>) {
    let options = CheckOptions {
        scheme: scheme.map(Scheme::rules),
        ..CheckOptions::at(now(), &RsaLinks)
    };
    let report = check(
        &format!("{token}.AAAA"),
        &options,
        &mut vec![0; MAX_CHECK_SCRATCH],
    );
    let is_broken = |verdict| matches!(verdict, Verdict::Broken(_));
    let findings = report.findings().iter().filter(|it| is_broken(it.verdict));
    let names = findings.map(|finding| finding.rule.name());
    let scheme = report.scheme.map(SchemeRules::name);
    (scheme, names.filter(|name| *name != "signature").collect())
}

/// A receiver judges claims and header one after the other: together that is what the whole token breaks.
fn assert_halves(token: &str, scheme: &'static Scheme, whole: &[&str]) {
    let options = CheckOptions {
        scheme: Some(scheme.rules()),
        ..CheckOptions::at(now(), &RsaLinks)
    };
    let payload = token.split_once('.').unwrap().1;
    let payload = Base64UrlUnpadded::decode_vec(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let iss = claims["iss"].as_str().unwrap_or_default();
    let mut scratch = vec![0; MAX_CHECK_SCRATCH];
    let token = format!("{token}.AAAA");
    let parts = JwsParts::split(&token).unwrap();
    let header = check_header(&parts, iss, &options, &mut scratch).report;
    let claims = check_claims(&payload, &options, &mut scratch);
    let findings = claims.findings().iter().chain(header.findings());
    let broken = findings.filter(|it| matches!(it.verdict, Verdict::Broken(_)));
    let mut names: Vec<_> = broken.map(|it| it.rule.name()).collect();
    names.retain(|name| *name != "signature");
    assert_eq!(names, whole, "{}", scheme.name());
}

/// The token with other claims.
fn forged(token: &str, claims: &Value) -> String {
    let (header, payload) = token.split_once('.').unwrap();
    let payload = Base64UrlUnpadded::decode_vec(payload).unwrap();
    let mut payload: Value = serde_json::from_slice(&payload).unwrap();
    for (name, value) in claims.as_object().unwrap() {
        payload[name] = value.clone();
    }
    let payload = Base64UrlUnpadded::encode_string(payload.to_string().as_bytes());
    format!("{header}.{payload}")
}

#[test]
fn every_scheme_has_its_vectors() {
    for &scheme in scheme::ALL {
        let name = scheme.name();
        let vectors = file(format!("tests/schemes/{name}.json"));
        let vectors: Value = serde_json::from_slice(&vectors).unwrap();
        let each = |list: &str| vectors[list].as_array().unwrap().clone();
        let mut token = String::new();
        for vector in each("made") {
            token = made(scheme, &vectors, &vector).unwrap();
            let payload = token.split_once('.').unwrap().1;
            let payload = Base64UrlUnpadded::decode_vec(payload).unwrap();
            let payload = String::from_utf8(payload).unwrap();
            assert_eq!(payload, vector["claims"].as_str().unwrap(), "{name}");
            assert_eq!(broken(&token, Some(scheme)), (Some(name), Vec::new()));
            assert_halves(&token, scheme, &[]);
            let guessed = vectors["guessed_as"].as_str();
            assert_eq!(broken(&token, None).0, guessed, "{name}");
        }
        for vector in each("refused") {
            let Err(Error::Field(error)) = made(scheme, &vectors, &vector) else {
                panic!("{name} makes an assertion of {vector}");
            };
            assert_eq!(error.field.name(), vector["field"], "{name} {vector}");
        }
        for vector in each("broken") {
            let forged = forged(&token, &vector["claims"]);
            let rule = vector["rule"].as_str().unwrap();
            assert_eq!(broken(&forged, Some(scheme)).1, [rule], "{name} {vector}");
            assert_halves(&forged, scheme, &[rule]);
        }
        println!("{name}: vectors hold");
    }
}
