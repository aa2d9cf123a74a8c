//! Schemes of one's own, signed by a gateway.

use privyseal_test_base::clock::run_start;
use privyseal_test_base::tool::{command, output};
use privyseal_test_judges::decode::{Parts, to_base64url};
use privyseal_test_pki::pem_chain;
use privyseal_test_simulators::device_sim::Options;

use crate::stage::{Outcome, Stage, policy, run};

/// Behind the policy of the stage, of which two schemes go.
const POLICY: &str = r#"
[schemes.acme]
key = "kid"
client-id = "gateway"
kid = "2026"
audiences = ["https://as.example/token"]
authorization-requests = ["https://as.example"]

[schemes.beta]
key = "x5t#S256"
nbf = "iat"
client-id = "urn:beta:client"
audiences = ["https://beta.example", "https://beta.example/2"]

[schemes.other]
key = "kid"
client-id = "another"
kid = "2026"
audiences = ["https://other.example"]
"#;

fn stage() -> Stage {
    let stage = Stage::new(Options::default());
    let all = policy("");
    let fiam = all
        .split("\n[schemes.ishare]")
        .next()
        .expect("the first part");
    stage.write("policy.toml", format!("{fiam}{POLICY}").as_bytes());
    stage.provision().is_done();
    stage
}

fn scheme(stage: &Stage, name: &str, rules: &str) -> String {
    let text = format!("[scheme.{name}]\n{rules}\n");
    stage.write(&format!("{name}.toml"), text.as_bytes())
}

fn sign(stage: &Stage, scheme: &str, more: &[&str]) -> Outcome {
    let (uri, now) = (stage.uri(), run_start().to_string());
    let usual = ["sign", "--scheme", scheme, "--key", &uri, "--now", &now];
    run(&[&usual[..], more].concat(), b"")
}

/// The command has the file's rules checked, OpenSSL the signature, and both header and claims are looked at.
#[test]
fn a_gateway_signs_for_schemes_of_ones_own() {
    let stage = stage();
    let audience = "audience = \"https://as.example/token\"\nlifetime = 45";
    let acme = scheme(&stage, "acme", &format!("key = \"kid\"\n{audience}"));
    let token = sign(&stage, &acme, &["--client-id", "gateway"]).token();
    let parts = Parts::of(&token);
    assert_eq!(
        header_of(&parts),
        r#"{"alg":"RS256","kid":"2026","typ":"JWT"}"#
    );
    let claims = parts.claims();
    let now = run_start();
    for (name, value) in [
        ("iss", "gateway".into()),
        ("sub", "gateway".into()),
        ("aud", "https://as.example/token".into()),
        ("iat", now.into()),
        ("exp", (now + 45).into()),
        ("nbf", serde_json::Value::Null),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    is_verified(&stage, &token);
    let jwks = run(&["jwks", "--key", &stage.uri(), "--kid", "2026"], b"").printed();
    let jwks = stage.write("jwks.json", jwks.as_bytes());
    let words = [
        "check",
        "--scheme",
        &acme,
        "--jwks",
        &jwks,
        "--now",
        &now.to_string(),
        &token,
    ];
    run(&words, b"").printed();

    let beta = "key = \"x5t#S256\"\nnbf = \"iat\"\naudience = { syntax = \"url\" }\nlifetime = 60";
    let beta = scheme(&stage, "beta", beta);
    let token = sign(&stage, &beta, &["--audience", "https://beta.example/2"]).token();
    let parts = Parts::of(&token);
    assert_eq!(parts.claims()["nbf"], now);
    let der = stage.write("leaf.pem", pem_chain(&stage.chain[..1]).as_bytes());
    let words = ["x509", "-in", &der, "-noout", "-fingerprint", "-sha256"];
    let said = output(&mut command("openssl", words), b"").stdout;
    let said = String::from_utf8(said).unwrap();
    let (_, digest) = said.trim().split_once('=').unwrap();
    let digest: Vec<u8> = digest
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    let expected = to_base64url(&digest);
    assert_eq!(
        header_of(&parts),
        format!(r#"{{"alg":"RS256","typ":"JWT","x5t#S256":"{expected}"}}"#)
    );
    is_verified(&stage, &token);
    assert!(stage.device("log", &[]).printed().contains("own-x5t-nbf"));
}

/// What neither file allows, and what may be two.
#[test]
fn what_a_gateway_refuses_of_ones_own_schemes() {
    let stage = stage();
    let any = "audience = { syntax = \"url\" }\nlifetime = 60";
    let acme = scheme(&stage, "acme", &format!("key = \"kid\"\n{any}"));
    let other = ["--audience", "https://other.example"];
    // Two have this form: who says which gets that one, and only its audiences.
    sign(&stage, &acme, &other).is_refused(2, &["several schemes", "--client-id"]);
    let meant = [&other[..], &["--client-id", "another"]].concat();
    assert_eq!(
        Parts::of(&sign(&stage, &acme, &meant).token()).claims()["iss"],
        "another"
    );
    let meant = [&other[..], &["--client-id", "gateway"]].concat();
    sign(&stage, &acme, &meant).is_refused(1, &["audience is not in the device's policy"]);
    let x5c = scheme(&stage, "gamma", &format!("key = \"x5c\"\n{any}"));
    sign(&stage, &x5c, &other).is_refused(2, &["gamma", "not provisioned", "own-kid"]);
    let short = scheme(
        &stage,
        "delta",
        "key = \"kid\"\naudience = \"https://other.example\"\nlifetime = 20",
    );
    sign(
        &stage,
        &short,
        &["--client-id", "another", "--lifetime", "21"],
    )
    .is_refused(1, &["lifetime is 21, allowed are 1 to 20"]);
}

fn header_of(parts: &Parts<'_>) -> String {
    String::from_utf8(parts.header.clone()).unwrap()
}

fn is_verified(stage: &Stage, token: &str) {
    let parts = Parts::of(token);
    let key = stage.write("spki.pem", stage.key.spki_pem().as_bytes());
    let signature = stage.write("signature", &parts.signature);
    let words = ["dgst", "-sha256", "-verify", &key, "-signature", &signature];
    let said = output(
        &mut command("openssl", words),
        parts.signing_input.as_bytes(),
    );
    assert_eq!(said.stdout, b"Verified OK\n");
}
