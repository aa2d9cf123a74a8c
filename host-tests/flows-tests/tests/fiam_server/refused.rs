//! Every single thing that can be wrong with an assertion is refused.

use privyseal_test_judges::decode::to_base64url;
use privyseal_test_pki::{Authority, CertificateSpec, TestPki, Usage, test_key};
use privyseal_test_suite::software_signer::SoftwareSigner;
use privyseal_test_suite::{Case, cases, mint};
use serde_json::{Value, json};

use crate::stage::{Stage, header, with, without};

#[test]
fn wrong_claims_are_refused() {
    let stage = Stage::new();
    let (header, claims, now) = (stage.header(), stage.claims(), stage.now());
    let wrong = [
        ("sub", json!("EU.EORI.NL987654321"), "sub"),
        ("iss", json!(""), "iss"),
        ("aud", json!("EU.EORI.NLKPNFIAMTEST"), "aud"),
        ("aud", json!(["EU.EORI.NLKPNFIAMPROD"]), "aud"),
        ("exp", json!(now + 31), "exp"),
        ("exp", json!(now + 29), "exp"),
        ("exp", json!((now + 30).to_string()), "exp"),
        ("iat", json!(now.to_string()), "iat"),
        ("nbf", json!(now + 1), "nbf"),
        ("nbf", json!("2026-01-01T00:00:00Z"), "nbf"),
        ("jti", json!(1), "jti"),
        ("jti", json!(""), "jti"),
    ];
    for (member, value, reason) in wrong {
        let assertion = stage.forge(&header, &with(&claims, member, value.clone()));
        assert_eq!(stage.refusal(&assertion, reason), 401, "{member} = {value}");
    }
    for member in ["iss", "sub", "aud", "iat", "exp", "jti"] {
        let assertion = stage.forge(&header, &without(&claims, member));
        assert_eq!(stage.refusal(&assertion, member), 401, "without {member}");
    }
    // Fractions are no integers, though they name the same second.
    let text = claims
        .to_string()
        .replace(&format!("\"iat\":{now}"), &format!("\"iat\":{now}.0"));
    assert_ne!(text, claims.to_string());
    let fraction: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(stage.refusal(&stage.forge(&header, &fraction), "iat"), 401);
    // nbf is not among the rules of FIAM's text.
    assert_eq!(
        stage
            .exchange(&stage.forge(&header, &without(&claims, "nbf")))
            .0,
        200
    );
}

#[test]
fn wrong_headers_are_refused() {
    let stage = Stage::new();
    let (header, claims) = (stage.header(), stage.claims());
    let forge = |header: &Value| stage.forge(header, &claims);
    assert_eq!(
        stage.refusal(&forge(&with(&header, "alg", json!("RS384"))), "alg"),
        401
    );
    assert_eq!(
        stage.refusal(&forge(&with(&header, "alg", json!("HS256"))), "alg"),
        401
    );
    assert_eq!(
        stage.refusal(&forge(&with(&header, "alg", json!("none"))), ""),
        400
    );
    assert_eq!(
        stage.refusal(&forge(&with(&header, "typ", json!("at+jwt"))), "typ"),
        401
    );
    assert_eq!(stage.refusal(&forge(&without(&header, "typ")), "typ"), 401);
    assert_eq!(stage.refusal(&forge(&without(&header, "x5c")), "x5c"), 400);
    let quoted = json!(header["x5c"].to_string());
    assert_eq!(
        stage.refusal(&forge(&with(&header, "x5c", quoted)), "header"),
        400
    );
    let crit = with(&with(&header, "crit", json!(["exp"])), "exp", json!(1));
    assert_eq!(stage.refusal(&forge(&crit), "crit"), 401);
    let more = with(&header, "kid", json!("1"));
    assert_eq!(stage.refusal(&forge(&more), "exactly the members"), 401);
    let url_safe = to_base64url(&stage.pki.root.certificate);
    assert_eq!(
        stage.refusal(&forge(&with(&header, "x5c", json!([url_safe]))), "x5c"),
        400
    );
    for malformed in ["", "a", "a.b", "a.b.c", "a.b.c.d"] {
        assert_eq!(stage.refusal(malformed, ""), 400, "{malformed:?}");
    }
}

#[test]
fn a_party_has_one_certificate() {
    let stage = Stage::new();
    let first = stage.forge(&stage.header(), &stage.claims());
    assert_eq!(stage.exchange(&first).0, 200);
    let again = header(&stage.pki.seal_chain(&stage.key));
    let forged = stage.forge(&again, &with(&stage.claims(), "jti", json!("2")));
    assert_eq!(stage.refusal(&forged, "not the one of this party"), 401);
}

#[test]
fn wrong_signatures_are_refused() {
    let stage = Stage::new();
    let good = stage.forge(&stage.header(), &stage.claims());
    let other = stage.forge(&stage.header(), &with(&stage.claims(), "jti", json!("2")));
    let (input, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(
        stage.refusal(&format!("{input}.{signature}"), "signature"),
        401
    );
    let stranger = header(&stage.pki.seal_chain(&test_key("stranger", 2048)));
    assert_eq!(
        stage.refusal(&stage.forge(&stranger, &stage.claims()), "signature"),
        401
    );
}

#[test]
fn wrong_chains_are_refused() {
    let stage = Stage::new();
    let (pki, spki, now) = (&stage.pki, stage.key.spki_der(), stage.now());
    let good = pki.seal_chain(&stage.key);
    let seal = CertificateSpec::seal();
    let leaf = |spec: CertificateSpec| pki.chain(&spki, &spec);
    let as_ca = CertificateSpec {
        ca: Some(true),
        ..seal.clone()
    };
    let other_root = Authority::root(
        test_key("other-root", 2048),
        CertificateSpec::authority("Test Root CA", None),
    );
    let no_ca = TestPki::with_specs(
        CertificateSpec::authority("Test Root CA", None),
        CertificateSpec {
            ca: Some(false),
            path_len: None,
            ..CertificateSpec::authority("Test Sub CA", None)
        },
        CertificateSpec::authority("Test Issuing CA", None),
    );
    let wrong: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("leaf alone", good[..1].to_vec()),
        ("without root", good[..3].to_vec()),
        (
            "without issuing CA",
            vec![good[0].clone(), good[2].clone(), good[3].clone()],
        ),
        (
            "out of order",
            vec![
                good[0].clone(),
                good[2].clone(),
                good[1].clone(),
                good[3].clone(),
            ],
        ),
        ("reversed", good.iter().rev().cloned().collect()),
        ("other root of the same name", {
            let mut chain = good.clone();
            chain[3].clone_from(&other_root.certificate);
            chain
        }),
        (
            "expired leaf",
            leaf(seal.clone().valid(now - 7200, now - 3600)),
        ),
        (
            "leaf of tomorrow",
            leaf(seal.clone().valid(now + 3600, now + 7200)),
        ),
        (
            "encipherment only",
            leaf(seal.clone().usage(&[Usage::KeyEncipherment])),
        ),
        ("CA as leaf", leaf(as_ca)),
        (
            "sub CA that is no CA",
            [&no_ca.chain(&spki, &seal)[..3], &good[3..]].concat(),
        ),
        ("not a certificate", vec![vec![0x30, 0], good[3].clone()]),
        ("empty", Vec::new()),
    ];
    for (what, chain) in wrong {
        let assertion = stage.forge(&header(&chain), &stage.claims());
        assert_eq!(
            stage.refusal(&assertion, "certificate chain"),
            401,
            "{what}"
        );
    }
    let digital_signature = leaf(seal.usage(&[Usage::DigitalSignature]));
    let assertion = stage.forge(&header(&digital_signature), &stage.claims());
    assert_eq!(stage.exchange(&assertion).0, 200);
}

#[test]
fn an_assertion_of_the_core_for_another_audience_is_refused() {
    let stage = Stage::new();
    let chain = stage.pki.seal_chain(&stage.key);
    let case = Case {
        audience: Some("EU.EORI.NL999999999"),
        ..cases(stage.now())[0]
    };
    let assertion = mint(&mut SoftwareSigner::new(&stage.key), &case, &chain).unwrap();
    assert_eq!(stage.refusal(&assertion, "aud"), 401);
}
