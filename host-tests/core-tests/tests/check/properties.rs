//! Whatever valid input is given: what comes out obeys its own scheme, an independent JOSE library reads
//! the same claims, and nothing is longer than its limit says.

use jsonwebtoken::dangerous::insecure_decode;
use privyseal_check::{RuleId, Verdict};
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_HEADER, MAX_PAYLOAD};
use privyseal_core::{AssertionRequest, Audience, Jti, Scheme, UnixTime, scheme};
use privyseal_test_suite::software_signer::SoftwareSigner;
use proptest::prelude::*;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Map, Value, json};

use crate::draft::{DID, Draft, broken, credential, shown};
use crate::pki::{NOW, TO, key};

/// What the core is given.
#[derive(Clone, Debug)]
struct Input {
    scheme: &'static Scheme,
    client_id: String,
    audience: String,
    jti: String,
    now: u64,
    backdate: u64,
    lifetime: Option<u64>,
}

const EORI: &str = "EU\\.EORI\\.(NL|BE|DE|XI)[A-Z0-9]{1,15}";
const ORGANIZATION: &str = "did:ishare:EU\\.(NL|BE)\\.(NTR|VAT|LEI)(NL|BE|XG)-[!-~]{1,40}";

/// The kinds of text that each scheme takes.
fn inputs() -> impl Strategy<Value = Input> {
    prop::sample::select(scheme::ALL.to_vec()).prop_flat_map(|scheme| {
        let (id, audience) = match scheme.name() {
            "fiam" | "ishare-1" => (EORI.to_owned(), EORI.to_owned()),
            // The client id is the leaf's, or an EORI number.
            "ishare" => (
                format!("{EORI}|{}", DID.replace('.', "\\.")),
                format!("{EORI}|{ORGANIZATION}"),
            ),
            "itsme" => (
                "[!-~]{1,255}".into(),
                "https://[a-z]{1,20}(/[a-z0-9]{1,9}){0,3}(/token|/backchannel/authentication)"
                    .into(),
            ),
            _ => (
                "[!-~]{1,255}".into(),
                "https://[a-z]{1,20}(/auth)?/realms/[A-Za-z0-9_-]{1,20}".into(),
            ),
        };
        let lifetime = scheme.lifetime().value();
        let strategies = (
            proptest::string::string_regex(&id).expect("a pattern"),
            proptest::string::string_regex(&audience).expect("a pattern"),
            "[!-~]{1,255}",
            NOW..TO,
            0..=5_u64,
            prop::option::of(lifetime.min().max(6)..=lifetime.max()),
        );
        strategies.prop_map(
            move |(client_id, audience, jti, now, backdate, lifetime)| Input {
                scheme,
                client_id,
                audience,
                jti,
                now,
                backdate,
                lifetime,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_emitted_passes_its_own_check(input in inputs()) {
        let token = emit(&input);

        let mut draft = Draft::of(input.scheme);
        (draft.now, draft.audience) = (input.now, Some(input.audience.clone()));
        let report = draft.judge(&token);
        prop_assert_eq!(broken(&report), [""; 0], "{}", shown(&report));
        prop_assert_eq!(report.verdict(RuleId::Signature), Some(Verdict::Passed));

        let read = insecure_decode::<Map<String, Value>>(&token).expect("a JWT");
        prop_assert_eq!(Value::Object(read.claims), expected(&input));
        prop_assert_eq!(read.header.alg, jsonwebtoken::Algorithm::RS256);

        let (signing_input, signature) = token.rsplit_once('.').expect("a JWS");
        let signature = privyseal_test_judges::decode::base64url(signature);
        let public_key = key().public_key();
        let verified = RsaPublicKeyComponents { n: public_key.modulus(), e: &[1, 0, 1] }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signing_input.as_bytes(), &signature);
        prop_assert!(verified.is_ok(), "ring verifies it");

        let (header, payload) = signing_input.split_once('.').expect("a JWS");
        prop_assert!(header.len() <= MAX_HEADER && payload.len() <= MAX_PAYLOAD && token.len() <= MAX_COMPACT_JWS);
    }

    /// One bit anywhere, and something is said about it.
    #[test]
    fn a_changed_character_is_noticed(place in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
        let draft = Draft::of(&scheme::FIAM);
        let good = draft.token();
        let place = place.index(good.len());
        let mut changed = good.clone();
        changed.replace_range(place..=place, &to);
        // The last character of a part has bits that stand for nothing; base64 refuses most of those.
        prop_assume!(changed != good);
        let report = draft.judge(&changed);
        let is_noticed = report.broken().next().is_some();
        prop_assert!(is_noticed, "character {} of {}", place, good.len());
    }
}

fn emit(input: &Input) -> String {
    let credential = credential(input.scheme, &input.client_id);
    let request = AssertionRequest {
        audience: Some(Audience::new(&input.audience).expect("an audience")),
        backdate: input.backdate,
        lifetime: input.lifetime,
        ..AssertionRequest::new(
            UnixTime::from_secs(input.now).expect("a moment"),
            Jti::new(&input.jti).expect("a jti"),
        )
    };
    let input = credential.prepare(&request).expect("valid input");
    let mut buffer = vec![0; MAX_COMPACT_JWS];
    input
        .sign(&mut SoftwareSigner::new(key()), &mut buffer)
        .expect("a token")
        .as_str()
        .to_owned()
}

fn expected(input: &Input) -> Value {
    let iat = input.now - input.backdate;
    let default = if matches!(input.scheme.name(), "itsme" | "ehealth") {
        60
    } else {
        30
    };
    let mut claims = json!({
        "iss": input.client_id,
        "sub": input.client_id,
        "aud": input.audience,
        "iat": iat,
        "exp": iat + input.lifetime.unwrap_or(default),
        "jti": input.jti,
    });
    if default == 30 {
        claims["nbf"] = json!(iat);
    }
    claims
}
