//! Our tokens before judges that share no code with us: `openssl`, `PyJWT`, an RFC 8785 encoder, a plain
//! SHA-256.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use privyseal_test_base::clock;
use std::collections::HashSet;
use std::fs;
use std::process::Command;

use privyseal_core::JtiBuf;
use privyseal_core::encoding::sink::SliceSink;
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_base::tool::{command, output, run};
use privyseal_test_judges::decode::{Parts, to_base64};
use privyseal_test_judges::python;
use privyseal_test_pki::{TestKey, TestPki, pem_chain, test_key};
use privyseal_test_suite::software_signer::SoftwareSigner;
use privyseal_test_suite::{Case, cases, credential, mint, request};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

struct Minted {
    key: TestKey,
    chain: Vec<Vec<u8>>,
    now: u64,
    tokens: Vec<(Case<'static>, String)>,
}

fn minted() -> Minted {
    let key = test_key("seal", 2048);
    let chain = TestPki::new().seal_chain(&key);
    let now = clock::now();
    let tokens = cases(now).map(|case| {
        let token = mint(&mut SoftwareSigner::new(&key), &case, &chain).unwrap();
        (case, token)
    });
    Minted {
        key,
        chain,
        now,
        tokens: tokens.into(),
    }
}

#[test]
fn openssl_verifies_signature_and_chain() {
    let minted = minted();
    let dir = tempfile::tempdir_in(cache_dir("tmp")).unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("key.pem"), minted.key.spki_pem()).unwrap();
    fs::write(path("leaf.pem"), pem_chain(&minted.chain[..1])).unwrap();
    fs::write(path("between.pem"), pem_chain(&minted.chain[1..3])).unwrap();
    fs::write(path("root.pem"), pem_chain(&minted.chain[3..])).unwrap();

    let verify = |signature: &[u8], signing_input: &str| {
        fs::write(path("signature"), signature).unwrap();
        let mut openssl = command("openssl", ["dgst", "-sha256"]);
        openssl
            .arg("-verify")
            .arg(path("key.pem"))
            .arg("-signature")
            .arg(path("signature"));
        output(&mut openssl, signing_input.as_bytes())
            .status
            .success()
    };
    for (_, token) in &minted.tokens {
        let parts = Parts::of(token);
        assert!(verify(&parts.signature, parts.signing_input));
        assert!(
            !verify(&parts.signature, &parts.signing_input[1..]),
            "the judge can refuse"
        );
    }

    let mut openssl = command(
        "openssl",
        ["verify", "-x509_strict", "-no_check_time", "-CAfile"],
    );
    openssl
        .arg(path("root.pem"))
        .arg("-untrusted")
        .arg(path("between.pem"))
        .arg(path("leaf.pem"));
    run(&mut openssl);
}

#[test]
fn pyjwt_verifies_and_reads_the_same() {
    let minted = minted();
    for (case, token) in &minted.tokens {
        let audience = case.audience.unwrap_or("EU.EORI.NLKPNFIAMPROD");
        let verdict = ask_python(&minted, token, audience).expect("PyJWT accepts the token");
        let parts = Parts::of(token);
        assert_eq!(verdict["header"], parts.header());
        assert_eq!(verdict["claims"], parts.claims());
    }
}

#[test]
fn pyjwt_refuses_what_is_wrong() {
    let minted = minted();
    let (_, token) = &minted.tokens[0];
    assert!(
        ask_python(&minted, token, "EU.EORI.NL999999999").is_err(),
        "another audience"
    );
    let other = &minted.tokens[1].1;
    let (input, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let audience = "EU.EORI.NLKPNFIAMPROD";
    assert!(ask_python(&minted, &format!("{input}.{signature}"), audience).is_err());
}

fn ask_python(minted: &Minted, token: &str, audience: &str) -> Result<Value, String> {
    let question = json!({
        "token": token,
        "root": to_base64(&minted.chain[3]),
        "audience": audience,
        "now": minted.now,
    });
    let answer = output(
        Command::new(python::interpreter()).arg(python::verify_script()),
        question.to_string().as_bytes(),
    );
    if answer.status.success() {
        Ok(serde_json::from_slice(&answer.stdout).expect("JSON"))
    } else {
        let error = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(!error.contains("ModuleNotFoundError"), "{error}");
        Err(error)
    }
}

#[test]
fn an_independent_rfc_8785_encoder_gives_the_same_bytes() {
    for (_, token) in &minted().tokens {
        let parts = Parts::of(token);
        for encoded in [&parts.header, &parts.payload] {
            let value: Value = serde_json::from_slice(encoded).unwrap();
            let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
            assert_eq!(&canonical, encoded, "{}", String::from_utf8_lossy(encoded));
        }
    }
}

#[test]
fn the_midstate_gives_the_digest_of_the_whole_signing_input() {
    let minted = minted();
    // The jti's length moves the end of the input over all positions in a block.
    for len in 1..=130 {
        let jti = "j".repeat(len);
        let case = Case {
            jti: &jti,
            ..cases(minted.now)[0]
        };
        let credential = credential(&case, &minted.chain, &minted.key.public_key()).unwrap();
        let request = request(&case).unwrap();
        let input = credential.prepare(&request).unwrap();
        let mut bytes = vec![0; input.len()];
        input.write_to(&mut SliceSink::new(&mut bytes)).unwrap();
        assert_eq!(
            input.digest()[..],
            Sha256::digest(&bytes)[..],
            "jti of {len}"
        );
    }
}

#[test]
fn a_hundred_thousand_jti_do_not_repeat() {
    let mut seen = HashSet::with_capacity(100_000);
    for _ in 0..100_000 {
        let mut entropy = [0; 16];
        getrandom::fill(&mut entropy).unwrap();
        let jti = JtiBuf::from_entropy(entropy);
        assert!(
            seen.insert(jti.as_jti().as_str().to_owned()),
            "{:?}",
            jti.as_jti()
        );
    }
}
